"""How far from the screen a person sits, leaning in and back, and changes of posture.

Distance is that of a head of average size from a camera with a vertical field of view of 63 degrees (``head_z``): its
changes can be trusted, the centimetres are nominal. So leaning is measured in percent of the person's own usual
distance, the median over the whole session. On a real man, turns and nods by 15 degrees change the distance by up to
5 %, a jaw that drops by 3 %, leaning in by 22 %: `LEAN_SHARE` lies between.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from vsa.features.episodes import above
from vsa.features.limits import EVENTS_S, LEVEL_S, SEVERAL, enough, face_of, need_count, need_frontal
from vsa.features.memo import once
from vsa.features.person import Face
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats, Stretch, quantile, stretches

#: A person leans who is nearer, or farther, than usual by more than this share of the usual distance.
LEAN_SHARE = 0.1
#: Posture has changed when the head rests this far from where it rested before.
SHIFT_CM = 5.0
#: Where it rests is its median place over this time; between the two lies a second in which it moves.
REST_S, MOVE_S = 2.0, 1.0
#: The slope of the distance goes through the medians of such windows, each with the face in view for `LEVEL_S`.
WINDOW_S = 30.0

_STEP_S = 0.1
_PLACE = ("head_x", "head_y", "head_z")
_MINIMUM = f"{LEVEL_S:.0f} s of the face from the front"
_NOMINAL = "head of average size, vertical field of view of 63 deg: MediaPipe Face Geometry"


@feature(
    "head.distance_cm",
    unit="cm",
    needs=("face",),
    minimum=_MINIMUM,
    source=f"Median; {_NOMINAL}. Compare it within a person, and not between cameras.",
)
def distance_cm(session: Session, role: str) -> float:
    """Usual distance of the head from the camera, nominal: good for changes, not for absolute distances."""
    return _median_cm(_front(session, role))


@feature(
    "head.lean_in_share",
    unit="share",
    needs=("face",),
    minimum=_MINIMUM,
    source=f"Nearer than the own median distance by more than {LEAN_SHARE:.0%}; convention of this project. Leaning "
    "forward in talk: Mehrabian 1969.",
)
def lean_in_share(session: Session, role: str) -> float:
    """Share of the time in which this person is nearer to the camera than usual: leans in."""
    face = _front(session, role)
    near = face.column("head_z") < (1 - LEAN_SHARE) * _median_cm(face.own)
    return face.seconds(_placed(face) & near) / face.seconds(_placed(face))


@feature(
    "head.lean_back_share",
    unit="share",
    needs=("face",),
    minimum=_MINIMUM,
    source=f"Farther than the own median distance by more than {LEAN_SHARE:.0%}; convention of this project.",
)
def lean_back_share(session: Session, role: str) -> float:
    """Share of the time in which this person is farther from the camera than usual: leans back."""
    face = _front(session, role)
    far = face.column("head_z") > (1 + LEAN_SHARE) * _median_cm(face.own)
    return face.seconds(_placed(face) & far) / face.seconds(_placed(face))


@feature(
    "head.distance_spread_ratio",
    unit="ratio",
    needs=("face",),
    minimum=_MINIMUM,
    source="Half the width of the middle 68 % of the time, divided by the own median; convention of this project.",
)
def distance_spread_ratio(session: Session, role: str) -> float:
    """Spread of the distance from the camera, divided by this person's usual distance."""
    face = _front(session, role)
    seen = _placed(face)
    low, high = (quantile(face.column("head_z")[seen], face.weights_s[seen], q) for q in (0.1587, 0.8413))
    return (high - low) / 2 / _median_cm(face.own)


@feature(
    "head.distance_slope_percent_per_10min",
    unit="percent/10 min",
    needs=("face",),
    minimum=f"{SEVERAL} half minutes with {LEVEL_S:.0f} s of the face from the front each",
    source="Theil 1950; Sen 1968: median slope between the medians of half minutes, in percent of the own median "
    "distance. Convention of this project.",
)
def distance_slope_percent_per_10min(session: Session, role: str) -> float:
    """How the distance from the camera changes over the session; below 0 this person comes nearer."""
    from scipy.stats import theilslopes

    face = _front(session, role)
    t, distances_cm = _windows(face)
    need_count(len(t), SEVERAL, "half minutes with the face in view")
    slope = float(theilslopes(distances_cm, t)[0])
    return 100 * 600 * slope / _median_cm(face.own)


@feature(
    "head.posture_shift_rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} s of the face in view, in stretches of 5 s at least",
    source=f"Median place over {REST_S:.0f} s, {SHIFT_CM:.0f} cm or more from the one before, {MOVE_S:.0f} s between; "
    "postural shifts: Scheflen 1964. Size and times are conventions of this project.",
)
def posture_shift_rate_per_min(session: Session, role: str) -> float:
    """Changes of posture per minute: the head comes to rest in another place than before."""
    face = face_of(session, role)
    shortest_s = 2 * REST_S + MOVE_S
    parts = stretches(face.t, face.columns(_PLACE), face.tracked, step_s=_STEP_S, shortest_s=shortest_s)
    seconds = sum(part.duration_s for part in parts)
    enough(seconds, EVENTS_S, f"the face is in view without a break ({shortest_s:.0f} s at least)")
    return sum(_shifts(part) for part in parts) / (seconds / 60)


def _front(session: Session, role: str) -> Face:
    """The person's face, if there is enough of it from the front."""
    face = face_of(session, role)
    need_frontal(face, LEVEL_S)
    if not _median_cm(face.own) > 0:
        raise TooLittle("the head's distance was not measured")
    return face


def _placed(face: Face) -> Flags:
    """Where the distance can be read: a face that is turned far shows less of its size."""
    return np.asarray(face.frontal & np.isfinite(face.column("head_z")))


@once
def _median_cm(face: Face) -> float:
    seen = _placed(face)
    return quantile(face.column("head_z")[seen], face.weights_s[seen], 0.5)


def _windows(face: Face) -> tuple[Floats, Floats]:
    """Middle, s, and median distance, cm, of the windows with enough of the face."""
    seen = _placed(face)
    if not seen.any():
        return np.empty(0), np.empty(0)
    t, z, weights = face.t[seen], face.column("head_z")[seen], face.weights_s[seen]
    window = np.floor((t - face.t[0]) / WINDOW_S + 1e-6).astype(np.int64)
    edges = np.flatnonzero(np.diff(window, prepend=-1, append=window[-1] + 1))
    kept = [slice(a, b) for a, b in pairwise(edges) if weights[a:b].sum() >= LEVEL_S]
    middles = np.array([t[part].mean() for part in kept])
    return middles, np.array([quantile(z[part], weights[part], 0.5) for part in kept])


def _shifts(part: Stretch) -> int:
    """How often the head comes to rest in another place."""
    rest, move = round(REST_S / _STEP_S), round(MOVE_S / _STEP_S)
    windows = np.lib.stride_tricks.sliding_window_view(part.values, rest, axis=0)
    places = np.median(windows, axis=-1)
    moved = np.linalg.norm(places[rest + move :] - places[: -rest - move], axis=1)
    return len(
        above(Stretch(part.start_s, _STEP_S, moved), SHIFT_CM, SHIFT_CM / 2, shortest_s=0.0, bridge_s=0.0)
    )
