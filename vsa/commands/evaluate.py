"""``vsa evaluate``: a trained model on a new cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
@click.option(
    "--reviews",
    multiple=True,
    type=local_path,
    metavar="CSV",
    help="Marks that reviewers exported from the report's pages; may be given several times.",
)
@click.option(
    "--pseudonymize", type=local_path, metavar="KEYFILE", help="The report's key, if its ids are pseudonyms."
)
@click.option("--out", type=local_path, metavar="DIR", help="Write evaluation.json and outside.csv here.")
@click.option("--seed", default=0, show_default=True, help="Of all that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def evaluate(
    model: Path,
    study: Place,
    bond: str,
    bonds: Place | None,
    rater: str,
    reviews: tuple[Path, ...],
    pseudonymize: Path | None,
    out: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Say how a model does for a cohort that it has not seen, and how that cohort differs from its training.

    MODEL is a file that 'vsa train' wrote; STUDY_OR_TABLE a results folder of 'vsa extract', or a CSV or Parquet table.
    With reported bonds: performance, calibration and intervals. Without: drift, and which sessions lie outside of what
    the model saw. Sessions of its training are left out, and so are those of a study whose people did not all agree to
    training.

    With --reviews: how right its flags are in the judgement of the people who looked at the sessions, those of its
    training too. For this, sessions whose people did not all agree to quality are left out.
    """
    import json

    from vsa.bond import store
    from vsa.bond.new_cohort import evaluate_on
    from vsa.commands.train import rated_table
    from vsa.run.reviews import judge_study, why_not_evaluated
    from vsa.study.folder import study_of
    from vsa.study.log import record
    from vsa.study.tables import write_csv
    from vsa.whole_file import replacing

    if pseudonymize is not None and not reviews:
        raise click.UsageError("--pseudonymize tells whose the marks are that --reviews gives.")
    loaded = store.load(model)
    told: dict[str, Any] = {"model": str(model)}
    ids, counts = set[str](), dict[str, int]()
    judged = found = None
    if reviews:
        judged = judge_study(reviews, model, loaded, study, pseudonymize, seed=seed)
        ids |= {*judged.ids}
        counts["reviewed"] = len(judged.ids)
    if why := why_not_evaluated(loaded, study) if reviews else "":
        told["why_not_evaluated"] = why
    else:
        table = rated_table(study, bonds, rater, "training")
        found = evaluate_on(loaded, table, bond, seed=seed)
        told |= found.record()
        ids |= {*map(str, table.get("session_id", ()))}
        counts |= {"sessions": found.sessions, "outside": len(found.outside)}
    if judged is not None:
        told["reviews"] = judged.found.record()
    if out is not None:
        with replacing(out / "evaluation.json") as part:
            part.write_text(json.dumps(told, indent=1, allow_nan=False), "utf-8")
        if found is not None:
            write_csv(found.outside, out / "outside.csv", for_people=True)
    if folder := study_of(study):
        record(folder, "evaluate", ids, {"model": model.name, **counts})
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    from vsa.report.evaluation_text import new_cohort_text
    from vsa.report.reviews_text import reviews_text

    click.echo(why if found is None else new_cohort_text(found, loaded.info))
    if judged is not None:
        click.echo(f"\n{reviews_text(judged.found)}")
    if out is not None:
        click.echo(f"\nWritten: {out}")
