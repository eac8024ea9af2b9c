"""``vsa compare``: the alliance by modality, attachment, diagnosis."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path, place
from vsa.commands.train import names

if TYPE_CHECKING:
    import pandas as pd

    from vsa.bond.comparison.compare import Comparison
    from vsa.study.addresses import Place

#: What is written into --out.
JSON, CSV, PICTURE = "comparison.json", "comparison.csv", "comparison.png"


@click.command()
@click.argument("study", type=place, metavar="STUDY_OR_TABLE")
@click.option(
    "--by",
    callback=names,
    metavar="A,B",
    help="Columns with groups, or numbers as of attachment.  [default: modality, attachment, diagnosis]",
)
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    metavar="COLUMN",
    help="A score; may be given several times.  [default: total, goal, task and bond, as 'vsa score' writes them]",
)
@click.option(
    "--bonds", type=place, metavar="CSV", help="Scores and ids by session_id, to join to the sessions."
)
@click.option(
    "--clients",
    type=place,
    metavar="CSV",
    help="What is known of clients by client_id, such as attachment scores.",
)
@click.option("--rater", default="client", show_default=True, help="Whose scores, where several rated.")
@click.option(
    "--covariates", callback=names, metavar="A,B", help="The models allow for these.  [default: age, gender]"
)
@click.option(
    "--least", default=5, show_default=True, type=click.IntRange(5), help="Clients of a group, to be tested."
)
@click.option(
    "--margin",
    default=0.3,
    show_default=True,
    type=click.FloatRange(0, 5, min_open=True, max_open=True),
    help="Differences that an equivalence test excludes, SD.",
)
@click.option("--out", type=local_path, metavar="DIR", help=f"Write {JSON}, {CSV} and {PICTURE} here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def compare(
    study: Place,
    by: tuple[str, ...] | None,
    outcomes: tuple[str, ...],
    bonds: Place | None,
    clients: Place | None,
    rater: str,
    covariates: tuple[str, ...] | None,
    least: int,
    margin: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Compare the alliance between groups of clients: how much it differs, and how sure that is.

    STUDY_OR_TABLE is a results folder of 'vsa extract', or a CSV or Parquet table with one row a session. Clients count
    once. Sessions of a study whose people did not all agree to research are left out.

    Nobody is assigned to a group by chance, so nothing that is found is a matter of causes; groups with few clients are
    not tested, and their numbers are not told. Without --by, that there is one group only is said and written, and no
    error.
    """
    from vsa.bond.comparison import compare as comparing
    from vsa.report.comparison_text import comparison_text
    from vsa.study.folder import study_of
    from vsa.study.log import record

    table, notes = _sessions(study, bonds, clients, rater)
    for note in notes:
        click.echo(f"Note: {note}", err=True)
    settings = comparing.Settings(least=least, margin=margin)
    try:
        found = comparing.compare(table, by, outcomes or None, covariates=covariates, settings=settings)
    except comparing.OneGroup as one:
        # nobody asked for a column: that there is nothing to compare is what is found
        found = comparing.nothing_compared(table, one, outcomes or None, settings=settings)
    if out is not None:
        _write(found, out)
    if within := study_of(study):
        ids = map(str, table.get("session_id", ()))
        outcome: dict[str, int | str] = {
            "by": ",".join(found.factors),
            "outcomes": ",".join(dict.fromkeys(test.outcome for test in found.tests)),
            "sessions": len(table),
        }
        if out is not None:
            outcome["written"] = os.path.relpath(out, within)
        record(within, "compare", ids, outcome)
    if as_json:
        import json

        click.echo(json.dumps(found.record(), indent=2, allow_nan=False))
        return
    click.echo(comparison_text(found))
    if out is not None:
        names = (JSON, CSV, PICTURE) if found.tested else (JSON, CSV)
        click.echo(f"\nWritten: {', '.join(str(out / name) for name in names)}")


def _sessions(
    study: Place, bonds: Place | None, clients: Place | None, rater: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The sessions that may be used, with their scores and what is known of clients; and what to tell."""
    from vsa.study.consent import allowed_rows
    from vsa.study.tables import of_rater, read_table, with_bonds

    allowed = allowed_rows(read_table(study), study, "research")
    table = of_rater(allowed.table, rater)
    if bonds is not None:
        table = with_bonds(table, of_rater(read_table(bonds), rater))
    if clients is not None:
        from vsa.bond.comparison.clients import with_clients

        table = with_clients(table, of_rater(read_table(clients), rater))
    return table, allowed.notes


def _write(found: Comparison, folder: Path) -> None:
    import json

    from vsa.bond.comparison.table import comparison_table
    from vsa.report.comparison import draw_comparison
    from vsa.study.tables import write_csv
    from vsa.whole_file import replacing

    with replacing(folder / JSON) as part:
        part.write_text(json.dumps(found.record(), indent=1, allow_nan=False), "utf-8")
    write_csv(comparison_table(found), folder / CSV, for_people=True)
    if found.tested:
        draw_comparison(found, folder / PICTURE)
    else:  # an earlier one would be of another comparison
        (folder / PICTURE).unlink(missing_ok=True)
