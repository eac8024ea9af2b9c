"""Two people who look toward their screens at the same time.

On a call nobody sees the other's eyes meet theirs: what can be said is that both look where they look most. Only time
in which that is known of both counts, and both are taken as one recording shows them: on a call with a delay of a
fraction of a second, each of the two saw it a little differently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsa.features import looks
from vsa.features.episodes import runs
from vsa.features.gaze import need_gaze
from vsa.features.limits import (
    EVENTS_S,
    FEW,
    LEVEL_S,
    SEVERAL,
    enough,
    face_of,
    need_count,
    pair_of,
    partner_of,
)
from vsa.features.memo import once
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Flags

_WHAT = "it can be told of both where they look"
_BOTH = f"s in which {_WHAT}, {looks.NEEDED_RATE_HZ:.0f} new pictures a second"


@dataclass(frozen=True, eq=False)
class _Pair:
    """Where two people look, every `looks.STEP_S`: shape (2, n), in the order of `pair_of`."""

    codes: looks.Codes

    @property
    def known(self) -> Flags:
        return np.asarray((self.codes != looks.UNKNOWN).all(0))

    @property
    def mutual(self) -> Flags:
        return np.asarray((self.codes == looks.TOWARD).all(0))

    @property
    def seconds(self) -> float:
        return float(self.known.sum()) * looks.STEP_S


@feature(
    "gaze.mutual_share",
    scope="dyad",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} {_BOTH}",
    source="Face to face, mutual face gaze took 60 % of the time: Rogers et al. 2018. Cone as in gaze.on_screen_share.",
)
def mutual_share(session: Session, dyad: str) -> float:
    """Share of time in which both look toward their screens."""
    pair = _need(session, LEVEL_S)
    return float(pair.mutual[pair.known].mean())


@feature(
    "gaze.mutual_lift",
    scope="dyad",
    unit="difference",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} {_BOTH}",
    source="Observed minus expected for two who look without regard to each other (Argyle & Ingham 1972).",
)
def mutual_lift(session: Session, dyad: str) -> float:
    """Share of time in which both look toward their screens, less the product of each one's own share of that time."""
    pair = _need(session, LEVEL_S)
    each = (pair.codes[:, pair.known] == looks.TOWARD).mean(1)
    return float(pair.mutual[pair.known].mean() - each.prod())


@feature(
    "gaze.mutual_median_s",
    scope="dyad",
    unit="s",
    range=(looks.SHORTEST_S, None),
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} {_BOTH}; {FEW} times when both look toward their screens",
    source="Face to face, instances of mutual face gaze lasted 2.2 s in the mean: Rogers et al. 2018.",
)
def mutual_median_s(session: Session, dyad: str) -> float:
    """Median length of the times when both look toward their screens, of those seen from beginning to end."""
    pair = _need(session, EVENTS_S)
    whole = [
        (b - a) * looks.STEP_S
        for a, b in _episodes(pair)
        if a > 0 and pair.known[a - 1] and b < len(pair.known) and pair.known[b]
    ]
    need_count(len(whole), FEW, "times when both look toward their screens, seen from beginning to end")
    return float(np.median(whole))


@feature(
    "gaze.mutual_rate_per_min",
    scope="dyad",
    unit="1/min",
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} {_BOTH}",
    source="As gaze.mutual_median_s.",
)
def mutual_rate_per_min(session: Session, dyad: str) -> float:
    """How often a time begins when both look toward their screens, for 0.3 s or longer, per minute."""
    pair = _need(session, EVENTS_S)
    begun = sum(1 for a, _ in _episodes(pair) if a > 0 and pair.known[a - 1])
    return begun / (pair.seconds / 60)


@feature(
    "gaze.looks_away_first_share",
    unit="share",
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} {_BOTH}; {SEVERAL} times when both looked toward their screens, and one of them then away",
    source="Who breaks mutual gaze: Kendon 1967; Argyle & Cook 1976.",
)
def looks_away_first_share(session: Session, role: str) -> float:
    """Share of the times when both look toward their screens that this person ends by looking away."""
    partner_of(session, role)
    pair = _need(session, EVENTS_S)
    ends = np.array([b for _, b in _episodes(pair) if b < len(pair.known) and pair.known[b]], np.int64)
    away = pair.codes[:, ends] == looks.AWAY
    by_one = away.sum(0) == 1
    need_count(int(by_one.sum()), SEVERAL, "times of both looking toward their screens, ended by one of them")
    return float(away[pair_of(session).index(role), by_one].mean())


def _need(session: Session, least_s: float) -> _Pair:
    pair = _together(session)
    enough(pair.seconds, least_s, _WHAT)
    return pair


@once
def _together(session: Session) -> _Pair:
    faces = [face_of(session, scope) for scope in pair_of(session)]
    for face in faces:
        need_gaze(face, LEVEL_S)
    start_s = max(face.t[0] for face in faces)
    end_s = min(face.t[-1] for face in faces)
    grid = np.arange(start_s, end_s + looks.STEP_S / 2, looks.STEP_S)
    return _Pair(np.stack([looks.at(face, grid) for face in faces]))


def _episodes(pair: _Pair) -> list[tuple[int, int]]:
    """Where both look toward their screens, for `looks.SHORTEST_S` or longer."""
    shortest = round(looks.SHORTEST_S / looks.STEP_S)
    return [(a, b) for a, b in runs(pair.mutual) if b - a >= shortest]
