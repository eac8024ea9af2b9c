"""A simulated cohort on disk: its table or its sessions, the answers of its clients, and apart from them the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

import vsa
from vsa.run.new_folder import new_folder
from vsa.simulate.cohort import CohortDesign, SimulatedCohort, draw
from vsa.study.folder import MANIFEST, README
from vsa.study.results import write_json
from vsa.study.tables import write_csv

if TYPE_CHECKING:
    import pandas as pd

Level = Literal["features", "signals"]
COHORT, ANSWERS, ATTACHMENT, TRUTH = "cohort.csv", "answers.csv", "attachment.csv", "truth.csv"
DESIGN = "design.json"
#: In the manifest's column `video`.
NO_VIDEO = "simulated, no recording"


def write_cohort(
    out: Path,
    design: CohortDesign,
    level: Level,
    seed: int,
    *,
    seconds: float = 180.0,
    fps: float = 12.5,
    progress: Callable[[int, int], None] = lambda done, of: None,
    jobs: int = 1,
) -> SimulatedCohort:
    """Draw a cohort into a folder.

    Parameters
    ----------
    out
        A new or empty folder.
    design, seed
        What to draw; the same seed gives the same files.
    level
        ``features``: a table of features; ``signals``: a folder a session as `vsa extract` writes it, from whose
        signals vsa computes the features itself.
    seconds, fps
        Length of sessions and pictures a second, at the level of signals.
    jobs
        Processes at that level; -1: one a core.
    progress
        Is told how many of how many sessions are written.

    Raises
    ------
    InputError
        When the design can't be drawn, or something is in the folder.
    SessionError
        Stage ``write``, when it can't be written.
    """
    drawn = draw(design, seed)
    with new_folder(out) as part:
        if level == "features":
            write_csv(drawn.table, part / COHORT)
        else:
            _write_sessions(part, drawn, design, seed, seconds, fps, progress, jobs)
        write_csv(drawn.answers, part / ANSWERS)
        write_csv(drawn.attachment_answers, part / ATTACHMENT)
        write_csv(drawn.truth, part / TRUTH)
        text = _README.format(
            what=_TABLE if level == "features" else _SESSIONS,
            instrument=design.instrument,
            seed=seed,
            effects=_effects(design, level),
        )
        (part / README).write_text(text, "utf-8")
        lasting = {"seconds": seconds, "fps": fps} if level == "signals" else {}
        write_json(
            part / DESIGN,
            {
                "simulated": True,
                "vsa": vsa.__version__,
                "level": level,
                "seed": seed,
                **lasting,
                "design": _plain(design),
            },
        )
    return drawn


def _write_sessions(
    part: Path,
    drawn: SimulatedCohort,
    design: CohortDesign,
    seed: int,
    seconds: float,
    fps: float,
    progress: Callable[[int, int], None],
    jobs: int,
) -> None:
    from vsa.run.cohort_simulation import write_sessions
    from vsa.simulate.cohort_behaviour import EFFECTS

    known = known_of(drawn)
    write_sessions(
        part,
        with_latent_bond(known, drawn),
        seconds=seconds,
        fps=fps,
        seed=seed,
        progress=progress,
        effects=EFFECTS if _planted(design) else {},
        jobs=jobs,
    )
    listed = known.assign(simulated="true")
    listed.insert(1, "video", NO_VIDEO)
    listed.insert(2, "consent", "yes")
    write_csv(listed, part / MANIFEST)


def known_of(drawn: SimulatedCohort) -> pd.DataFrame:
    """What may be known of the sessions: ids and covariates, without features and bonds."""
    known = drawn.table[[name for name in drawn.table if str(name).count(".") < 2]]
    return known.drop(columns=["bond", "rater", "simulated"])


def with_latent_bond(known: pd.DataFrame, drawn: SimulatedCohort) -> pd.DataFrame:
    """The same with the bond that signals are drawn from."""
    return known.assign(bond_z=drawn.truth["latent_bond"].to_numpy(np.float64))


def _planted(design: CohortDesign) -> list[tuple[str, float, str]]:
    kinds = (
        ("the bond", design.effects),
        ("how far it is from the client's level", design.within),
        ("the client's level", design.between),
    )
    return [(name, r, kind) for kind, effects in kinds for name, r in effects.items() if r]


def _plain(design: CohortDesign) -> dict[str, Any]:
    told = {one.name: getattr(design, one.name) for one in fields(design)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in told.items()}


def _effects(design: CohortDesign, level: Level) -> str:
    if not (effects := _planted(design)):
        return "None: nothing here goes with the bond."
    if level == "signals":
        return "Behaviour goes with the bond as `vsa.simulate.cohort_behaviour.EFFECTS` says."
    planted = "\n".join(f"| `{name}` | {r:+.2f} | {kind} |" for name, r, kind in effects)
    return f"| feature | latent correlation | with |\n| --- | --- | --- |\n{planted}"


_TABLE = "- `cohort.csv`: one row a session: features, covariates, the bond as reported. For `vsa train`, `vsa flag`."
_SESSIONS = (
    "- A folder a session, as `vsa extract` writes it, and `features.parquet`: signals were drawn, vsa computed the\n"
    "  features from them. For `vsa.open_results`, `vsa sync`, and `vsa train` with the scores of `answers.csv`.\n"
    "- `manifest.csv`: the sessions with their covariates. There are no recordings to extract from."
)
_README = """\
# A SIMULATED cohort

Everything in this folder is simulated. Nobody in it is a client or a therapist, and a model trained on it says nothing
about people. Sizes of effects lie where studies find them; which signals carry one, and their signs, are made up.

{what}
- `answers.csv`: what clients answered to the {instrument} after each session, for `vsa score`.
- `attachment.csv`: their answers to the Relationship Questionnaire, once each (`vsa score --instrument rq`).
- `truth.csv`: the latent bond of each session and its parts. Nothing may learn from it: compare with it afterwards.
- `design.json`: all that was asked for.

Seed {seed}. What was planted:

{effects}
"""
