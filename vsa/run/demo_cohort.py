"""The demo's other half: a simulated cohort, a model that learns from it, new sessions beside the calls, the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from vsa.bond.model import ModelInfo
    from vsa.run.reporting.build import Report

INSTRUMENT = "wai-sr"
_SEED = 7
#: The simulated cohort: the last clients are not trained on; their sessions are listed beside the calls.
_CLIENTS, _NEW, _SESSIONS = 54, 4, 3
#: Of simulated sessions, s: long enough for most features, short enough for a demo; and of those that are listed, long
#: enough for synchrony and a sheet. One in so many of the training is as long: a model judges no length that is new.
_SECONDS, _LONG_S, _ONE_IN, _FPS = 180.0, 360.0, 15, 12.5
#: Behaviour goes with the bond so many times more than studies find: a cohort this small would show nothing else.
_STRONGER = 2.5
#: Few, so that the demo stays short; 'vsa train' takes 200.
_PERMUTATIONS = 39
#: So many of the listed sessions can be reviewed.
_BUDGET = 0.2


@dataclass(frozen=True)
class Bond:
    """What the bond half made; sessions and answers of it are simulated.

    Attributes
    ----------
    cohort, model, flags
        Files: features and bonds that the model learned from, the model, the review list.
    bonds
        Scores of all sessions of the study for which there are answers.
    evaluation
        Folder of the model's evaluation, its card and pictures.
    info
        The model's.
    listed
        The review list.
    verdicts
        Sessions on the review list by verdict.
    new
        How many of them are simulated sessions of clients whom the model has not seen.
    report
        Pages of the study.
    """

    cohort: Path
    model: Path
    flags: Path
    bonds: Path
    evaluation: Path
    info: ModelInfo
    listed: pd.DataFrame
    verdicts: dict[str, int]
    new: int
    report: Report


def bond_half(
    out: Path, study: Path, scores: Path | None, say: Callable[[str], None], *, media: Sequence[Path]
) -> Bond:
    """Train on a simulated cohort, put sessions of clients whom the model has not seen beside the calls, and report.

    Parameters
    ----------
    out
        Folder of the demo.
    study
        Results folder of the calls; simulated sessions are added.
    scores
        What the people of the calls reported; None where nobody was asked.
    say
        Is told each step in one line.
    media
        Folders of the recordings, for the report to play them.
    """
    from vsa.bond import store
    from vsa.bond.evaluation.evaluate import Settings
    from vsa.bond.flags import flag
    from vsa.bond.training import train
    from vsa.run.cohort_files import known_of, with_latent_bond
    from vsa.run.evaluation_files import write_evaluation
    from vsa.run.flag_moments import with_moments
    from vsa.run.reporting.build import build
    from vsa.run.reporting.request import Request
    from vsa.simulate.cohort import CohortDesign, draw
    from vsa.study.tables import read_table, write_csv

    drawn = draw(CohortDesign(clients=_CLIENTS, sessions=(_SESSIONS, _SESSIONS)), _SEED)
    sessions = with_latent_bond(known_of(drawn), drawn)
    new = sessions["client_id"].isin(sessions["client_id"].unique()[-_NEW:])
    count = len(sessions)
    say(
        f"Drawing a SIMULATED cohort: signals of {count} sessions, and what vsa computes from them (a minute or two)"
    )
    cohort, model, flags, bonds = (
        out / name
        for name in ("simulated_cohort.csv", "simulated_model.skops", "simulated_flags.csv", "bonds.csv")
    )
    with TemporaryDirectory(dir=out) as folder:
        train_on = sessions[~new].reset_index(drop=True)
        long = train_on.index % _ONE_IN == 0
        _drawn(Path(folder) / "cohort", train_on[~long], _SECONDS)
        table = _drawn(Path(folder) / "cohort", train_on[long], _LONG_S)
    known = table.merge(_scored(drawn.answers), on="session_id", suffixes=(None, "_"))
    write_csv(known, cohort)
    known.attrs["source"] = cohort.name
    _drawn(study, sessions[new], _LONG_S)
    say("Training a bond model on it")
    trained = train(known, settings=Settings(seed=_SEED, permutations=_PERMUTATIONS, repeats=1))
    store.save(trained.model, model)
    evaluation = write_evaluation(trained, model)
    _all_scores(bonds, scores, drawn.answers[drawn.answers["session_id"].isin(sessions["session_id"][new])])
    found = flag(trained.model, read_table(study), _BUDGET)
    listed, _ = with_moments(found.table, study)
    write_csv(listed, flags, for_people=True)
    say("Writing the report")
    report = build(
        Request(
            study,
            out / "report",
            model,
            budget=_BUDGET,
            bonds=bonds,
            link_media=bool(media),
            media=tuple(media),
        )
    )
    return Bond(
        cohort, model, flags, bonds, evaluation, trained.info, listed, found.counts, int(new.sum()), report
    )


def _drawn(out: Path, sessions: pd.DataFrame, seconds: float) -> pd.DataFrame:
    """Draw sessions into a folder, on all cores; the features of all that are in it."""
    from vsa.run.cohort_simulation import write_sessions
    from vsa.simulate.cohort_behaviour import EFFECTS
    from vsa.study.tables import read_table

    effects = {name: _STRONGER * effect for name, effect in EFFECTS.items()}
    write_sessions(out, sessions, seconds=seconds, fps=_FPS, seed=_SEED, effects=effects, jobs=-1)
    return read_table(out)


def _scored(answers: pd.DataFrame) -> pd.DataFrame:
    """Scores of simulated answers."""
    from vsa.study.answers import answers_of
    from vsa.study.instruments import load
    from vsa.study.scoring import score

    key = load(INSTRUMENT)
    return score(answers_of(answers, key), key)


def _all_scores(path: Path, calls: Path | None, answers: pd.DataFrame) -> None:
    """Write the scores of the calls and of the simulated sessions into one table."""
    import pandas as pd

    from vsa.study.tables import read_table, write_csv

    parts = [_scored(answers)] if calls is None else [read_table(calls), _scored(answers)]
    write_csv(pd.concat(parts, ignore_index=True), path)
