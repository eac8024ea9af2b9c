"""``vsa flag``: the sessions whose rapport signals suggest a review."""

from __future__ import annotations

from pathlib import Path

import click

_path = click.Path(path_type=Path)


@click.command()
@click.argument("model", type=_path)
@click.argument("study", type=_path, metavar="STUDY_OR_TABLE")
@click.option(
    "--budget",
    default=0.1,
    show_default=True,
    metavar="N",
    help="Sessions that can be reviewed: a share below 1, or a number from 1 on.",
)
@click.option("--out", required=True, type=_path, metavar="CSV", help="The list, one row a session.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as one JSON document.")
def flag(model: Path, study: Path, budget: float, out: Path, as_json: bool) -> None:
    """List the sessions whose rapport signals suggest a review.

    MODEL is a file that 'vsa train' wrote; STUDY_OR_TABLE a results folder of 'vsa extract', or a CSV or Parquet table.
    Sessions that were recorded too poorly are not judged (abstain). A flag decides nothing about a person.
    """
    from vsa.bond import store
    from vsa.bond.flags import flag as flagged
    from vsa.study.tables import read_table, write_csv

    flags = flagged(store.load(model), read_table(study), budget)
    write_csv(flags.table, out)
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
