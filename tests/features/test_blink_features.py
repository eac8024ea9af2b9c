"""Blinks at known times: how often, how long, how evenly, and when; and eyes that stay shut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from acted import lids, lose, plateau, session, table, times, voices

from vsa.features.registry import TooLittle, find

NAMES = (
    "rate_per_min",
    "rate_listening_per_min",
    "rate_speaking_per_min",
    "duration_median_s",
    "interval_cv",
    "closed_share",
)


def blinking(t, at, participant="p1", openness=1.0):
    eyes = lids(t, at) * openness
    return table(t, participant, eye_open_left=eyes, eye_open_right=0.95 * eyes)


def blink(name, frame_or_session, scope="p1"):
    s = frame_or_session if hasattr(frame_or_session, "scopes") else session(frame_or_session)
    return find(f"blink.{name}").compute(s, scope)


def lacking(name, frame_or_session, scope="p1"):
    with pytest.raises(TooLittle) as reason:
        blink(name, frame_or_session, scope)
    return str(reason.value)


@pytest.mark.parametrize("fps", [24, 25, 30, 50])
def test_length_of_a_blink_at_any_frame_rate(fps):
    # frames fall at all places of a blink; half closed to half open again is 35 + 50 + 65 ms
    at = np.arange(2.0, 118, 2.713)
    assert blink("duration_median_s", blinking(times(120, fps), at)) == pytest.approx(0.15, abs=0.012)


def test_even_blinks_random_blinks_and_bursts():
    t, rng = times(1200, 25), np.random.default_rng(3)
    even = 2 + np.arange(280) * 4.0
    random = 2 + np.cumsum(np.maximum(rng.exponential(4, 280), 0.6))
    bursts = 2 + np.cumsum(np.where(np.arange(280) % 4 == 0, 12.0, 0.8))
    assert blink("interval_cv", blinking(t, even)) == pytest.approx(0, abs=0.02)
    for at in (random[random < 1190], bursts[bursts < 1190]):
        gaps = np.diff(at)
        assert blink("interval_cv", blinking(t, at)) == pytest.approx(
            gaps.std(ddof=1) / gaps.mean(), rel=0.03
        )


def test_a_camera_that_was_off_is_no_long_interval():
    t = times(240, 25)
    off = (t > 60) & (t < 180)
    frame = lose(blinking(t, np.arange(2.0, 238, 4.0)), off)
    assert blink("interval_cv", frame) == pytest.approx(0, abs=0.03)
    assert blink("rate_per_min", frame) == pytest.approx(15, rel=0.05)


def test_rates_in_listening_and_in_speech():
    t = times(160, 25)
    starts = np.arange(0.0, 160, 8.0)
    heard = voices(160, {"p1": [(a, a + 4) for a in starts], "p2": [(a + 4, a + 8) for a in starts]})
    at = np.sort(
        np.concatenate([starts + 1, starts + 2.5, starts + 6])
    )  # two in each own turn, one in the other's
    s = session(blinking(t, at), blinking(t, [80.0], "p2"), heard=heard)
    assert blink("rate_speaking_per_min", s) == pytest.approx(30, rel=0.02)
    assert blink("rate_listening_per_min", s) == pytest.approx(15, rel=0.02)
    assert blink("rate_per_min", s) == pytest.approx(22.5, rel=0.01)
    # half of the face gone, and half of the time not known
    half = session(lose(blinking(t, at), t >= 80), blinking(t, [80.0], "p2"), heard=heard)
    assert blink("rate_speaking_per_min", half) == pytest.approx(30, rel=0.03)
    quarter = session(lose(blinking(t, at), t >= 40), blinking(t, [80.0], "p2"), heard=heard)
    assert (
        lacking("rate_listening_per_min", quarter)
        == "eyes can be read in listening for 20.0 s, and 30 s are needed"
    )


def test_eyes_that_stay_shut():
    t = times(120, 25)
    asleep = 1 - plateau(t, 30, 36) - plateau(t, 70, 76)
    frame = blinking(t, [5.0, 10.0, 50.0, 100.0], openness=asleep)
    # shut from 80 % of the way down: 12 s, and 20 % of four ramps of 150 ms
    assert blink("closed_share", frame) == pytest.approx(12.12 / 120, abs=0.002)
    assert blink("closed_share", blinking(t, np.arange(2, 118, 2.0))) == 0
    squint = 1 - 0.6 * plateau(t, 30, 60)
    assert blink("closed_share", blinking(t, [5.0], openness=squint)) == 0
    assert blink("closed_share", lose(frame, t >= 60)) == pytest.approx(6.06 / 60, abs=0.003)
    assert lacking("closed_share", blinking(t, [], openness=0.1)) == "the eyes are never seen open"


def test_the_same_blinks_later_and_at_another_lid_opening():
    t, at = times(120, 25), np.cumsum(np.random.default_rng(8).uniform(1, 6, 30))
    reference = blinking(t, at)
    later = reference.assign(t=t + 1234.567)
    narrow = reference.assign(eye_open_left=0.6 * lids(t, at), eye_open_right=0.6 * lids(t, at))
    for name in ("rate_per_min", "duration_median_s", "interval_cv", "closed_share"):
        for frame in (later, narrow):
            assert blink(name, frame) == pytest.approx(blink(name, reference), rel=0.01, abs=1e-9), name


def test_what_lacks():
    t = times(60, 25)
    starts = np.arange(0.0, 60, 4.0)
    heard = voices(60, {"p1": [(a, a + 2) for a in starts], "p2": [(a + 2, a + 4) for a in starts]})
    never = session(lose(table(t), t >= 0), table(t, "p2"), heard=heard)
    for name in NAMES:
        assert lacking(name, never) == "the face was never tracked", name
    short = session(blinking(times(20, 25), [3.0, 6.0, 9.0]), heard=None)
    for name in ("rate_per_min", "duration_median_s", "interval_cv"):
        assert lacking(name, short) == "the eyes can be read for 20.0 s, and 30 s are needed", name
    assert blink("closed_share", short) == 0
    few = blinking(t, [3.0, 6.0])
    assert blink("rate_per_min", few) == 2
    assert lacking("duration_median_s", few) == "blinks: 2, and 3 are needed"
    assert (
        lacking("interval_cv", few) == "intervals between blinks with the eyes in view: 1, and 8 are needed"
    )
    for name in ("rate_listening_per_min", "rate_speaking_per_min"):
        assert lacking(name, few) == "there is no sound"
    unheard = session(
        blinking(t, [3.0]), blinking(t, [3.0], "p2"), heard=voices(60, {"p1": [], "p2": [(0, 59)]})
    )
    assert (
        lacking("rate_speaking_per_min", unheard)
        == "eyes can be read in speech for 0.0 s, and 30 s are needed"
    )
    slow = blinking(times(60, 20), np.arange(2.0, 58, 3.0))
    assert lacking("duration_median_s", slow) == "20.0 new pictures a second, and 24 are needed"
    assert blink("rate_per_min", slow) == pytest.approx(19, abs=1)


def test_blinks_of_a_real_talker(face_table):
    # ten blinks in 8 s; each takes two to five pictures from half closed to half open
    frame = face_table("talking_woman_512.mp4")
    talk = pd.concat([frame.assign(t=frame["t"] + 8.0 * k) for k in range(4)], ignore_index=True)
    assert blink("rate_per_min", talk) == pytest.approx(75, rel=0.03)
    assert 0.08 <= blink("duration_median_s", talk) <= 0.2
    assert blink("closed_share", talk) == 0
