"""Speed of synchrony beside a plain loop over windows and lags in NumPy, as rMEA has it in R."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter

from vsa.features.chance import against_surrogates
from vsa.features.synchrony import synchrony

pytestmark = pytest.mark.benchmark

RATE_HZ = 25
Figures = Callable[[str, str], Callable[[str], None]]


def motion(minutes: float, *, gaps: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Two unrelated series like motion energy; with gaps, a tenth of each is missing in stretches of 2 s."""
    rng = np.random.default_rng(0)
    n = round(minutes * 60 * RATE_HZ)
    pair = lfilter([1], [1, -0.95], rng.normal(size=(2, n))) ** 2
    if gaps:
        for series in pair:
            for start in rng.integers(0, n, n // 500):
                series[start : start + 50] = np.nan
    return pair[0], pair[1]


def plainly(x: np.ndarray, y: np.ndarray) -> float:
    """Mean absolute Fisher z over windows of 60 s every 30 s and lags to 5 s, one correlation after the other."""
    window, step, lag = 60 * RATE_HZ, 30 * RATE_HZ, 5 * RATE_HZ
    z = []
    for start in range(0, len(x) - window - lag + 1, step):
        a, b = x[start : start + window + lag], y[start : start + window + lag]
        for k in range(-lag, lag + 1):
            u, v = a[max(-k, 0) :][:window], b[max(k, 0) :][:window]
            z.append(abs(np.arctanh(np.corrcoef(u, v)[0, 1])))
    return float(np.mean(z))


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """Wall clock and processor time of the faster of two runs."""
    took = []
    for _ in range(2):
        start = time.perf_counter(), time.process_time()
        run()
        took.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    return min(took)


def test_synchrony_of_motion_energy(figures: Figures) -> None:
    say = figures("performance", "Synchrony: windows of 60 s every 30 s, lags to 5 s, 25 Hz")
    say(
        "A plain loop is `np.corrcoef` for each window and lag. Wall clock, best of 2; in brackets CPU time.\n"
    )
    say("| series | s |")
    say("|---|---|")
    pair = motion(10)
    assert synchrony(*pair, RATE_HZ).mean_abs_z == pytest.approx(plainly(*pair), abs=1e-9)
    loop, loop_cpu = seconds(lambda: plainly(*pair))
    ours, ours_cpu = seconds(lambda: synchrony(*pair, RATE_HZ))
    say(f"| 10 minutes, plain loop | {loop:.3f} ({loop_cpu:.3f}) |")
    say(f"| 10 minutes | {ours:.4f} ({ours_cpu:.4f}): {loop_cpu / ours_cpu:.0f} times as fast |")
    assert ours < 0.2
    assert loop_cpu / ours_cpu > 10
    for name, gaps in (("nothing missing", False), ("a tenth missing in stretches of 2 s", True)):
        fifty = motion(50, gaps=gaps)
        took, cpu = seconds(lambda fifty=fifty: against_surrogates(*fifty, RATE_HZ))  # type: ignore[misc]
        say(f"| 50 minutes with 100 surrogates, {name} | {took:.2f} ({cpu:.2f}) |")
        assert cpu < 10
