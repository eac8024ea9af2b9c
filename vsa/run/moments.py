"""Moments of a session in which a feature is low or high: what a reviewer is shown beside a reason.

The session is cut into stretches of a minute, and the feature is computed in each, against the same usual (neutral
face, home direction) as in the whole session. Where a minute holds too little, stretches are 2 or 5 min long. Those
farthest from the middle one are moments, if they lie farther from it than half of all do; beside them stretches are
looked at that begin half a stretch earlier and later, so that a moment need not begin on the minute.

They show where to look. They are no test: in any session some stretch is the lowest. Convention of this project.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vsa.errors import InputError
from vsa.features.core import CORE
from vsa.features.registry import DYAD, Feature, TooLittle, find, is_full_name
from vsa.features.session import Session
from vsa.features.time_course import THIRDS
from vsa.run.session_features import session_of
from vsa.run.stretches import Course, Stretches, farthest
from vsa.study.results import Results

Direction = Literal["low", "high"]

_ENOUGH = 0.5  # of the stretches hold enough of the feature: no longer ones are tried
_NEARLY = 0.75  # of the best share is as good
_TRIED = 2  # for each moment, so many stretches are compared with those half a stretch away
#: Slopes of features outside the core set, and what it is that changes.
_SLOPES = {
    "turns.latency_slope_s_per_10min": "turns.latency_median_s",
    "head.distance_slope_percent_per_10min": "head.distance_cm",
}


@dataclass(frozen=True)
class Moment:
    """A stretch of a session in which a feature is low or high.

    Attributes
    ----------
    start_s, end_s
        On the session's time, s.
    value
        The feature in that stretch, in its unit.
    """

    start_s: float
    end_s: float
    value: float


@dataclass(frozen=True)
class _Asked:
    """What is looked for: a feature of somebody, within a third or rising and falling from the first to the last."""

    entry: Feature
    scope: str
    third: int | None = None
    slope: bool = False


class SessionMoments:
    """Moments of one session; the files are read, and stretches cut, once for all features.

    Parameters
    ----------
    session
        Its folder in a results folder, or the session itself.

    Raises
    ------
    InputError
        When the folder is no finished session, or is damaged.
    """

    def __init__(self, session: Path | Session) -> None:
        self._session = session if isinstance(session, Session) else _opened(session)
        self._stretches = Stretches(self._session)
        self._courses: dict[tuple[str, str], Course] = {}

    def find(self, feature: str, direction: Direction, *, most: int = 2) -> tuple[Moment, ...]:
        """Look for the moments that show a feature to be low or high.

        Parameters
        ----------
        feature
            Full name. Of a feature of a third, moments lie in that third, and are of the core feature that it is made
            of. Of a slope there is one of the first third and one of the last: to show that smiles become fewer, many
            early and few late.
        direction
            Which side of the session's own middle.
        most
            So many at most.

        Returns
        -------
        In order of time; they don't overlap. Values are of `followed`. () if nothing stands out: `why` says why.
        """
        asked = self._asked(feature)
        if isinstance(asked, str):
            return ()
        course = self._course(asked.entry, asked.scope)
        if asked.slope:
            early: Direction = "low" if direction == "high" else "high"
            first, last = (self._extremes(asked, course, d, 1, k) for d, k in ((early, 0), (direction, 2)))
            found = [*last, *first][:most]
        else:
            found = self._extremes(asked, course, direction, most, asked.third)
        return tuple(sorted(found, key=lambda moment: moment.start_s))

    def why(self, feature: str, direction: Direction) -> str:
        """Why there is no moment, for people; empty if there is one."""
        asked = self._asked(feature)
        if isinstance(asked, str):
            return asked
        if self.find(feature, direction):
            return ""
        course = self._course(asked.entry, asked.scope)
        if len(course.values) < 2:
            how_many = "only one" if course.values else "no"
            return f"{how_many} stretch of {course.length_s:.0f} s holds enough of it"
        return f"no stretch of {course.length_s:.0f} s stands out as {direction}"

    def _asked(self, full_name: str) -> _Asked | str:
        """What to look for, or why it can't be."""
        scope, _, name = full_name.partition(".")
        try:
            entry = find(name) if is_full_name(full_name) else None
        except InputError:
            entry = None
        if entry is None:
            return "it is not measured in the recording"
        if entry.group == "sync":
            return "synchrony is told from the whole session, not from a moment"
        if (scope == DYAD) != (entry.scope == "dyad"):
            return f"it is not measured of {'a pair' if scope == DYAD else 'one person'}"
        if scope != DYAD and scope not in self._session.scopes:
            return f"there is no {scope} in this session"
        if not self._stretches.lengths_s:
            return f"the session lasts {self._stretches.whole_s:.0f} s and is too short to be cut"
        core, third, slope = _made_of(entry.name)
        return _Asked(find(core), scope, third, slope)

    def _course(self, entry: Feature, scope: str) -> Course:
        """The feature over the session, in the shortest stretches of which enough hold enough of it."""
        key = entry.name, scope
        if key not in self._courses:
            tried: list[Course] = []
            for length_s in self._stretches.lengths_s:
                starts = self._stretches.starts_s(length_s).tolist()
                values = {start: self._value(entry, scope, start, length_s) for start in starts}
                tried.append(Course.of(length_s, values))
                if tried[-1].share >= _ENOUGH:
                    break
            best = max(course.share for course in tried)
            usable = [course for course in tried if course.share >= min(_ENOUGH, _NEARLY * best)]
            self._courses[key] = usable[0] if best > 0 else tried[-1]
        return self._courses[key]

    def _value(self, entry: Feature, scope: str, start_s: float, length_s: float) -> float:
        """The feature in a stretch; NaN where that holds too little."""
        try:
            part = self._stretches.part(start_s, length_s, faces_only=entry.needs == ("face",))
            value = float(entry.compute(part, scope))
        except TooLittle:
            return math.nan
        return value if math.isfinite(value) else math.nan

    def _extremes(
        self, asked: _Asked, course: Course, direction: Direction, most: int, third: int | None
    ) -> list[Moment]:
        """Stretches farthest out, at most so many, that don't overlap."""
        length_s, sign = course.length_s, 1.0 if direction == "high" else -1.0
        values = {s: v for s, v in course.values.items() if third in (None, self._third(s, length_s))}
        for start_s in farthest(values, length_s, sign)[: _TRIED * most]:
            for moved in (start_s - length_s / 2, start_s + length_s / 2):
                other = self._stretches.inside(moved, length_s)
                if other in course.values or third not in (None, self._third(other, length_s)):
                    continue
                value = self._value(asked.entry, asked.scope, other, length_s)
                values |= {other: value} if math.isfinite(value) else {}
        chosen: list[float] = []
        for start_s in farthest(values, length_s, sign):
            apart = all(abs(start_s - other) >= length_s - 1e-6 for other in chosen)
            if apart and len(chosen) < most and course.stands_out(values[start_s], sign):
                chosen.append(start_s)
        return [Moment(start_s, start_s + length_s, values[start_s]) for start_s in chosen]

    def _third(self, start_s: float, length_s: float) -> int:
        """In which third of the session most of a stretch lies."""
        return self._stretches.third(start_s + length_s / 2)


