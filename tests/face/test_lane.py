"""Seats that are followed side by side: each in order, none waiting for the slowest."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import compose
import numpy as np
import pytest

from vsa.errors import ModelMissingError
from vsa.face.lane import Lane
from vsa.face.litert import LiteRTEngine
from vsa.face.tracker import Tracker
from vsa.face.tracklet import Readings
from vsa.media.picture import Picture
from vsa.media.recording import Recording

CHUNK = 12
PATIENCE_S = 30.0


def test_jobs_of_a_lane_run_one_after_the_other_in_order() -> None:
    ran: list[int] = []
    inside = threading.Semaphore(1)

    def job(k: int) -> int:
        assert inside.acquire(blocking=False), "two jobs of one lane run at once"
        time.sleep(0.0005)  # so that another would be met
        ran.append(k)
        inside.release()
        return k

    with ThreadPoolExecutor(4) as pool:
        lane = Lane(pool)
        found = []
        for k in range(300):
            found.append(lane.submit(partial(job, k)))
            if k % 7 == 0:  # so that the lane is at times empty
                found[-1].result(PATIENCE_S)
        assert [future.result(PATIENCE_S) for future in found] == list(range(300))
    assert ran == list(range(300))


def test_a_lane_whose_job_waits_holds_up_no_other() -> None:
    with ThreadPoolExecutor(2) as pool:
        go_on = threading.Event()
        slow, quick = Lane(pool), Lane(pool)
        waiting = [slow.submit(partial(go_on.wait, PATIENCE_S)) for _ in range(3)]
        try:
            assert [quick.submit(partial(int, k)).result(PATIENCE_S) for k in range(20)] == list(range(20))
            assert not any(future.done() for future in waiting)
        finally:
            go_on.set()
        assert [future.result(PATIENCE_S) for future in waiting] == [True] * 3


def test_what_a_job_raises_is_told_and_the_next_one_runs() -> None:
    with ThreadPoolExecutor(1) as pool:
        lane = Lane(pool)
        failed, fine = lane.submit(lambda: 1 // 0), lane.submit(lambda: 7)
        with pytest.raises(ZeroDivisionError):
            failed.result(PATIENCE_S)
        assert fine.result(PATIENCE_S) == 7


class Held(LiteRTEngine):
    """The narrow tile's face is held at the end of the first chunk until the wide one's is further than that."""

    def __init__(self, last_s: float) -> None:
        super().__init__(2)
        self.went_ahead: bool | None = None
        self._last_s = last_s
        self._further = threading.Event()

    def cut(self, picture: Picture, matrix: Any) -> Any:
        if picture.width > 420:
            if picture.t > self._last_s:
                self._further.set()
        elif picture.t == self._last_s and self.went_ahead is None:
            self.went_ahead = self._further.wait(PATIENCE_S)
        return super().cut(picture, matrix)


def followed(engine: LiteRTEngine, pictures: list[Picture]) -> list[Readings]:
    with ThreadPoolExecutor(4) as pool:
        tracker = Tracker(engine, pool)
        try:
            numbered = list(enumerate(pictures))
            measured = []
            for start in range(0, len(numbered), CHUNK):
                measured += tracker.process(numbered[start : start + CHUNK])
            return [future.result() for future in (*measured, *tracker.rest())]
        finally:
            tracker.close()


def same(expected: list[Readings], found: list[Readings]) -> None:
    for one, other in zip(expected, found, strict=True):
        assert one.tracklet == other.tracklet
        for name in ("frame", "points", "presence", "motion", "luma", "blendshapes"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_seat_goes_ahead_of_a_slower_one_and_the_numbers_are_the_same(tmp_path: Path) -> None:
    call = compose.two_tile_call(tmp_path / "call.mp4", seconds=2)
    with Recording(call.path) as recording:
        pictures = list(recording.pictures())
    try:
        held, plain = Held(pictures[CHUNK - 1].t), LiteRTEngine(2)
    except ModelMissingError as error:
        pytest.skip(str(error))
    expected, found = followed(plain, pictures), followed(held, pictures)
    assert held.went_ahead
    assert len(found) == len(expected) >= 2 * len(pictures) // CHUNK
    same(expected, found)


class Slow(LiteRTEngine):
    """Takes its time over what comes just before a change of the layout."""

    def __init__(self, before_s: float) -> None:
        super().__init__(2)
        self._before_s = before_s

    def cut(self, picture: Picture, matrix: Any) -> Any:
        if 0 < self._before_s - picture.t < 0.05:
            time.sleep(1.0)
        return super().cut(picture, matrix)


def test_seats_that_a_new_layout_ends_are_followed_to_its_start(tmp_path: Path) -> None:
    call = compose.tiles_swap(tmp_path / "call.mp4", at=(1.0,), gutter=0, seconds=2)
    with Recording(call.path) as recording:
        pictures = list(recording.pictures())
    try:
        slow, plain = Slow(1.0), LiteRTEngine(2)
    except ModelMissingError as error:
        pytest.skip(str(error))
    expected, found = followed(plain, pictures), followed(slow, pictures)
    assert len({one.epoch for one in expected}) == 2
    assert {one.tracklet for one in expected if one.epoch == 0}.isdisjoint(
        one.tracklet for one in expected if one.epoch == 1
    )
    same(expected, found)
