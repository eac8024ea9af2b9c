"""The face in motion: how fast and how far expression changes, how often it rests, how even its sides are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsa.features.episodes import runs
from vsa.features.limits import LEVEL_S, enough, face_of, need_frontal, need_seconds
from vsa.features.memo import once
from vsa.features.occasions import listens, speaks
from vsa.features.own_neutral import LOWER, MOVING, UPPER, above_neutral, names_of, need_scores, upright
from vsa.features.person import Face
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats, stretches

#: Change is taken over this time, so that it does not depend on the frame rate.
LAG_S = 0.2
#: Root mean square distance from the own neutral below which a face rests: on real clips resting faces stay below 0.05,
#: a raised brow, an open mouth or a smile lie above 0.08.
NEAR = 0.06
#: A face is flat while it rests for this long at least.
FLAT_S = 2.0
#: Scores of the left and the right side that are compared, where their mean is this far above neutral.
PAIRED = (
    *("browDown", "browOuterUp", "mouthSmile", "mouthPress", "mouthStretch"),
    *("mouthUpperUp", "mouthLowerDown", "mouthDimple", "mouthFrown"),
)
ACTIVE = 0.1
#: A face turned farther than this looks uneven whatever it does.
STRAIGHT_YAW_DEG = 15.0
#: Sides are compared over this much movement at least, s.
ACTIVE_S = 5.0

_STEP_S = 0.1
_SOURCE = "As face.expressivity_per_s"


@dataclass(frozen=True, eq=False)
class Motion:
    """How fast expression changes.

    Attributes
    ----------
    t
        Times, s, every 0.1 s where the face is in view without a break, shape (m,).
    whole, upper, lower
        Root mean square change of the scores of brows, jaw and mouth, of brows, of jaw and mouth, 1/s, shape (m,).
    """

    t: Floats
    whole: Floats
    upper: Floats
    lower: Floats


@once
def motion(face: Face) -> Motion:
    """How fast expression changes; `TooLittle` if the face is never in view without a break."""
    names = names_of(face, MOVING)
    parts = stretches(face.t, face.columns(names), face.frontal, step_s=_STEP_S, shortest_s=2 * LAG_S)
    if not parts:
        raise TooLittle("the face is never in view without a break")
    lag = round(LAG_S / _STEP_S)
    t = np.concatenate([(p.t[lag:] + p.t[:-lag]) / 2 for p in parts])
    squares = [_squared_change(p.values, lag) for p in parts]
    del parts  # forty series of a long session are large

    def speed(starts: tuple[str, ...]) -> Floats:
        chosen = [k for k, name in enumerate(names) if name.startswith(starts)]
        if not chosen:
            return np.full(len(t), np.nan)
        return np.concatenate([np.sqrt(own[:, chosen].mean(1)) for own in squares])

    return Motion(t, speed(MOVING), speed(UPPER), speed(LOWER))


def _squared_change(values: Floats, lag: int) -> Floats:
    """Of each series, shape (n - lag, k), 1/s2."""
    change = values[lag:] - values[:-lag]
    change /= LAG_S
    return np.square(change, out=change)


@feature(
    "face.expressivity_per_s",
    unit="1/s",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front",
    source="Speed of facial movement as in OpenWillis' facial expressivity, on expression scores; the lag of 0.2 s is "
    "a convention of this project.",
)
def expressivity_per_s(session: Session, role: str) -> float:
    """Mean speed of brows, jaw and mouth: root mean square change of their expression scores (0-1) a second."""
    return float(_motion_of(session, role).whole.mean())


@feature(
    "face.upper_expressivity_per_s",
    unit="1/s",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front",
    source=f"{_SOURCE}; upper face as in OpenWillis, without the eyes.",
)
def upper_expressivity_per_s(session: Session, role: str) -> float:
    """Mean speed of the brows: root mean square change of their expression scores (0-1) a second."""
    return float(_motion_of(session, role).upper.mean())


@feature(
    "face.lower_expressivity_per_s",
    unit="1/s",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front",
    source=f"{_SOURCE}; lower face as in OpenWillis. Speech is the largest part of it.",
)
def lower_expressivity_per_s(session: Session, role: str) -> float:
    """Mean speed of jaw and mouth: root mean square change of their expression scores (0-1) a second."""
    return float(_motion_of(session, role).lower.mean())


@feature(
    "face.expressivity_listening_per_s",
    unit="1/s",
    needs=("face", "turns"),
    minimum=f"{LEVEL_S:.0f} s of the face from the front while listening",
    source=f"{_SOURCE}; apart from speech as in OpenWillis, by voice instead of lips.",
)
def expressivity_listening_per_s(session: Session, role: str) -> float:
    """Mean speed of brows, jaw and mouth while somebody else speaks and this person doesn't."""
    found = _motion_of(session, role)
    return _mean_while(
        found, listens(session, role, found.t), "the face is in view while this person listens"
    )


