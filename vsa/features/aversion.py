"""Looks away and back: how often, how long; and how often gaze jumps."""

from __future__ import annotations

import numpy as np

from vsa.features import looks
from vsa.features.gaze import need_gaze, readable
from vsa.features.limits import EVENTS_S, FEW, face_of, need_count, need_rate
from vsa.features.memo import once
from vsa.features.person import Face
from vsa.features.registry import TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats, Stretch, stretches

#: A shift moves gaze by more than this. Raised brows and a moving head shift what is measured by up to 7 deg while
#: the person looks on.
SHIFT_DEG = 8.0
#: It takes no longer than this, and gaze stays for `FIXATION_S` before and after.
SHIFT_S, FIXATION_S = 0.2, 0.2
#: Within a fixation gaze varies by no more than this, but for its highest and lowest reading.
STEADY_DEG = 4.0
#: Pictures a second below which fixations are one or two pictures.
SHIFT_RATE_HZ = 15.0

_STEP_S = 0.04

_EVENTS = (
    f"{EVENTS_S:.0f} s in which it can be told where the person looks, "
    f"{looks.NEEDED_RATE_HZ:.0f} new pictures a second"
)


@feature(
    "gaze.aversion_rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=_EVENTS,
    source=f"Gaze aversion as in Kendon 1967; {looks.SHORTEST_S} s at least: convention of this project. Cone as in "
    "gaze.on_screen_share.",
)
def aversion_rate_per_min(session: Session, role: str) -> float:
    """Looks away from the home direction that last 0.3 s or longer, per minute."""
    face = face_of(session, role)
    away = _looks(face, away=True)
    return int((away.begins & (away.duration_s >= looks.SHORTEST_S - 1e-9)).sum()) / (
        looks.seconds(face) / 60
    )


@feature(
    "gaze.aversion_median_s",
    unit="s",
    range=(looks.SHORTEST_S, None),
    needs=("face",),
    minimum=f"{_EVENTS}; {FEW} looks away",
    source="As gaze.aversion_rate_per_min.",
)
def aversion_median_s(session: Session, role: str) -> float:
    """Median length of the looks away that were seen from beginning to end."""
    return _median_s(face_of(session, role), away=True)


@feature(
    "gaze.on_screen_median_s",
    unit="s",
    range=(looks.SHORTEST_S, None),
    needs=("face",),
    minimum=f"{_EVENTS}; {FEW} looks toward the screen",
    source="As gaze.aversion_rate_per_min.",
)
def on_screen_median_s(session: Session, role: str) -> float:
    """Median length of the looks toward the screen that were seen from beginning to end."""
    return _median_s(face_of(session, role), away=False)


@feature(
    "gaze.shift_rate_per_min",
    unit="1/min",
    needs=("face",),
    minimum=f"{EVENTS_S:.0f} s with open eyes that can be read, {SHIFT_RATE_HZ:.0f} new pictures a second",
    source=f"Jumps of more than {SHIFT_DEG:.0f} deg within {SHIFT_S} s, from one fixation of {FIXATION_S} s to "
    "another: convention of this project. Shifts under the cover of a blink are not seen.",
)
def shift_rate_per_min(session: Session, role: str) -> float:
    """Jumps of gaze by more than 8 degrees from one fixation to another, per minute."""
    face = face_of(session, role)
    need_gaze(face, EVENTS_S)
    need_rate(face, SHIFT_RATE_HZ)
    found = [shifts(part) for part in _gaze(face)]
    seconds = sum(watched_s for _, watched_s in found)
    if seconds < EVENTS_S / 2:
        raise TooLittle(
            f"gaze is read without a break for {seconds:.1f} s, and {EVENTS_S / 2:.0f} s are needed"
        )
    return sum(len(times) for times, _ in found) / (seconds / 60)


def shifts(gaze: Stretch) -> tuple[Floats, float]:
    """Jumps of gaze from one fixation to another.

    Parameters
    ----------
    gaze
        Yaw and pitch, deg, shape (n, 2), every `_STEP_S`.

    Returns
    -------
    When they happen, s, shape (k,), and over how much time they could have been seen, s.
    """
    from scipy.signal import find_peaks

    hold, jump = round(FIXATION_S / gaze.step_s) + 1, round(SHIFT_S / gaze.step_s)
    if len(gaze.values) < 2 * hold + jump - 1:
        return np.empty(0), 0.0
    windows = np.lib.stride_tricks.sliding_window_view(gaze.values, hold, axis=0)
    ordered = np.sort(windows, -1)
    centre, spread = np.median(ordered, -1), (ordered[..., -2] - ordered[..., 1]).max(1)
    # the last picture of one fixation and the first of the next are `jump` apart
    apart = hold - 1 + jump
    turn = (centre[apart:] - centre[:-apart]) * [1.0, 1.0]
    turn[:, 0] *= np.cos(np.radians((centre[apart:, 1] + centre[:-apart, 1]) / 2))
    size = np.hypot(*turn.T)
    size[np.maximum(spread[apart:], spread[:-apart]) > STEADY_DEG] = 0.0
    peaks, _ = find_peaks(np.concatenate([[0.0], size, [0.0]]), height=SHIFT_DEG, distance=apart)
    middle_s = (hold - 1 + jump / 2) * gaze.step_s
    return gaze.start_s + (peaks - 1) * gaze.step_s + middle_s, len(size) * gaze.step_s


@once
def _gaze(face: Face) -> list[Stretch]:
    usable: Flags = readable(face)
    return stretches(face.t, face.columns(("gaze_yaw", "gaze_pitch")), usable, step_s=_STEP_S)


def _looks(face: Face, *, away: bool) -> looks.Looks:
    need_gaze(face, EVENTS_S)
    return looks.looks(face, away=away)


def _median_s(face: Face, *, away: bool) -> float:
    found = _looks(face, away=away)
    whole = found.duration_s[found.begins & found.ends]
    which = "away" if away else "toward the screen"
    need_count(len(whole), FEW, f"looks {which} seen from beginning to end")
    return float(np.median(whole))
