"""``vsa flag``: the sessions whose rapport signals suggest a review."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path, place

if TYPE_CHECKING:
    from vsa.study.addresses import Place


@click.command()
@click.argument("model", type=local_path)
@click.argument("study", type=place, metavar="STUDY_OR_TABLE")
@click.option(
    "--budget",
    default=0.1,
    show_default=True,
    metavar="N",
    help="Sessions that can be reviewed: a share below 1, or a number from 1 on.",
)
@click.option("--out", required=True, type=local_path, metavar="CSV", help="The list, one row a session.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as one JSON document.")
def flag(model: Path, study: Place, budget: float, out: Path, as_json: bool) -> None:
    """List the sessions whose rapport signals suggest a review.

    MODEL is a file that 'vsa train' wrote; STUDY_OR_TABLE a results folder of 'vsa extract', or a CSV or Parquet table.
    Sessions that were recorded too poorly are not judged (abstain); sessions of a study whose people did not all agree
    to quality are left out. A flag decides nothing about a person.
    """
    from dataclasses import replace

    from vsa.bond import store
    from vsa.bond.flags import flag as flagged
    from vsa.study.consent import allowed_rows
    from vsa.study.folder import study_of
    from vsa.study.log import record
    from vsa.study.tables import read_table, write_csv

    allowed = allowed_rows(read_table(study), study, "quality")
    flags = flagged(store.load(model), allowed.table, budget)
    flags = replace(flags, notes=(*flags.notes, *allowed.notes))
    write_csv(flags.table, out)
    if folder := study_of(study):
        record(folder, "flag", flags.table["session_id"], {"model": model.name, **flags.counts})
    if as_json:
        import json

        click.echo(json.dumps({"out": str(out), **flags.record()}, indent=2))
        return
    counts = flags.counts
    click.echo(
        f"{len(flags.table)} sessions: {counts['weak']} weak (review suggested), {counts['ok']} ok, "
        f"{counts['abstain']} not judged (abstain)."
    )
    for _, row in flags.table[flags.table["verdict"] == "weak"].head(20).iterrows():
        click.echo(f"  {row['rank']:>3}. {row['session_id']}  expected bond {row['expected_bond']:.2f}")
    if len(flags.table):
        click.echo(f"Label: {flags.table['label'].iloc[0]}.\n  From {flags.table['label_source'].iloc[0]}.")
    for note in flags.notes:
        click.echo(f"Note: {note}")
    click.echo(f"List: {out}")
