"""The main job from end to end: recordings to signals, features, scores, a model, a review list and a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vsa import assets
from vsa.data import data_file
from vsa.errors import InputError
from vsa.run.batch import Listener, Summary, extract
from vsa.run.demo_cohort import INSTRUMENT, Bond, bond_half
from vsa.run.settings import Settings
from vsa.study.manifest import read_manifest
from vsa.study.plan import SessionPlan, from_media

if TYPE_CHECKING:
    from vsa.simulate.agreement import Agreement

#: Ships with vsa: a study of simulated calls, the answers of their people, and what is true of them.
SAMPLE = "sample_media"


@dataclass(frozen=True)
class Demo:
    """What was made.

    Attributes
    ----------
    plans, study, summary
        The recordings, their study folder, and how extraction ended.
    known
        Simulated session -> how far what was measured agrees with what is true; empty for recordings of one's own.
    scores
        Scores of the people of the simulated calls; None for recordings of one's own.
    bond
        The other half, and the report of both.
    """

    plans: Sequence[SessionPlan]
    study: Path
    summary: Summary
    known: Mapping[str, Agreement]
    scores: Path | None
    bond: Bond


def run(out: Path, media: Sequence[Path], listener: Listener, say: Callable[[str], None]) -> Demo:
    """Run the demo.

    Parameters
    ----------
    out
        Folder for all of it.
    media
        Recordings to analyse; if there are none, the simulated calls that ship with vsa are.
    listener
        Is told how extraction goes.
    say
        Is told each step in one line.

    Raises
    ------
    InputError
        When `out` can't be written, or a recording can't be named.
    """
    plans = from_media(media)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out} can't be written ({error.strerror}).", "Give another folder.") from None
    assets.pull(report=lambda line: say(line) if "already" not in line else None)
    sample = None if plans else data_file(SAMPLE)
    if sample:
        plans = read_manifest(sample / "manifest.csv").plans
    study = out / "study"
    simulated = "SIMULATED calls " if sample else ""
    say(f"Measuring the people in {simulated}{', '.join(plan.videos[0].path.name for plan in plans)}")
    summary = extract(plans, study, Settings(), listener)
    known = _known(sample / "truth", study, summary) if sample else {}
    scores = _scored(sample, study, say) if sample else None
    bond = bond_half(out, study, scores, say, media=() if sample is None else (sample / "media",))
    return Demo(plans, study, summary, known, scores, bond)


def _known(truth: Path, study: Path, summary: Summary) -> dict[str, Agreement]:
    from vsa.simulate.agreement import compare

    return {name: compare(truth / name, study / name) for name in [*summary.before, *summary.done]}


def _scored(sample: Path, study: Path, say: Callable[[str], None]) -> Path:
    """Score what the clients of the simulated calls answered."""
    from vsa.study.answers import read_answers
    from vsa.study.instruments import load
    from vsa.study.scoring import score
    from vsa.study.tables import write_csv

    say(f"Scoring SIMULATED answers to the {INSTRUMENT.upper()}")
    key = load(INSTRUMENT)
    out = study / "bonds.csv"
    write_csv(score(read_answers(sample / "answers.csv", key), key), out)
    return out
