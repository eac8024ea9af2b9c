"""``vsa train``: a bond model from features and self-reported bond."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path, place

if TYPE_CHECKING:
    import pandas as pd

    from vsa.bond.cohort import Use
    from vsa.bond.starting import How, Started
    from vsa.bond.training import Trained
    from vsa.study.addresses import Place


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Names with commas between them."""
    if value is None:
        return None
    return tuple(name.strip() for name in value.split(",") if name.strip())


@click.command()
@click.argument("study", type=place, metavar="STUDY_OR_TABLE")
@click.option("--out", required=True, type=local_path, metavar="MODEL", help="The model's file (.skops).")
@click.option("--bond", default="bond", show_default=True, metavar="COLUMN", help="The column to predict.")
@click.option(
    "--bonds", type=place, metavar="CSV", help="Bonds and ids by session_id, to join to the features."
)
@click.option("--rater", default="client", show_default=True, help="Whose bonds, where several rated.")
@click.option(
    "--features",
    "use",
    type=click.Choice(["core", "all"]),
    default="core",
    show_default=True,
    help="Predict from the core set, or from all features.",
)
@click.option("--leave-out", callback=names, metavar="A,B", help="Features that are no predictors.")
@click.option(
    "--covariates",
    callback=names,
    metavar="A,B",
    help="Columns that the model takes beside the signals.  [none: it is compared with those that are known]",
)
@click.option(
    "--weak",
    default="lowest:0.2",
    show_default=True,
    metavar="RULE",
    help="What a weak bond is: lowest:0.2 of the training, drop:1 SD below the client's own mean, or below:36.",
)
@click.option("--reliability", type=float, help="Of the bond (alpha or omega), for the ceiling.")
@click.option(
    "--permutations", default=200, show_default=True, type=click.IntRange(0), help="Of each test; 0: none."
)
@click.option("--start-from", type=local_path, metavar="MODEL", help="Recalibrate this model, or train anew.")
@click.option(
    "--how",
    type=click.Choice(["auto", "recalibrate", "refit"]),
    default="auto",
    show_default=True,
    help="With --start-from; auto: train anew only where that is better by more than chance.",
)
@click.option("--contact", default="", help="For the model card.")
@click.option("--seed", default=0, show_default=True, help="Of all that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def train(
    study: Place,
    out: Path,
    bond: str,
    bonds: Place | None,
    rater: str,
    use: Use,
    leave_out: tuple[str, ...] | None,
    covariates: tuple[str, ...] | None,
    weak: str,
    reliability: float | None,
    permutations: int,
    start_from: Path | None,
    how: How,
    contact: str,
    seed: int,
    as_json: bool,
) -> None:
    """Train a bond model and test it on people whom it has not seen.

    STUDY_OR_TABLE is a results folder of 'vsa extract', or a CSV or Parquet table with one row a session: features
    under their full names, the bond, and client_id and therapist_id, so that clients and therapists are held out whole.
    Sessions of a study whose people did not all agree to training are left out.

    Beside MODEL a folder MODEL-evaluation is written: evaluation.json, the model card, pictures, and what was expected
    of each session when its client was held out.
    """
    from vsa.bond import starting, store, training
    from vsa.bond.evaluation.evaluate import Settings
    from vsa.bond.weak import Weak
    from vsa.run.evaluation_files import check_place, write_evaluation
    from vsa.study.folder import study_of
    from vsa.study.log import record

    settings = Settings(seed=seed, weak=Weak.parse(weak), permutations=permutations, reliability=reliability)
    check_place(out)
    table = rated_table(study, bonds, rater, "training")

    def say(line: str) -> None:
        click.echo(f"{line} ...", err=True)

    started = None
    if start_from is None:
        trained = training.train(
            table,
            bond,
            use=use,
            covariates=covariates,
            leave_out=leave_out or (),
            settings=settings,
            say=say,
        )
    else:
        started = starting.start_from(
            store.load(start_from), start_from.name, table, bond, how=how, settings=settings, say=say
        )
        trained = started.trained
    store.save(trained.model, out)
    folder = write_evaluation(trained, out, contact=contact)
    if within := study_of(study):
        ids = map(str, table["session_id"][table[bond].notna()] if "session_id" in table else ())
        name = os.path.relpath(out, within)
        record(within, "train", ids, {"model": name, "sessions": trained.info.sessions})
    if as_json:
        _print_json(trained, started, out, folder)
        return
    from vsa.report.evaluation_text import evaluation_text

    if started is not None:
        _show_start(started)
    click.echo(evaluation_text(trained.info))
    click.echo(f"\nModel: {out}\nEvaluation, model card (card.html) and pictures: {folder}")


def rated_table(study: Place, bonds: Place | None, rater: str, purpose: str) -> pd.DataFrame:
    """The sessions that may be used for a purpose, with their bonds."""
    from vsa.study.consent import allowed_rows
    from vsa.study.tables import of_rater, read_table, with_bonds

    allowed = allowed_rows(read_table(study), study, purpose)
    for note in allowed.notes:
        click.echo(f"Note: {note}", err=True)
    table = allowed.table
    if bonds is not None:
        table = with_bonds(table, of_rater(read_table(bonds), rater))
    return table


def _print_json(trained: Trained, started: Started | None, out: Path, folder: Path) -> None:
    import json
    from dataclasses import asdict, replace

    from vsa.bond.evaluation.evaluate import plain

    told = asdict(replace(trained.info, trained_on=None))  # fingerprints are of no use to people
    start = (
        None if started is None else {"how": started.how, "r2": started.r2, "refit_gain": started.refit_gain}
    )
    document = {"model": str(out), "folder": str(folder), **told, "started": start}
    click.echo(json.dumps(plain(document), indent=2))


def _show_start(started: Started) -> None:
    click.echo("R2 for clients held out (95 % interval)")
    for which, r2 in started.r2.items():
        click.echo(f"  {which:<14}{r2}")
    kept = {"recalibrate": "the recalibrated model", "refit": "the model trained anew"}[started.how]
    click.echo(f"Kept: {kept}. Training anew adds {started.refit_gain} to the R2 of recalibrating.\n")
