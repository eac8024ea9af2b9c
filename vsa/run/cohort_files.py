"""A simulated cohort on disk: its table or its sessions, the answers of its clients, and apart from them the truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from vsa.run.new_folder import new_folder
from vsa.simulate.cohort import CohortDesign, SimulatedCohort, draw
from vsa.study.folder import README
from vsa.study.tables import write_csv

Level = Literal["features", "signals"]
COHORT, ANSWERS, ATTACHMENT, TRUTH = "cohort.csv", "answers.csv", "attachment.csv", "truth.csv"


def write_cohort(
    out: Path,
    design: CohortDesign,
    level: Level,
    seed: int,
    *,
    seconds: float = 180.0,
    fps: float = 12.5,
    progress: Callable[[int, int], None] = lambda done, of: None,
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
            _write_sessions(part, drawn, design, seed, seconds, fps, progress)
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
    return drawn


def _write_sessions(
    part: Path,
    drawn: SimulatedCohort,
    design: CohortDesign,
    seed: int,
    seconds: float,
    fps: float,
    progress: Callable[[int, int], None],
) -> None:
    from vsa.run.cohort_simulation import write_sessions
    from vsa.simulate.cohort_behaviour import EFFECTS

    known = drawn.table[[name for name in drawn.table if str(name).count(".") < 2]]
    known = known.drop(columns=["bond", "rater", "simulated"])
    latent = drawn.truth["latent_bond"].to_numpy(np.float64)
    write_sessions(
        part,
        known.assign(bond_z=latent),
        seconds=seconds,
        fps=fps,
        seed=seed,
        progress=progress,
        effects=EFFECTS if design.effects else {},
    )


def _effects(design: CohortDesign, level: Level) -> str:
    if not design.effects:
        return "None: nothing here goes with the bond."
    if level == "signals":
        return "Behaviour goes with the bond as `vsa.simulate.cohort_behaviour.EFFECTS` says."
    planted = "\n".join(f"| `{name}` | {r:+.2f} |" for name, r in design.effects.items())
    return f"| feature | correlation with the latent bond |\n| --- | --- |\n{planted}"


_TABLE = "- `cohort.csv`: one row a session: features, covariates, the bond as reported. For `vsa train`, `vsa flag`."
_SESSIONS = (
    "- A folder a session, as `vsa extract` writes it, and `features.parquet`: signals were drawn, vsa computed the\n"
    "  features from them. For `vsa.open_results`, `vsa sync`, and `vsa train` with the scores of `answers.csv`."
)
_README = """\
# A SIMULATED cohort

Everything in this folder is simulated. Nobody in it is a client or a therapist, and a model trained on it says nothing
about people. Sizes of effects lie where studies find them; which signals carry one, and their signs, are made up.

{what}
- `answers.csv`: what clients answered to the {instrument} after each session, for `vsa score`.
- `attachment.csv`: their answers to the Relationship Questionnaire, once each (`vsa score --instrument rq`).
- `truth.csv`: the latent bond of each session and its parts. Nothing may learn from it: compare with it afterwards.

Seed {seed}. What was planted:

{effects}
"""