@feature(
    "face.expressivity_speaking_per_s",
    unit="1/s",
    needs=("face", "voice"),
    minimum=f"{LEVEL_S:.0f} s of the face from the front while speaking",
    source=f"{_SOURCE}; during speech as in OpenWillis, by voice instead of lips.",
)
def expressivity_speaking_per_s(session: Session, role: str) -> float:
    """Mean speed of brows, jaw and mouth while this person speaks."""
    found = _motion_of(session, role)
    return _mean_while(found, speaks(session, role, found.t), "the face is in view while this person speaks")


@feature(
    "face.range_score",
    unit="score",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front",
    source="Spread of facial activity over a session: convention of this project.",
)
def range_score(session: Session, role: str) -> float:
    """Spread of expression: root mean square over brows, jaw and mouth of the standard deviation of their scores."""
    face = face_of(session, role)
    need_frontal(face, LEVEL_S)
    scores = face.columns(names_of(face, MOVING))[face.frontal]
    weights = face.weights_s[face.frontal] / face.weights_s[face.frontal].sum()
    return float(np.sqrt((weights @ (scores - weights @ scores) ** 2).mean()))


@feature(
    "face.flat_share",
    unit="share",
    needs=("face",),
    minimum=f"{LEVEL_S:.0f} s of the face from the front, the head at its usual pitch",
    source=f"Root mean square of scores within {NEAR} of own neutral for {FLAT_S:.0f} s: convention of this project, "
    "set on real clips. Still faces listen, too: no sign of anything by itself.",
)
def flat_share(session: Session, role: str) -> float:
    """Share of time in which brows, jaw and mouth stay near the person's own neutral for 2 s or longer."""
    rests = _rests_of(session, role)
    enough(len(rests.t) * _STEP_S, LEVEL_S, "the face is in view from the front at its usual pitch")
    return float(rests.flat.mean())


@feature(
    "face.flat_listening_share",
    unit="share",
    needs=("face", "turns"),
    minimum=f"{LEVEL_S:.0f} s of the face from the front while listening, the head at its usual pitch",
    source="As face.flat_share.",
)
def flat_listening_share(session: Session, role: str) -> float:
    """Share of the time in which this person listens to somebody in which the face stays near its neutral."""
    rests = _rests_of(session, role)
    when = listens(session, role, rests.t)
    enough(when.sum() * _STEP_S, LEVEL_S, "the face is in view at its usual pitch while this person listens")
    return float(rests.flat[when].mean())


@feature(
    "face.asymmetry_score",
    unit="score",
    needs=("face",),
    minimum=f"{ACTIVE_S:.0f} s of movement with the face within {STRAIGHT_YAW_DEG:.0f} deg of the camera",
    source="Mean difference of paired scores above own neutral, while the face is active and straight: convention of "
    "this project.",
)
def asymmetry_score(session: Session, role: str) -> float:
    """Mean difference between left and right in movements of brows and mouth, each side against its own neutral."""
    face = face_of(session, role)
    sides = [[f"{name}{side}" for name in PAIRED] for side in ("Left", "Right")]
    need_scores(face, [*sides[0], *sides[1]])
    left, right = (above_neutral(face, names) for names in sides)
    straight = upright(face) & (np.abs(face.column("head_yaw")) <= STRAIGHT_YAW_DEG)
    active: Flags = straight[:, None] & ((left + right) / 2 >= ACTIVE)
    need_seconds(face, np.asarray(active.any(1)), ACTIVE_S, "the face moves")
    times_s = np.where(active, face.weights_s[:, None], 0.0)
    return float(np.nansum(times_s * np.abs(left - right)) / times_s.sum())


@dataclass(frozen=True, eq=False)
class _Rests:
    """Every 0.1 s where it can be told whether the face rests, and whether it does for `FLAT_S` or longer."""

    t: Floats
    flat: Flags


@once
def _rests(face: Face) -> _Rests:
    above = above_neutral(face, names_of(face, MOVING))
    apart = np.sqrt(np.square(above, out=above).mean(1))
    parts = stretches(face.t, apart, upright(face), step_s=_STEP_S, shortest_s=FLAT_S)
    if not parts:
        return _Rests(np.empty(0), np.empty(0, np.bool_))
    flags = []
    for part in parts:
        flat = np.zeros(len(part.values), np.bool_)
        for first, end in runs(part.values < NEAR):
            flat[first:end] = (end - first) * _STEP_S >= FLAT_S
        flags.append(flat)
    return _Rests(np.concatenate([part.t for part in parts]), np.concatenate(flags))


def _rests_of(session: Session, role: str) -> _Rests:
    face = face_of(session, role)
    need_frontal(face, LEVEL_S)
    return _rests(face)


def _motion_of(session: Session, role: str) -> Motion:
    face = face_of(session, role)
    need_frontal(face, LEVEL_S)
    return motion(face)


def _mean_while(found: Motion, when: Flags, what: str) -> float:
    enough(when.sum() * _STEP_S, LEVEL_S, what)
    return float(found.whole[when].mean())
