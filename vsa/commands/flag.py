"""``vsa flag``: the sessions whose rapport signals suggest a review."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path, place

if TYPE_CHECKING:
    from vsa.bond.flags import Flags

#: Sessions that are not judged and are named with the reason.
_UNJUDGED = 3


@click.command()
@click.argument("places", nargs=-1, required=True, metavar="[MODEL] STUDY_OR_TABLE")
@click.option(
    "--budget",
    type=float,
    metavar="N",
    help="Sessions that can be reviewed: a share below 1, or a number from 1 on.  [default: 0.1]",
)
@click.option(
    "--threshold", type=float, metavar="P", help="Instead: review from this probability of a weak bond on."
)
@click.option("--rules", is_flag=True, help="Without a model: by rules, against the cohort's own norms.")
@click.option("--rules-file", type=local_path, metavar="TOML", help="Rules of your own.")
@click.option("--out", required=True, type=local_path, metavar="CSV", help="The list, one row a session.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as one JSON document.")
def flag(
    places: tuple[str, ...],
    budget: float | None,
    threshold: float | None,
    rules: bool,
    rules_file: Path | None,
    out: Path,
    as_json: bool,
) -> None:
    """List the sessions whose rapport signals suggest a review, why, and where in the recording to look.

    MODEL is a file that 'vsa train' wrote; STUDY_OR_TABLE a results folder of 'vsa extract', or a CSV or Parquet table.
    With --rules there is no MODEL: sessions are listed whose signals are far from those of the others.

    Sessions that were recorded too poorly, or lie outside of what the model saw, are not judged (abstain); sessions of
    a study whose people did not all agree to quality are left out. A flag decides nothing about a person.
    """
    from dataclasses import replace

    from vsa.bond import store
    from vsa.bond.flags import flag as flagged
    from vsa.bond.rules.file import load_rules
    from vsa.bond.rules.rules import flag_by_rules
    from vsa.run.flag_moments import with_moments
    from vsa.study.consent import allowed_rows
    from vsa.study.folder import study_of
    from vsa.study.log import record
    from vsa.study.tables import read_table, write_csv

    rules = rules or rules_file is not None
    _check(places, rules, budget, threshold)
    study = place(places[-1])
    model = None if rules else local_path(places[0])
    allowed = allowed_rows(read_table(study), study, "quality")
    if model is None:
        flags = flag_by_rules(allowed.table, load_rules(rules_file), 0.1 if budget is None else budget)
        by = "rules"
    else:
        flags = flagged(store.load(model), allowed.table, 0.1 if budget is None else budget, threshold)
        by = model.name
    listed, without = with_moments(flags.table, study)
    flags = replace(flags, table=listed, notes=(*flags.notes, *without, *allowed.notes))
    write_csv(flags.table, out, for_people=True)
    if folder := study_of(study):
        record(folder, "flag", flags.table["session_id"], {"model": by, **flags.counts})
    if as_json:
        import json

        click.echo(json.dumps({"out": str(out), **flags.record()}, indent=2))
        return
    _show(flags)
    click.echo(f"List: {out}")


def _check(places: tuple[str, ...], rules: bool, budget: float | None, threshold: float | None) -> None:
    if len(places) != (1 if rules else 2):
        raise click.UsageError(
            "With --rules give the study or table alone."
            if rules
            else "Give a model and a study or table; or the study alone with --rules."
        )
    if budget is not None and threshold is not None:
        raise click.UsageError("Give a --budget or a --threshold, not both.")
    if rules and threshold is not None:
        raise click.UsageError("Rules give no probability to hold against a --threshold. Give a --budget.")


def _show(flags: Flags) -> None:
    counts = flags.counts
    click.echo(
        f"{len(flags.table)} sessions: {counts['weak']} weak (review suggested), {counts['ok']} ok, "
        f"{counts['abstain']} not judged (abstain)."
    )
    for _, row in flags.table[flags.table["verdict"] == "weak"].head(20).iterrows():
        click.echo(f"\n  {row['rank']}. {row['session_id']}: review suggested{_how_weak(row)}")
        for k in (1, 2, 3):
            if row[f"reason_{k}"]:
                moments = row.get(f"reason_{k}_moments", "")
                click.echo(f"     {row[f'reason_{k}']}{f' (see {moments})' if moments else ''}")
    _show_unjudged(flags)
    if len(flags.table):
        click.echo(f"\n{flags.table['label'].iloc[0]}.\n  From {flags.table['label_source'].iloc[0]}.")
    for note in flags.notes:
        click.echo(f"Note: {note}")


def _show_unjudged(flags: Flags) -> None:
    """Why sessions are not judged: the first ones, for there may be hundreds."""
    rows = flags.table[flags.table["verdict"] == "abstain"]
    if len(rows):
        click.echo("\n  Not judged:")
    for _, row in rows.head(_UNJUDGED).iterrows():
        click.echo(f"     {row['session_id']}: {row['reason']}")
    if len(rows) > _UNJUDGED:
        click.echo(f"     and {len(rows) - _UNJUDGED} more; the list says why.")


def _how_weak(row: dict[str, float]) -> str:
    if "probability" not in row:
        return f"; {row['weak_signals']} of {row['signals_known']} signals are weak"
    chance = (
        ""
        if row["probability"] != row["probability"]
        else f"; weak with probability {row['probability']:.0%}"
    )
    return (
        f"{chance}; expected bond {row['expected_bond']:.1f} "
        f"({row['expected_low']:.1f} to {row['expected_high']:.1f})"
    )
