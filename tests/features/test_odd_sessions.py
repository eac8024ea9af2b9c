"""Sessions that nobody planned for get a row of values and reasons, and never a defect that loses the session."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from acted import lose, session, table, times, voices

from vsa.features.registry import compute

NUMBERS = list(table(np.zeros(1)).columns[3:])


def odd_face(rng: np.random.Generator, who: str, seconds: float) -> pd.DataFrame:
    """Any frame rate, uneven times, columns that are constant, absent, missing or noise, a face that comes and goes."""
    fps = float(rng.choice([1, 2, 5, 12, 25, 60]))
    t = times(seconds * float(rng.choice([0.04, 0.3, 1])), fps, float(rng.choice([0, -3, 1e4])))
    if rng.random() < 0.3:
        t = np.sort(t + rng.uniform(0, 1 / fps, len(t)))
    columns = {}
    for name in NUMBERS:
        kind = rng.choice(["usual", "constant", "noise", "holes"], p=[0.4, 0.15, 0.35, 0.1])
        if kind == "constant":
            columns[name] = np.full(len(t), rng.choice([0, 1, np.nan, -5]))
        elif kind != "usual":
            columns[name] = rng.uniform(0, float(rng.choice([1, 100])), len(t))
        if kind == "holes":
            columns[name][rng.random(len(t)) < 0.5] = np.nan
    frame = table(t, who, **columns)
    frame = lose(frame, rng.random(len(t)) < float(rng.choice([0, 0.1, 0.5, 0.95, 1])))
    dropped = rng.choice(NUMBERS, 3, replace=False) if rng.random() < 0.2 else []
    return frame.drop(columns=list(dropped))


def odd_voices(rng: np.random.Generator, people: list[str], seconds: float):
    """Speech at any times, also of somebody off camera, voiced now and then, of which it is partly not known whose."""

    def spans(counts: list[int]) -> list[tuple[float, float]]:
        return [
            tuple(pair)
            for pair in np.sort(rng.uniform(0, seconds, 2 * int(rng.choice(counts)))).reshape(-1, 2)
        ]

    who = [*people, "off_camera"] if rng.random() < 0.2 else people
    return voices(
        seconds,
        {one: spans([0, 1, 3, 40]) for one in who},
        unknown=spans([0, 0, 1, 3]),
        f0_hz=lambda t: np.where(rng.random(len(t)) < 0.4, np.nan, rng.uniform(60, 600, len(t))),
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(30))
def test_an_odd_session_has_a_row_with_values_or_reasons(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = [f"p{k + 1}" for k in range(int(rng.choice([1, 2, 3], p=[0.2, 0.6, 0.2])))]
    seconds = float(rng.choice([0.5, 11, 31, 70, 200, 400]))
    frames = [odd_face(rng, who, seconds) for who in people]
    frames = [
        frame if len(frame) else table(np.zeros(1), who) for frame, who in zip(frames, people, strict=True)
    ]
    heard = odd_voices(rng, people, seconds) if rng.random() < 0.8 else None
    roles = [str(rng.choice(["client", "therapist"])) if rng.random() < 0.7 else None for _ in people]
    found = compute(session(*frames, roles=roles, heard=heard))
    assert {name for name, value in found.row.items() if math.isnan(value)} == set(found.missing)
    assert all(found.missing.values())
    for name, value in found.row.items():
        assert not name.endswith("_share") or math.isnan(value) or 0 <= value <= 1, name
