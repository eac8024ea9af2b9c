"""Time is the file's presentation time, and the rate of analysis goes by time."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from people import clip_path
from variants import FPS, marked, number_of

from vsa.media.clock import DecodeOrder, Grid, repaired, usual_step_s
from vsa.media.recording import NATIVE_CAP_FPS, Recording


def chosen(times: np.ndarray, rate: float | None, early_s: float | None = None) -> np.ndarray:
    grid = Grid(rate, early_s)
    return np.array([t for t in times if grid.wants(t)])


def stamps(given: list[float | None], nominal_s: float = 0.04) -> tuple[list[float], list[int], int]:
    """Times, which items they belong to, and how many were repaired."""
    repairs: list[int] = []
    out = list(repaired(((t, k) for k, t in enumerate(given)), nominal_s, lambda: repairs.append(1)))
    times = [t for t, _ in out]
    assert all(b > a for a, b in pairwise(times))
    return times, [k for _, k in out], len(repairs)


def test_phone_clip_with_variable_frame_times_keeps_them() -> None:
    path = clip_path("face_then_noface_hevc.mov")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stored = np.array([float(frame.pts * stream.time_base) for frame in container.decode(stream)])
    steps_ms = np.diff(stored) * 1000
    assert steps_ms.min() < 15
    assert steps_ms.max() > 41
    with Recording(path) as recording:
        t = np.array([picture.t for picture in recording.pictures()])
    np.testing.assert_array_equal(t, stored)


@pytest.mark.parametrize("rate", [10, 5, 12.5, 30, 60, 0.5])
def test_rate_of_analysis_at_25_fps(rate: float) -> None:
    times = 3.0 + np.arange(1500) / 25
    kept = chosen(times, rate, min(0.02, 0.25 / rate))
    assert kept[0] == 3.0
    if rate >= 25:
        np.testing.assert_array_equal(kept, times)
        return
    seconds = times[-1] - times[0]
    assert len(kept) == pytest.approx(seconds * rate, abs=1.5)
    steps = np.diff(kept)
    assert steps.min() >= 1 / rate - 1 / 25 - 1e-9
    assert steps.max() <= 1 / rate + 1 / 25 + 1e-9


@pytest.mark.parametrize("rate", [5, 12.5, 24, 30])
def test_never_more_than_the_rate_on_average_when_frame_times_vary(rate: float) -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(
        rng.choice([0.008, 0.014, 0.02, 0.042, 0.1, 1.5], 4000, p=[0.3, 0.3, 0.2, 0.15, 0.04, 0.01])
    )
    kept = chosen(times, rate)
    assert kept[0] == times[0]
    for first in range(0, len(kept), 7):  # in any stretch, but for one early and one late picture
        spans = kept[first:] - kept[first]
        assert (np.arange(len(spans)) <= spans * rate + 2).all()
    # where pictures come fast enough, none is missing either
    assert np.diff(kept)[np.diff(kept) > 1 / rate + 0.05].size <= (np.diff(times) > 0.05).sum()


def test_no_rate_keeps_everything() -> None:
    times = np.arange(100) / 240
    np.testing.assert_array_equal(chosen(times, None), times)


def write_rate(path: Path, fps: float, seconds: float = 1.0, jitter_ms: float = 0.0) -> Path:
    rng = np.random.default_rng(1)
    clock = Fraction(1, 90000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.codec_context.time_base = clock
        for k in range(round(fps * seconds)):
            frame = av.VideoFrame.from_ndarray(marked(k, (160, 120)), format="rgb24")
            late_s = rng.uniform(0, jitter_ms) / 1000
            frame.pts, frame.time_base = round((k / fps + late_s) / clock), clock
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("fps", "every"), [(50, 2), (60, 2), (59.94, 2), (120, 4)])
def test_native_takes_every_second_or_fourth_picture_of_a_fast_recording(
    tmp_path: Path, fps: float, every: int
) -> None:
    with Recording(write_rate(tmp_path / "fast.mp4", fps, 2.0)) as recording:
        assert recording.info.fps == pytest.approx(fps, rel=0.01)
        numbers = [number_of(picture.rgb()) for picture in recording.pictures()]
    assert numbers == list(range(0, round(2 * fps), every))
    assert fps / every <= NATIVE_CAP_FPS


@pytest.mark.parametrize("fps", [12.5, 25, 29.97, 30])
def test_native_takes_every_picture_of_an_ordinary_webcam(tmp_path: Path, fps: float) -> None:
    with Recording(write_rate(tmp_path / "webcam.mp4", fps, 3.0, jitter_ms=20)) as recording:
        assert recording.info.fps == pytest.approx(fps, rel=0.1)
        assert sum(1 for _ in recording.pictures()) == round(3 * fps)


def test_rate_of_analysis_of_a_file(tmp_path: Path) -> None:
    with Recording(write_rate(tmp_path / "call.mp4", FPS, 2.0)) as recording:
        pictures = list(recording.pictures(10))
    # the nearest to each tenth of a second: 80 and 120 ms apart by turns
    assert [number_of(p.rgb()) for p in pictures] == [k // 2 * 5 + k % 2 * 2 for k in range(20)]


def test_good_stamps_pass_through_unchanged() -> None:
    given = np.cumsum([0.5, 0.014, 0.042, 0.033, 0.5, 0.04, 3.0, 0.04, 7.0, 0.04, 0.04]).tolist()
    assert stamps(given) == (given, list(range(11)), 0)


def test_missing_stamps_are_filled_between_their_neighbours() -> None:
    times, items, repairs = stamps([0.0, 0.04, None, None, 0.16, 0.2])
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2])
    assert (items, repairs) == ([0, 1, 2, 3, 4, 5], 2)


def test_missing_stamps_at_the_start_are_counted_back_from_the_first_one() -> None:
    times, _, repairs = stamps([None, None, 5.08, 5.12])
    assert times == pytest.approx([5.0, 5.04, 5.08, 5.12])
    assert repairs == 2


def test_no_stamps_at_all_go_by_the_nominal_rate() -> None:
    times, items, repairs = stamps([None] * 30)
    assert times == pytest.approx(np.arange(30) * 0.04)
    assert (items, repairs) == (list(range(30)), 30)


def test_repeats_with_room_are_spread_and_without_room_dropped() -> None:
    times, items, _ = stamps([0.0, 0.04, 0.04, 0.12, 0.16])
    assert times == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    times, items, repairs = stamps([0.0, 0.04, 0.04, 0.08, 0.12])
    assert times == pytest.approx([0, 0.04, 0.08, 0.12])
    assert (items, repairs) == ([0, 2, 3, 4], 1)  # the last of them was on screen


def test_one_wild_stamp_does_not_carry_the_rest_away() -> None:
    given: list[float | None] = [k * 0.04 for k in range(20)]
    given[7] = 95443.7
    times, items, repairs = stamps(given)
    assert times == pytest.approx(np.arange(20) * 0.04)
    assert (len(items), repairs) == (20, 1)


def test_a_clock_that_is_set_back_goes_on() -> None:
    first, second = np.arange(20) * 0.04, np.array([0, 0.03, 0.09, 0.13, *np.arange(5, 30) * 0.04])
    times, items, repairs = stamps([*(10 + first), *second])
    assert items == list(range(49))
    assert times == pytest.approx([*(10 + first), *(10 + first[-1] + 0.04 + second)])
    assert repairs == 1


def test_pauses_in_a_shared_slide_show_are_kept() -> None:
    given = [0.0, 0.04, 5.0, 12.0, 12.04, 30.0, 44.0, 60.0]
    assert stamps(given)[0] == given


def test_order_of_decoding_gives_times_when_nothing_else_does() -> None:
    clock = DecodeOrder()
    shown = []
    for dts in range(1000):  # two pictures stay in the decoder
        clock.sent(dts)
        if dts >= 2:
            shown.append(clock.stamp(dts))
    shown += [clock.stamp(None), clock.stamp(None)]
    assert shown == list(range(1000))


def test_usual_step_is_not_moved_by_rounding_gaps_and_repeats() -> None:
    rounded = np.round(np.arange(60) / 30, 3)
    assert usual_step_s(rounded) == pytest.approx(1 / 30, rel=0.002)
    gaps = np.concatenate([rounded[:30], rounded[30:] + 8.0, rounded[:5]])
    assert usual_step_s(gaps) == pytest.approx(1 / 30, rel=0.01)
    assert usual_step_s([1.0, 1.0]) is None
    assert usual_step_s([]) is None
