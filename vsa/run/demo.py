"""The main job from end to end: recordings to signals, features, scores, a model and a review list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vsa import assets
from vsa.data import data_file
from vsa.errors import InputError
from vsa.run.batch import Listener, Summary, extract
from vsa.run.session import Settings
from vsa.study.manifest import read_manifest
from vsa.study.plan import SessionPlan, from_media

if TYPE_CHECKING:
    import pandas as pd

    from vsa.bond.model import ModelInfo
    from vsa.simulate.agreement import Agreement

#: Ships with vsa: a study of simulated calls, the answers of their people, and what is true of them.
SAMPLE = "sample_media"
INSTRUMENT = "wai-sr"
_SEED = 7
#: The simulated cohort: the last clients are not trained on but flagged.
_CLIENTS, _SESSIONS, _HELD_OUT = 160, 4, 10
#: Few, so that the demo stays short; 'vsa train' takes 200.
_PERMUTATIONS = 39


@dataclass(frozen=True)
class Bond:
    """What the bond half made, all of it simulated.

    Attributes
    ----------
    cohort, model, flags
        Files.
    evaluation
        Folder of the model's evaluation, its card and pictures.
    info
        The model's.
    listed
        The review list.
    verdicts
        Sessions on the review list by verdict.
    """

    cohort: Path
    model: Path
    evaluation: Path
    flags: Path
    info: ModelInfo
    listed: pd.DataFrame
    verdicts: dict[str, int]


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
        The other half.
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
    return Demo(plans, study, summary, known, scores, _bond(out, say))


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


def _bond(out: Path, say: Callable[[str], None]) -> Bond:
    """Train on a simulated cohort, and flag sessions of clients that the model has not seen."""
    from vsa.bond import store
    from vsa.bond.evaluation.evaluate import Settings
    from vsa.bond.flags import flag
    from vsa.bond.training import train
    from vsa.run.evaluation_files import write_evaluation
    from vsa.simulate.cohort import simulate_cohort
    from vsa.study.tables import write_csv

    say(f"Training a bond model on a SIMULATED cohort of {_CLIENTS} clients, drawn from assumed effects")
    table = simulate_cohort(_CLIENTS, _SESSIONS, seed=_SEED)
    new = table["client_id"].isin(table["client_id"].unique()[-_HELD_OUT:])
    cohort, model, flags = (
        out / name for name in ("simulated_cohort.csv", "simulated_model.skops", "simulated_flags.csv")
    )
    write_csv(table, cohort)
    known = table[~new].reset_index(drop=True)
    known.attrs["source"] = cohort.name
    trained = train(known, settings=Settings(seed=_SEED, permutations=_PERMUTATIONS, repeats=1))
    store.save(trained.model, model)
    evaluation = write_evaluation(trained, model)
    found = flag(trained.model, table[new].reset_index(drop=True))
    write_csv(found.table, flags)
    return Bond(cohort, model, evaluation, flags, trained.info, found.table, found.counts)
