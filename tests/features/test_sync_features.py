"""Synchrony of a pair in the row: known lags and leaders, chance that stays chance, and what is said without data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from acted import lose, session, table, times, voices

from vsa.features.chance import WITHIN_CHANCE
from vsa.features.coupled import SIGNALS
from vsa.features.registry import TooLittle, find
from vsa.features.session import Session

SECONDS, FPS, LAG_S = 600.0, 10.0, 0.6
FACES = ("motion", "head", "smile")


def course(seed: int, over_s: float = 1.0, rate_hz: float = FPS) -> np.ndarray:
    """What somebody does: noise, averaged over a while, with a standard deviation of 1."""
    k = round(over_s * rate_hz)
    y = np.convolve(
        np.random.default_rng(seed).standard_normal(round(SECONDS * rate_hz) + k), np.ones(k), "valid"
    )
    return (y / y.std())[: round(SECONDS * rate_hz)]


def person(who: str, y: np.ndarray):
    smile = np.clip(0.4 + 0.1 * y, 0, 1)
    turned = np.cumsum(np.abs(y + 3)) % 30  # speed goes with y
    turned = np.abs(turned - 15)
    return table(
        times(SECONDS, FPS),
        who,
        motion=10 + 3 * y,
        head_yaw=turned,
        mouthSmileLeft=smile,
        mouthSmileRight=smile,
    )


def pair(first: np.ndarray, second: np.ndarray, **more) -> Session:
    return session(person("p1", first), person("p2", second), roles=["client", "therapist"], **more)


def following(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """One course, and the same later by `LAG_S` with as much of its own."""
    leads = course(seed)
    return leads, np.roll(leads, round(LAG_S * FPS)) + 0.7 * course(seed + 100)


def value(s: Session, name: str) -> float:
    return find(f"sync.{name}").compute(s, "dyad")


@pytest.mark.parametrize("signal", ["motion", "smile"])
def test_who_follows_whom_by_how_much(signal):
    leads, follows = following()
    s = pair(leads, follows)
    assert value(s, f"{signal}_surrogate_z") > 5
    assert value(s, f"{signal}_p") == pytest.approx(1 / 101)
    assert value(s, f"{signal}_peak_z") > 5
    assert value(s, f"{signal}_peak_lag_s") == pytest.approx(LAG_S, abs=0.1)
    assert value(s, f"{signal}_lead_index") > 0.1
    back = pair(follows, leads)
    assert value(back, f"{signal}_peak_lag_s") == pytest.approx(-LAG_S, abs=0.1)
    assert value(back, f"{signal}_lead_index") < -0.1


def test_heads_that_turn_faster_and_slower_together():
    rng = np.random.default_rng(4)
    speed = 10 + 4 * course(1, 2.0)
    later = np.roll(speed, round(LAG_S * FPS)) + rng.normal(0, 1, len(speed))
    frames = [
        person(who, course(k)).assign(head_yaw=np.cumsum(np.abs(v)) / FPS)
        for k, (who, v) in enumerate((("p1", speed), ("p2", later)))
    ]
    s = session(*frames, roles=["client", "therapist"])
    assert value(s, "head_surrogate_z") > 5
    assert value(s, "head_peak_lag_s") == pytest.approx(LAG_S, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("signal", FACES)
def test_people_who_have_nothing_to_do_with_each_other_have_no_lag_and_no_leader(signal):
    p = []
    for seed in range(12):
        s = pair(course(seed), course(seed + 50))
        p.append(value(s, f"{signal}_p"))
        if value(s, f"{signal}_peak_z") < 1:
            for what in ("peak_lag_s", "lead_index"):
                with pytest.raises(TooLittle, match="within chance"):
                    value(s, f"{signal}_{what}")
    assert 0.15 < np.mean(p) < 0.85
    assert sum(x <= WITHIN_CHANCE for x in p) <= 3


def talk(first_st, second_st, what: str):
    """Two who take turns of 2 s, whose pitch or loudness goes with the given courses (at 100 Hz)."""
    turns = {
        who: [(a, a + 1.9) for a in np.arange(start, SECONDS - 4, 4.0)]
        for who, start in (("p1", 1.0), ("p2", 3.0))
    }
    courses = {"p1": first_st, "p2": second_st}
    given = {
        "f0": {"f0_hz": {who: lambda t, y=y: 150 * 2 ** (y / 12) for who, y in courses.items()}},
        "intensity": {"intensity_db": {who: lambda t, y=y: 2 * y for who, y in courses.items()}},
    }
    return voices(SECONDS, turns, **given[what])


@pytest.mark.parametrize("signal", ["f0", "intensity"])
def test_voices_that_rise_and_fall_together_do_so_beyond_chance(signal):
    slow, other = (course(k, 25.0, 100.0) for k in (3, 9))
    together = pair(course(1), course(2), heard=talk(slow, slow + 0.2 * other, signal))
    apart = pair(course(1), course(2), heard=talk(slow, other, signal))
    assert value(together, f"{signal}_surrogate_z") > 3
    assert value(together, f"{signal}_p") < 0.05
    assert value(apart, f"{signal}_surrogate_z") < 2
    assert value(together, f"{signal}_peak_lag_s") == pytest.approx(0, abs=1.0)


@pytest.mark.parametrize("signal", SIGNALS)
def test_without_data_there_is_a_reason(signal):
    leads, follows = following()
    short = session(
        person("p1", leads).iloc[:200], person("p2", follows).iloc[:200], roles=["client", "therapist"]
    )
    alone = session(person("p1", leads))
    gone = session(person("p1", leads), lose(person("p2", follows), np.ones(len(leads), bool)))
    for s, why in (
        (short, "too short" if signal in FACES else "there is no sound"),
        (alone, "it takes two people, and there is 1"),
        (gone, "the face was never tracked" if signal in FACES else "there is no sound"),
    ):
        for what in ("surrogate_z", "p", "peak_z", "peak_lag_s", "lead_index"):
            with pytest.raises(TooLittle, match=why):
                value(s, f"{signal}_{what}")
    with pytest.raises(TooLittle, match="vsa sync DIR"):
        value(pair(leads, follows), f"{signal}_cohort_z")


def test_the_average_of_a_voice_is_about_its_time():
    said = {"p1": [(0.0, 100.0)], "p2": [(0.0, 100.0)]}
    up = voices(
        100.0,
        said,
        f0_hz=lambda t: np.where(t < 50, 100.0, 200.0),
        intensity_db=lambda t: np.where(t < 50, 0, 6),
    )
    s = session(table(times(100, FPS)), table(times(100, FPS), "p2"), heard=up)
    for name, rise in (("f0", 12.0), ("intensity", 6.0)):
        y = SIGNALS[name][1](s, "p1")
        assert y[600] - y[400] == pytest.approx(rise, abs=0.1)
        assert (y[499] + y[500]) / 2 == pytest.approx((y[400] + y[600]) / 2, abs=0.2)
        assert y[440] == pytest.approx(y[400], abs=0.1)  # 6 s before, nothing of it
        assert y[475] - y[400] == pytest.approx(rise / 4, abs=0.2)  # 2.5 s before, a quarter


def test_who_says_nothing_has_no_pitch_to_follow():
    silent = pair(course(1), course(2), heard=voices(SECONDS, {"p1": [(1.0, 500.0)], "p2": []}))
    with pytest.raises(TooLittle, match="too little of therapist to follow pitch"):
        value(silent, "f0_p")


def test_half_of_the_pictures_gone_leaves_the_lag():
    leads, follows = following()
    t = times(SECONDS, FPS)
    kept = session(
        lose(person("p1", leads), t % 100 >= 60), person("p2", follows), roles=["client", "therapist"]
    )
    assert value(kept, "motion_peak_lag_s") == pytest.approx(LAG_S, abs=0.1)
    lost = session(
        lose(person("p1", leads), t % 20 >= 4), person("p2", follows), roles=["client", "therapist"]
    )
    with pytest.raises(TooLittle):
        value(lost, "motion_p")
    assert math.isfinite(value(kept, "motion_p"))
