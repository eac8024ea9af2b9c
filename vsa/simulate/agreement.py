"""How far extraction agrees with what is true of a simulated session.

Truth and results are folders of the same tables. Rows are joined by participant and time, and what counts as a blink,
a smile, a nod, a look away or a look at the screen is what features count (`vsa.features`). Where features would give
nothing (too few pictures a second, faces too small) there is nothing to compare: NaN, and a count of 0.

Gaze, head
    Angles between the true and the measured direction, over the pictures in which both are known. A person's own mean
    difference is taken off: features compare with the person's own habit, and the true head turns from the pose of the
    photograph. `gaze_raw` is without that.
On the screen
    Per picture: whether the true gaze lies within `vsa.features.gaze.SCREEN_CONE_DEG` of the direction in which the
    person truly looks most, and whether that feature says so of what was measured.
Blinks, nods
    A found one matches a true one if they overlap or are at most `NEAR_S` apart; each has one partner at the most.
Smiles, looks away, turns, backchannels
    Match if they share `SAME_SHARE` of the time that they take together.
Speech
    Of the time in which one person speaks alone: to whom it was given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vsa.simulate.agreement_face import SeenPerson, between, centred
from vsa.simulate.agreement_speech import NOBODY, names_of, speech_given, turns_found
from vsa.simulate.pairing import Tables, same_people
from vsa.simulate.scores import NAN, NEAR_S, SAME_SHARE, Errors, Matches, kappa, slope
from vsa.voice.turns import BACKCHANNEL

__all__ = ["NEAR_S", "SAME_SHARE", "Agreement", "agreement", "compare", "markdown_head"]


@dataclass(frozen=True)
class Agreement:
    """Figures over all people of a session; counts say over how much.

    Attributes
    ----------
    people
        Who is there, who was found, and who of these is the same.
    face_share
        Share of the pictures of people with their camera on in which their face was followed.
    gaze, gaze_raw
        Angle, deg, without and with the person's own mean difference.
    on_screen_kappa, on_screen_n
        Cohen's kappa, over so many pictures.
    looks_away, blinks, smiles, nods
        Events.
    head_yaw, head_pitch, head_roll
        Deg, without the person's own mean difference.
    head_turn_gain
        Measured per true degree of yaw, during turns of the head.
    turns, backchannels
        The two kinds of rows of ``turns.parquet``.
    turn_edges_s
        How far beginnings and ends of matched turns are off, s.
    confusion_s
        Who speaks alone to whom it was given (also `nobody`, `several`, `off_camera`, `unknown`, `other`) to time, s.
    """

    people: Matches
    face_share: float
    gaze: Errors
    gaze_raw: Errors
    on_screen_kappa: float
    on_screen_n: int
    looks_away: Matches
    blinks: Matches
    smiles: Matches
    nods: Matches
    head_yaw: Errors
    head_pitch: Errors
    head_roll: Errors
    head_turn_gain: float
    turns: Matches
    backchannels: Matches
    turn_edges_s: Errors
    confusion_s: Mapping[str, Mapping[str, float]]

    @property
    def speech_s(self) -> float:
        """Time in which one person truly speaks alone, s."""
        return sum(sum(row.values()) for row in self.confusion_s.values())

    @property
    def speaker_share(self) -> float:
        """Share of `speech_s` that was given to the one who speaks, and to nobody else."""
        return self._right_s / self.speech_s if self.speech_s else NAN

    @property
    def speaker_of_given_share(self) -> float:
        """The same as a share of what was given to anybody."""
        given = self.speech_s - sum(row.get(NOBODY, 0.0) for row in self.confusion_s.values())
        return self._right_s / given if given > 1e-6 else NAN

    @property
    def _right_s(self) -> float:
        return sum(row.get(who, 0.0) for who, row in self.confusion_s.items())

    def markdown(self, label: str) -> str:
        """A row of the table that `markdown_head` begins."""
        return f"| {label} | " + " | ".join(cell(self) for cell in _COLUMNS.values()) + " |"


def markdown_head(label: str = "") -> str:
    """The two lines above rows of `Agreement.markdown`; `label` stands over the first column."""
    return f"| {label} | {' | '.join(_COLUMNS)} |\n|---|{'---|' * len(_COLUMNS)}"


def compare(truth: Path, got: Path) -> Agreement:
    """Hold a session's results against its truth.

    Parameters
    ----------
    truth
        The session's folder of the truth.
    got
        The session's folder in the results of extraction.

    Raises
    ------
    InputError
        When one of them is not such a folder.
    """
    return agreement(Tables.read(truth, truth=True), Tables.read(got))


def agreement(known: Tables, seen: Tables) -> Agreement:
    """Hold what was measured against the truth; see `compare`."""
    same = same_people(known.record, seen.record)
    people = [SeenPerson(known, seen, who, found) for who, found in same.items()]
    shown = sum(int(one.shown.sum()) for one in people)
    followed = sum(int((one.shown & one.face.tracked).sum()) for one in people)
    heads = [np.abs(centred(*one.head) - one.head[0]) for one in people]
    toward = [one.on_screen for one in people]
    truly, told = (np.concatenate([np.empty(0, np.bool_), *(one[k] for one in toward)]) for k in (0, 1))
    names = names_of(same, seen)
    turns, edges_s = turns_found(known, seen, names)
    return Agreement(
        people=Matches(len(known.record["participants"]), len(seen.record["participants"]), len(same)),
        face_share=followed / shown if shown else NAN,
        gaze=Errors.of([between(one.gaze[0], centred(*one.gaze)) for one in people]),
        gaze_raw=Errors.of([between(*one.gaze) for one in people]),
        on_screen_kappa=kappa(truly, told),
        on_screen_n=len(truly),
        looks_away=Matches.sum(one.looks_away for one in people),
        blinks=Matches.sum(one.blinks for one in people),
        smiles=Matches.sum(one.smiles for one in people),
        nods=Matches.sum(one.nods for one in people),
        head_yaw=Errors.of([head[:, 0] for head in heads]),
        head_pitch=Errors.of([head[:, 1] for head in heads]),
        head_roll=Errors.of([head[:, 2] for head in heads]),
        head_turn_gain=slope([one.head_turns for one in people]),
        turns=turns,
        backchannels=turns_found(known, seen, names, BACKCHANNEL)[0],
        turn_edges_s=edges_s,
        confusion_s=speech_given(known, seen, names),
    )


def _errors(errors: Errors, digits: int = 1, scale: float = 1) -> str:
    if not errors.n:
        return "–"
    return f"{scale * errors.median:.{digits}f} ({scale * errors.p95:.{digits}f})"


def _share(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.2f}"


def _events(events: Matches) -> str:
    """Recall and precision, with how many are true."""
    if not events.true + events.found:
        return "–"
    return f"{_share(events.recall)} / {_share(events.precision)} ({events.true})"


_COLUMNS: Mapping[str, Callable[[Agreement], str]] = {
    "face followed": lambda of: _share(of.face_share),
    "gaze, deg": lambda of: _errors(of.gaze),
    "gaze, raw": lambda of: _errors(of.gaze_raw),
    "on screen, kappa": lambda of: _share(of.on_screen_kappa),
    "looks away, R / P (n)": lambda of: _events(of.looks_away),
    "blinks, R / P (n)": lambda of: _events(of.blinks),
    "smiles, F1 (n)": lambda of: (
        "–" if math.isnan(of.smiles.f1) else f"{of.smiles.f1:.2f} ({of.smiles.true})"
    ),
    "head yaw, deg": lambda of: _errors(of.head_yaw),
    "pitch": lambda of: _errors(of.head_pitch),
    "roll": lambda of: _errors(of.head_roll),
    "turns of the head, gain": lambda of: _share(of.head_turn_gain),
    "nods, R / P (n)": lambda of: _events(of.nods),
    "turns of talk, R / P (n)": lambda of: _events(of.turns),
    "backchannels, R / P (n)": lambda of: _events(of.backchannels),
    "edges of turns, ms": lambda of: _errors(of.turn_edges_s, 0, 1000),
    "speaker right": lambda of: _share(of.speaker_share),
}