def moments(folder: Path, feature: str, direction: Direction, *, most: int = 2) -> tuple[Moment, ...]:
    """Look for the moments of one feature of a session; `SessionMoments.find` says how.

    Parameters
    ----------
    folder
        The session's, in a results folder.

    Raises
    ------
    InputError
        When it is no finished session, or is damaged.
    """
    return SessionMoments(folder).find(feature, direction, most=most)


def followed(full_name: str) -> str:
    """The feature whose values moments have: another one for those of thirds and for slopes.

    Examples
    --------
    >>> followed("client.face.smile_share_slope_per_10min"), followed("client.face.smile_share")
    ('client.face.smile_share', 'client.face.smile_share')
    """
    scope, _, name = full_name.partition(".")
    return f"{scope}.{_made_of(name)[0]}" if is_full_name(full_name) else full_name


def _made_of(name: str) -> tuple[str, int | None, bool]:
    """The feature that can be followed over a session; the third that is meant, and whether it is a slope."""
    if name in _SLOPES:
        return _SLOPES[name], None, True
    group, _, short = name.partition(".")
    third, _, rest = short.partition("_")
    if third in THIRDS and f"{group}.{rest}" in CORE:
        return f"{group}.{rest}", THIRDS.index(third), False
    core = name.removesuffix("_slope_per_10min")
    return (core, None, True) if core != name and core in CORE else (name, None, False)


def _opened(folder: Path) -> Session:
    where = folder.resolve()
    described = None if folder.is_symlink() else Results(where.parent).finished(where.name)
    if described is None:
        raise InputError(f"{folder} is no finished session.", "Give the folder of one, DIR/<session_id>.")
    try:
        return session_of(where, described)
    except (OSError, ValueError, KeyError):
        raise InputError(
            f"Session {where.name} is damaged, or an earlier vsa made it.",
            "Extract it again with 'vsa extract'.",
        ) from None
