"""``vsa train``: a bond model from features and self-reported bond."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path, place

if TYPE_CHECKING:
    from vsa.bond.cohort import Use
    from vsa.bond.model import ModelInfo
    from vsa.study.addresses import Place

_VERDICTS = {
    "better": "Closer than the training mean, by more than chance explains.",
    "unclear": "Closer than the training mean here, and that may be chance.",
    "no better": "No better than the training mean: flags of this model are no better than a draw of lots.",
}


@click.command()
@click.argument("study", type=place, metavar="STUDY_OR_TABLE")
@click.option("--out", required=True, type=local_path, metavar="MODEL", help="The model's file (.skops).")
@click.option("--bond", default="bond", show_default=True, metavar="COLUMN", help="The column to predict.")
@click.option(
    "--bonds", type=place, metavar="CSV", help="Bonds and ids by session_id, to join to the features."
)
@click.option(
    "--features",
    "use",
    type=click.Choice(["core", "all"]),
    default="core",
    show_default=True,
    help="Predict from the core set, or from all features.",
)
@click.option("--seed", default=0, show_default=True, help="Of the folds.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def train(
    study: Place, out: Path, bond: str, bonds: Place | None, use: Use, seed: int, as_json: bool
) -> None:
    """Train a bond model and test it on people whom it has not seen.

    STUDY_OR_TABLE is a results folder of 'vsa extract', or a CSV or Parquet table with one row a session: features
    under their full names, the bond, and client_id and therapist_id, so that clients and therapists are held out whole.
    Sessions of a study whose people did not all agree to training are left out.
    """
    from vsa.bond import store, training
    from vsa.study.consent import allowed_rows
    from vsa.study.folder import study_of
    from vsa.study.log import record
    from vsa.study.tables import read_table, with_bonds

    allowed = allowed_rows(read_table(study), study, "training")
    table = allowed.table
    for note in allowed.notes:
        click.echo(f"Note: {note}", err=True)
    if bonds is not None:
        table = with_bonds(table, read_table(bonds))
    model = training.train(table, bond, seed=seed, use=use)
    store.save(model, out)
    if folder := study_of(study):
        ids = map(str, table["session_id"][table[bond].notna()] if "session_id" in table else ())
        name = os.path.relpath(out, folder)
        record(folder, "train", ids, {"model": name, "sessions": model.info.sessions})
    if as_json:
        import json
        from dataclasses import asdict, replace

        told = asdict(replace(model.info, trained_on=None))  # fingerprints are of no use to people
        click.echo(json.dumps({"model": str(out), **told}, indent=2))
    else:
        _print(model.info)
        click.echo(f"\nModel: {out}")


def _print(info: ModelInfo) -> None:
    from vsa.bond.model import SIMULATED

    if info.simulated:
        click.secho(SIMULATED, bold=True)
    therapists = "" if info.therapists is None else f", {info.therapists} therapists"
    people = f" of {info.clients} clients{therapists}" if info.grouped_by == "client" else ""
    click.echo(f"Ridge on {len(info.features)} features of {info.sessions} sessions{people}.")
    click.echo(f"Bond: {info.label_source}; mean {info.bond_mean:.2f}, SD {info.bond_sd:.2f}.")
    for test in info.evaluation:
        click.echo(
            f"\nNew {test.by}s (all sessions of a {test.by} held out together, {test.groups} {test.by}s)"
        )
        click.echo(f"{'':>16}{'R2':>8}{'MAE':>8}{'Spearman':>10}")
        for name, scores in (("model", test.model), ("training mean", test.baseline)):
            rho = "-" if scores.spearman is None else f"{scores.spearman:.2f}"
            click.echo(f"  {name:<14}{scores.r2:>8.3f}{scores.mae:>8.3f}{rho:>10}")
        click.echo(
            f"  Squared error against the training mean: {-test.gain:+.1%} "
            f"(95 % interval {-test.gain_high:+.1%} to {-test.gain_low:+.1%})."
        )
        click.echo(f"  {_VERDICTS[test.verdict]}")
    for note in info.notes:
        click.echo(f"\nNote: {note}")
