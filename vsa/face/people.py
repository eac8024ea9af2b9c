"""Whose tracklets are whose: from faces that were followed for a while to the people of a session.

Two tracklets that are seen at the same time are two people. Otherwise the cost of joining them rests on

- position, while the layout stays as it is: where one ended and the other began, in widths of the face;
- appearance (colours and shading, see `vsa.face.appearance`), when the layout changed, when two faces met, and beside
  position always: a clear look at another person forbids what position suggests;
- the seat: a camera that was off comes back in the same rectangle, which counts in favour.

Within a rectangle tracklets are joined in order of time; a new layout's faces are matched to the people known so far
all at once; last, the cheapest pairs are joined until none is cheap. What is left over in a rectangle that only one
person ever had is that person's too, unless the looks contradict (a camera that comes back under another light).

Who is a participant: see `vsa.face.liveness`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from vsa.face import appearance
from vsa.face.layout import SAME
from vsa.face.tracks import Track

Doubles = npt.NDArray[np.float64]

#: Joins cost 0 (certain) to more; dearer ones than this are not made.
DEAREST = 0.6
#: Looks that differ more than this are two people's, wherever they are seen.
_OTHERS = 0.95
#: Clear faces whose shading differs more than this are two people's, see `vsa.face.appearance.shape_distance`.
_OTHER_SHAPE = 0.52
#: What the same rectangle is worth after the layout changed.
_SAME_SEAT = 0.15
#: A face found again after a blink of the tracker, no other near it, needs no second thought: s and face widths.
_AT_ONCE_S, _AT_ONCE_WIDTHS = 0.6, 0.3
#: Tracklets of fewer pictures are noise.
_SHORTEST = 3
_NEVER = 1e6
#: Clarity from which an appearance can be trusted.
_CLEAR = 0.5


Cost = Callable[["Person", "Person"], tuple[float, str]]


@dataclass(eq=False)
class Person:
    """Tracklets of one person.

    Attributes
    ----------
    tracks
        In order of time.
    by
        What joined them: ``position``, ``appearance``, ``seat``; empty if there is one tracklet.
    confidence
        0-1: how clear the least certain join was, 1 if none was needed.
    """

    tracks: list[Track]
    by: set[str] = field(default_factory=set)
    confidence: float = 1.0

    @property
    def frames(self) -> int:
        """Pictures in which the person was seen."""
        return sum(track.frames for track in self.tracks)

    @property
    def tile(self) -> tuple[int, int, int, int]:
        """The rectangle in which the person was seen longest, x, y, w, h, px."""
        seen: dict[tuple[int, int, int, int], int] = {}
        for track in self.tracks:
            seen[track.tile.box] = seen.get(track.tile.box, 0) + track.frames
        return max(seen, key=lambda box: seen[box])

    def moments(self) -> npt.NDArray[np.float32]:
        """All of the tracks' `moments`, in order of time."""
        rows = np.array([row for track in self.tracks for row in track.moments])
        return rows[np.argsort(rows[:, 0], kind="stable")]


def group(tracks: Sequence[Track]) -> list[Person]:
    """Join the tracklets of a session into people, in reading order of their tiles."""
    cameras: dict[tuple[int, tuple[int, int, int, int]], list[Track]] = {}
    for track in sorted(tracks, key=lambda t: (t.first_frame, t.number)):
        if track.frames >= _SHORTEST:
            cameras.setdefault((track.epoch, track.tile.box), []).append(track)
    epochs: dict[int, list[Person]] = {}
    for (epoch, _), seen in cameras.items():
        epochs.setdefault(epoch, []).extend(_in_one_camera(seen))
    people: list[Person] = []
    for epoch in sorted(epochs):
        people = _matched(people, epochs[epoch])
    people = _joined(_joined(people, _cost), _seat_cost)
    return reading_order(people)


def reading_order(people: Sequence[Person]) -> list[Person]:
    """Left to right, then top to bottom: rows are tiles whose middles lie within half a tile's height."""
    left = sorted(people, key=lambda p: p.tile[1] + p.tile[3] / 2)
    ordered: list[Person] = []
    while left:
        top = min(p.tile[1] + p.tile[3] / 2 for p in left)
        height = min(p.tile[3] for p in left if p.tile[1] + p.tile[3] / 2 == top)
        row = [p for p in left if p.tile[1] + p.tile[3] / 2 - top < height / 2]
        ordered += sorted(row, key=_where)
        left = [p for p in left if p not in row]
    return ordered


def _where(person: Person) -> tuple[float, float]:
    """Left edge of the tile, then of the face within it: two people may share a camera."""
    return person.tile[0], float(np.median(person.moments()[:, 1]))


def _in_one_camera(tracks: Sequence[Track]) -> list[Person]:
    """People of one rectangle while the layout stays: each tracklet goes to the cheapest one before it."""
    people: list[Person] = []
    for track in tracks:
        continued = [p for p in people if _at_once(p.tracks[-1], track, tracks)]
        if len(continued) == 1:
            _join(continued[0], Person([track]), 0.0, "position")
            continue
        new = Person([track])
        prices = [(*_priced(p, new, _cost), k) for k, p in enumerate(people)]
        price, by, k = min(prices, default=(np.inf, "", 0))
        if price < DEAREST:
            _join(people[k], new, price, by)
        else:
            people.append(new)
    return people


