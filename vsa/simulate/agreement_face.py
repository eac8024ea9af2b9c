"""One person's face beside the truth: directions, the screen, and what the face does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from vsa.face.neutral import direction
from vsa.features import blinks, gaze, looks, swings
from vsa.features.episodes import Episodes, runs
from vsa.features.limits import need_rate
from vsa.features.nods import find_nods
from vsa.features.person import Face
from vsa.features.registry import TooLittle
from vsa.features.signals import Flags, Floats
from vsa.features.smiles import need_smiles
from vsa.simulate.pairing import Tables, beside, shown_throughout, spans_of
from vsa.simulate.scores import NEAR_S, Matches, matched, near, near_event, same_event

_GAZE, _HEAD = ("gaze_yaw", "gaze_pitch"), ("head_yaw", "head_pitch", "head_roll")

#: Finds events in a face: start and end, s, (n, 2). `TooLittle` where features give none.
Finder = Callable[[Face], Floats]


class SeenPerson:
    """Somebody of the truth and what extraction measured of the same person.

    Parameters
    ----------
    known, seen
        The truth and the results.
    who, found
        The person's id in each.

    Attributes
    ----------
    face
        What was measured.
    shown
        For each picture of it, whether the truth has one there, with the camera on; shape (n,).
    """

    def __init__(self, known: Tables, seen: Tables, who: str, found: str) -> None:
        self._tables, self._who = known, who
        self._rows = known.rows_of(who)
        self.face = seen.face_of(found)
        self._true = beside(self._rows, self.face.t, (*_GAZE, *_HEAD))
        self.shown: Flags = self._true["shown"].to_numpy(bool)

    @cached_property
    def gaze(self) -> tuple[Floats, Floats]:
        """True and measured yaw and pitch of gaze, deg, (k, 2) each: where lids are up and both are known."""
        true, measured = self._truly(_GAZE), self.face.columns(_GAZE)
        both = self.shown & gaze.readable(self.face) & np.isfinite(true).all(1)
        return true[both], measured[both]

    @cached_property
    def head(self) -> tuple[Floats, Floats]:
        """True and measured yaw, pitch and roll of the head, deg, (k, 3) each: where both are known."""
        true, measured = self._truly(_HEAD), self.face.columns(_HEAD)
        both = self.shown & np.isfinite(true + measured).all(1)
        return true[both], measured[both]

    @cached_property
    def head_turns(self) -> tuple[Floats, Floats]:
        """True and measured yaw of the head during its true turns, deg, (k,) each."""
        during = np.zeros(len(self.shown), np.bool_)
        for start, end in self._events("head_turn"):
            during |= (self.face.t >= start) & (self.face.t <= end)
        true, measured = self._truly(_HEAD[:1])[:, 0], self.face.column(_HEAD[0])
        both = self.shown & during & np.isfinite(true + measured)
        return true[both], measured[both]

    @cached_property
    def on_screen(self) -> tuple[Flags, Flags]:
        """Whether the person truly looks at the screen, and whether features say so, (k,) each: where they say."""
        true, home = self._truly(_GAZE), self._home
        if home is None or not gaze.readable(self.face).any():
            return np.empty(0, np.bool_), np.empty(0, np.bool_)
        try:
            toward, away = gaze.toward(self.face), gaze.away(self.face)
        except TooLittle:
            toward = away = np.zeros(len(self.shown), np.bool_)
        told = self.shown & (toward | away) & np.isfinite(true).all(1)
        return between(true[told], np.array([home])) <= gaze.SCREEN_CONE_DEG, toward[told]

    @property
    def looks_away(self) -> Matches:
        """Looks away from the screen."""
        return self._matches("look_away", _looks_away, same_event)

    @property
    def blinks(self) -> Matches:
        """Blinks."""
        return self._matches("blink", _blinks, near_event)

    @property
    def smiles(self) -> Matches:
        """Smiles."""
        return self._matches("smile", lambda face: _spans(need_smiles(face)), same_event)

    @property
    def nods(self) -> Matches:
        """Nods; several in a row are one."""
        return self._matches("nod", _nods, near_event)

    @property
    def _home(self) -> tuple[float, float] | None:
        """The direction in which the person truly looks most."""
        rows = self._rows[self._rows["tracked"].to_numpy(bool)]
        return self._tables.home_of(self._who) or direction(rows.reindex(columns=list(_GAZE)))

    def _truly(self, columns: tuple[str, ...]) -> Floats:
        return np.asarray(self._true[list(columns)], np.float64)

    def _events(self, kind: str) -> Floats:
        return spans_of(self._tables.events, self._who, kind)

    def _matches(self, kind: str, find: Finder, rule: Callable[[Floats, Floats], Flags]) -> Matches:
        """True and found events; what happens while the camera is off, wholly or in part, is set aside."""
        try:
            found = find(self.face)
        except TooLittle:
            return Matches()
        true = self._events(kind)
        shown = shown_throughout(self._rows, true)
        found = found[~near(true[~shown], found, NEAR_S).any(0)]
        return Matches(int(shown.sum()), len(found), len(matched(true[shown], found, rule)))


def between(one: Floats, other: Floats) -> Floats:
    """Angle between directions, deg, shape (n,); yaw and pitch, deg, shape (n, 2) or (1, 2)."""
    (yaw, pitch), (to_yaw, to_pitch) = np.radians(one).T, np.radians(other).T
    cosine = np.sin(pitch) * np.sin(to_pitch) + np.cos(pitch) * np.cos(to_pitch) * np.cos(yaw - to_yaw)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def centred(true: Floats, measured: Floats) -> Floats:
    """What was measured without its mean difference from the truth, shape (n, k)."""
    return measured - (measured - true).mean(0) if len(true) else measured


def _blinks(face: Face) -> Floats:
    need_rate(face, blinks.NEEDED_RATE_HZ)
    if not face.eyes.any():
        raise TooLittle("the eyes can never be read")
    return _spans(blinks.find_blinks(face))


def _nods(face: Face) -> Floats:
    need_rate(face, swings.NEEDED_RATE_HZ)
    return _spans(find_nods(face))


def _looks_away(face: Face) -> Floats:
    if not gaze.readable(face).any():
        raise TooLittle("gaze can never be read")
    found = [
        (track.start_s + a * looks.STEP_S, track.start_s + b * looks.STEP_S)
        for track in looks.tracks(face)
        for a, b in runs(track.away)
    ]
    return np.array(found, np.float64).reshape(-1, 2)


def _spans(episodes: Episodes) -> Floats:
    return np.column_stack([episodes.start_s, episodes.end_s])
