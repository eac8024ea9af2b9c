"""``vsa evaluate``: a trained model on a new cohort."""

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
@click.option("--bond", default="", metavar="COLUMN", help="The reported bond.  [as in training]")
@click.option(
    "--bonds", type=place, metavar="CSV", help="Bonds and ids by session_id, to join to the features."
)
@click.option("--rater", default="client", show_default=True, help="Whose bonds, where several rated.")
@click.option("--out", type=local_path, metavar="DIR", help="Write evaluation.json and outside.csv here.")
@click.option("--seed", default=0, show_default=True, help="Of all that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def evaluate(
    model: Path,
    study: Place,
    bond: str,
    bonds: Place | None,
    rater: str,
    out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Say how a model does for a cohort that it has not seen, and how that cohort differs from its training.

    MODEL is a file that 'vsa train' wrote; STUDY_OR_TABLE a results folder of 'vsa extract', or a CSV or Parquet table.
    With reported bonds: performance, calibration and intervals. Without: drift, and which sessions lie outside of what
    the model saw. Sessions of its training are left out, and so are those of a study whose people did not all agree to
    training.
    """
    import json

    from vsa.bond import store
    from vsa.bond.new_cohort import evaluate_on
    from vsa.commands.train import rated_table
    from vsa.study.folder import study_of
    from vsa.study.log import record
    from vsa.study.tables import write_csv
    from vsa.whole_file import replacing

    loaded = store.load(model)
    table = rated_table(study, bonds, rater, "training")
    found = evaluate_on(loaded, table, bond, seed=seed)
    told = {"model": str(model), **found.record()}
    if out is not None:
        with replacing(out / "evaluation.json") as part:
            part.write_text(json.dumps(told, indent=1, allow_nan=False), "utf-8")
        write_csv(found.outside, out / "outside.csv")
    if folder := study_of(study):
        ids = map(str, table.get("session_id", ()))
        counts = {"sessions": found.sessions, "outside": len(found.outside)}
        record(folder, "evaluate", ids, {"model": model.name, **counts})
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    from vsa.report.evaluation_text import new_cohort_text

    click.echo(new_cohort_text(found, loaded.info))
    if out is not None:
        click.echo(f"\nWritten: {out}")