def _matched(known: list[Person], new: list[Person]) -> list[Person]:
    """Recognize the people of a new layout among those known so far, all at once (Hungarian method)."""
    if not known or not new:
        return [*known, *new]
    from scipy.optimize import linear_sum_assignment  # half a second that most calls don't need

    offers = [[_priced(k, n, _cost) for n in new] for k in known]
    prices = np.array([[min(price, _NEVER) for price, _ in row] for row in offers])
    found = {j: i for i, j in zip(*linear_sum_assignment(prices), strict=True) if prices[i, j] < DEAREST}
    for j, i in found.items():
        _join(known[i], new[j], *offers[i][j])
    return [*known, *(person for j, person in enumerate(new) if j not in found)]


def _join(person: Person, other: Person, price: float, by: str) -> None:
    person.tracks = sorted([*person.tracks, *other.tracks], key=lambda t: t.first_frame)
    person.by |= other.by | {by}
    person.confidence = min(person.confidence, other.confidence, round(1 - price / DEAREST, 3))


def _at_once(before: Track, after: Track, tracks: Sequence[Track]) -> bool:
    if before.epoch != after.epoch or before.tile.box != after.tile.box:
        return False
    if not 0 < after.first_t - before.last_t <= _AT_ONCE_S:
        return False
    if _widths_apart(before.last_box, after.first_box) > _AT_ONCE_WIDTHS:
        return False
    near = (t for t in tracks if t not in (before, after) and t.tile.box == before.tile.box)
    return not any(
        t.first_t < after.first_t + _AT_ONCE_S and t.last_t > before.last_t - _AT_ONCE_S for t in near
    )


def _widths_apart(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    dx, dy = a[0] + a[2] / 2 - b[0] - b[2] / 2, a[1] + a[3] / 2 - b[1] - b[3] / 2
    return float(np.hypot(dx, dy)) / max(1.0, (a[2] + b[2]) / 2)


def _cost(a: Person, b: Person) -> tuple[float, str]:
    """Cost of joining two people who are never seen together, and what it rests on."""
    best = (np.inf, "")
    for one, other in _neighbours(a, b):
        looks, sure = _looks(one, other)
        if looks > _OTHERS and sure >= _CLEAR:
            return np.inf, ""
        if one.epoch == other.epoch and one.tile.box == other.tile.box:
            first, last = (one, other) if one.first_t < other.first_t else (other, one)
            apart = min(1.0, _widths_apart(first.last_box, last.first_box) / 3)
            trust = 0.7 * min(1.0, sure / _CLEAR)
            cost = (trust * looks + (1 - trust) * apart, "position")
        elif one.tile.overlap(other.tile) > SAME:
            cost = (max(0.0, looks - _SAME_SEAT), "appearance")
        else:
            cost = (looks, "appearance")
        best = min(best, cost)
    return best


def _seat_cost(a: Person, b: Person) -> tuple[float, str]:
    """For what is left: one rectangle that had one person at a time, and no clear look that says otherwise.

    There the light may have changed from dark to bright and from warm to cold, so that the shape of a clear face counts
    too.
    """
    if not all(one.tile.overlap(other.tile) > SAME for one in a.tracks for other in b.tracks):
        return np.inf, ""
    apart = min((_apart(one, other) for one, other in _neighbours(a, b)), default=np.inf)
    return (apart * DEAREST, "seat") if apart < 1 else (np.inf, "")


def _apart(one: Track, other: Track) -> float:
    """Difference of two faces in one seat; from 1 on they are two people's."""
    looks, sure = _looks(one, other)
    apart = looks / _OTHERS
    if sure >= _CLEAR and one.appearance is not None and other.appearance is not None:
        apart = min(apart, appearance.shape_distance(one.appearance, other.appearance) / _OTHER_SHAPE)
    return apart


def _neighbours(a: Person, b: Person) -> list[tuple[Track, Track]]:
    """Pairs worth comparing: each one's clearest tracklets, and those that follow each other in time."""
    clear_a = sorted(a.tracks, key=lambda t: -t.clarity * min(t.frames, 50))[:3]
    clear_b = sorted(b.tracks, key=lambda t: -t.clarity * min(t.frames, 50))[:3]
    pairs = {(one, other) for one in clear_a for other in clear_b}
    merged = sorted([(t, 0) for t in a.tracks] + [(t, 1) for t in b.tracks], key=lambda x: x[0].first_frame)
    for (one, whose), (other, whose_next) in itertools.pairwise(merged):
        if whose != whose_next:
            pairs.add((one, other) if whose == 0 else (other, one))
    return sorted(pairs, key=lambda pair: (pair[0].number, pair[1].number))


def _looks(a: Track, b: Track) -> tuple[float, float]:
    """Difference in appearance, and how far it can be trusted (0-1)."""
    one, other = a.appearance, b.appearance
    if one is None or other is None:
        return DEAREST, 0.0
    return appearance.distance(one, other), min(a.clarity, b.clarity)


def _together(a: Person, b: Person) -> bool:
    return any(
        one.first_frame <= other.last_frame and other.first_frame <= one.last_frame
        for one in a.tracks
        for other in b.tracks
    )


def _joined(people: Sequence[Person], cost: Cost) -> list[Person]:
    """Join the cheapest pair until none is cheap enough."""
    people = list(people)
    while len(people) > 1:
        offers = [
            (*_priced(a, b, cost), i, j)
            for i, a in enumerate(people)
            for j, b in enumerate(people[i + 1 :], i + 1)
        ]
        price, by, i, j = min(offers)
        if price >= DEAREST:
            break
        _join(people[i], people.pop(j), price, by)
    return people


def _priced(a: Person, b: Person, cost: Cost) -> tuple[float, str]:
    return (np.inf, "") if _together(a, b) else cost(a, b)
