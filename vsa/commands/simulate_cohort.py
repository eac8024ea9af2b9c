"""``vsa simulate cohort``: sessions of clients of therapists, with a bond that is known."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path

if TYPE_CHECKING:
    from vsa.run.cohort_files import Level

_share = click.FloatRange(0, 1, max_open=True)


@click.command()
@click.argument("out", type=local_path)
@click.option("--clients", default=60, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--sessions", default="4", show_default=True, metavar="N|A-B", help="Of each client.")
@click.option(
    "--level",
    default="features",
    show_default=True,
    type=click.Choice(["features", "signals"]),
    help="A table of features, or sessions of signals from which vsa computes them (a second or so each).",
)
@click.option("--null", is_flag=True, help="Nothing goes with the bond.")
@click.option(
    "--in-person",
    "in_person",
    default=0.0,
    show_default=True,
    type=_share,
    help="Share of clients seen in a room.",
)
@click.option("--changing", default=0.0, show_default=True, type=_share, help="Share who change therapist.")
@click.option(
    "--dropout",
    default=0.0,
    show_default=True,
    type=_share,
    help="Chance of leaving after a session, at a usual bond.",
)
@click.option(
    "--unrated", default=0.0, show_default=True, type=_share, help="Share of sessions without answers."
)
@click.option("--instrument", default="wai-sr", show_default=True, help="The questionnaire of the clients.")
@click.option(
    "--seconds",
    default=180.0,
    show_default=True,
    type=click.FloatRange(30, 3600),
    help="Of a session of signals.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="The same gives the same.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def cohort(
    out: Path,
    clients: int,
    sessions: str,
    level: Level,
    null: bool,
    in_person: float,
    changing: float,
    dropout: float,
    unrated: float,
    instrument: str,
    seconds: float,
    seed: int,
    as_json: bool,
) -> None:
    """Draw a SIMULATED cohort into the folder OUT, which must be new or empty.

    Sessions of clients of therapists have a latent bond; some features go with it, as much as studies find. Train on
    it to see what a method finds where the truth is known, and what it finds where there is nothing (--null).
    """
    from vsa.run.cohort_files import ANSWERS, COHORT, write_cohort
    from vsa.simulate.cohort_design import EFFECTS, CohortDesign

    design = CohortDesign(
        clients=clients,
        sessions=_range(sessions),
        changing=changing,
        dropout=dropout,
        in_person_share=in_person,
        unrated=unrated,
        effects={} if null else EFFECTS,
        instrument=instrument,
    )
    told = _lines() if level == "signals" and not as_json else lambda done, of: None
    drawn = write_cohort(out, design, level, seed, seconds=seconds, progress=told, jobs=-1)
    rows, bond = len(drawn.table), drawn.table["bond"]
    if as_json:
        import json

        said = {
            "out": str(out),
            "simulated": True,
            "level": level,
            "sessions": rows,
            "clients": clients,
            "therapists": int(drawn.table["therapist_id"].nunique()),
            "rated": int(bond.notna().sum()),
            "seed": seed,
            "effects": dict(design.effects),
        }
        click.echo(json.dumps(said, indent=2))
        return
    therapists = drawn.table["therapist_id"].nunique()
    click.echo(
        f"{rows} SIMULATED session{'s' * (rows > 1)} of {clients} client{'s' * (clients > 1)} and {therapists} "
        f"therapist{'s' * (therapists > 1)}: {out}"
    )
    rated = int(bond.notna().sum())
    values = f"mean {bond.mean():.2f}, SD {bond.std():.2f}, " if rated > 1 else ""
    click.echo(f"Bond ({instrument}): {values}{rated} rated.")
    scored = f"vsa score {out / ANSWERS} --instrument {instrument} --out {out / 'bonds.csv'}"
    if level == "features":
        click.echo(f"Train on it with 'vsa train {out / COHORT} --out MODEL.skops'.")
    else:
        click.echo(
            f"Score it with '{scored}',\ntrain with 'vsa train {out} --bonds {out / 'bonds.csv'} --out MODEL.skops'."
        )


def _range(text: str) -> tuple[int, int]:
    from vsa.errors import InputError

    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip())
    if not found:
        raise InputError(
            f"--sessions {text} is no number of sessions.", "Give one, as 4, or a range, as 2-8."
        )
    return int(found[1]), int(found[2] or found[1])


def _lines() -> Callable[[int, int], None]:
    """Every tenth part is told, on stderr."""
    told = set[int]()

    def tell(done: int, of: int) -> None:
        tenth = 10 * done // max(1, of)
        if tenth not in told:
            told.add(tenth)
            print(f"{done} of {of} sessions", file=sys.stderr)

    return tell
