"""Reading ahead: in order, bounded, and over when the reader is."""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from variants import number_of, write_variant

from vsa.errors import SessionError
from vsa.media.digest import sha256_of_file
from vsa.media.picture import Picture
from vsa.media.reader import ChunkReader
from vsa.media.recording import Recording

PLANE = np.zeros((8, 8), np.uint8)


class Source:
    """Pictures of a chosen size that says how many were taken and whether it was closed."""

    def __init__(
        self, count: int, *, side: int = 8, fails_at: int | None = None, wait_s: float = 0.0
    ) -> None:
        self.count, self.side, self.fails_at, self.wait_s = count, side, fails_at, wait_s
        self.taken = 0
        self.closed = False

    def pictures(self) -> Iterator[Picture]:
        luma = np.zeros((self.side, self.side), np.uint8)
        chroma = np.zeros((self.side // 2, self.side // 2), np.uint8)
        try:
            for k in range(self.count):
                if k == self.fails_at:
                    raise SessionError("media", "call.mp4: broken here.", "Mend it.")
                time.sleep(self.wait_s)
                self.taken += 1
                yield Picture(k / 25, luma, chroma, chroma)
        finally:
            self.closed = True


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert [t for t in threading.enumerate() if t.name == "vsa-decode"] == []


def test_every_picture_comes_once_in_order_and_numbered(tmp_path: Path) -> None:
    path = write_variant(tmp_path, "h264_mp4").path
    with Recording(path) as recording, ChunkReader(recording.pictures(), size=16) as chunks:
        got = list(chunks)
        assert chunks.decode_s > 0
    assert [len(chunk) for chunk in got] == [16, 16, 8]
    assert [number for chunk in got for number, _ in chunk] == list(range(40))
    assert [number_of(picture.rgb()) for chunk in got for _, picture in chunk] == list(range(40))


def test_no_picture_gives_no_chunk() -> None:
    with ChunkReader(Source(0).pictures()) as chunks:
        assert list(chunks) == []
        assert list(chunks) == []


def test_an_error_comes_after_the_pictures_before_it() -> None:
    source = Source(100, fails_at=37)
    with ChunkReader(source.pictures(), size=16) as chunks:
        assert [number for _ in range(3) for number, _ in next(chunks)] == list(range(37))
        with pytest.raises(SessionError, match="broken here") as caught:
            next(chunks)
        assert list(chunks) == []  # told once
    assert caught.value.stage == "media"
    assert source.closed


def test_a_reader_that_stops_early_ends_the_thread() -> None:
    source = Source(100_000)
    with ChunkReader(source.pictures(), size=4, ahead=2) as chunks:
        assert len(next(chunks)) == 4
    assert source.closed
    assert source.taken < 100


def test_an_error_of_the_analysis_ends_the_thread() -> None:
    source = Source(100_000)

    def analyse() -> float:
        with ChunkReader(source.pictures()) as chunks:
            return sum(1 / len(chunk[16:]) for chunk in chunks)

    with pytest.raises(ZeroDivisionError):
        analyse()
    assert source.closed


def test_nothing_read_at_all_ends_the_thread() -> None:
    source = Source(100_000)
    with ChunkReader(source.pictures()):
        time.sleep(0.05)
    assert source.closed


def test_ctrl_c_while_waiting_for_a_slow_decoder_ends_both() -> None:
    source = Source(50, wait_s=0.05)
    began = time.monotonic()

    def analyse() -> None:
        with ChunkReader(source.pictures(), size=50) as chunks:
            main = threading.main_thread().ident
            threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start()
            next(chunks)

    with pytest.raises(KeyboardInterrupt):
        analyse()
    assert time.monotonic() - began < 1.5  # all 50 would take 2.5 s
    assert source.closed


def test_the_thread_runs_ahead_and_no_further() -> None:
    source = Source(1000)
    with ChunkReader(source.pictures(), size=5, ahead=2) as chunks:
        next(chunks)
        time.sleep(0.3)
        # one chunk given out, two waiting, one in hand
        assert source.taken == 20
        assert sum(len(chunk) for chunk in chunks) == 995


def test_huge_pictures_come_in_short_chunks_and_few_at_a_time() -> None:
    source = Source(30, side=1000)  # 1.5 MB each
    with ChunkReader(source.pictures(), size=16, ahead=2, limit_bytes=12_000_000) as chunks:
        first = next(chunks)
        time.sleep(0.3)
        # the one that did not fit any more is in hand too
        assert source.taken * first[0][1].nbytes <= 12_000_000 + first[0][1].nbytes
        rest = list(chunks)
    assert [len(chunk) for chunk in [first, *rest]] == [2] * 15


def test_a_picture_larger_than_the_bound_still_comes() -> None:
    with ChunkReader(Source(3, side=1000).pictures(), limit_bytes=1000) as chunks:
        assert [len(chunk) for chunk in chunks] == [1, 1, 1]


def test_decoding_and_analysis_overlap() -> None:
    source = Source(40, wait_s=0.01)
    began = time.monotonic()
    with ChunkReader(source.pictures(), size=4) as chunks:
        for count, _ in enumerate(chunks, 1):
            while source.taken < min(40, 4 * (count + 1)):  # the next chunk comes while this one is analysed
                assert time.monotonic() - began < 60
                time.sleep(0.001)
        decode_s = chunks.decode_s
    assert 40 * 0.01 <= decode_s <= time.monotonic() - began


def test_fingerprint_is_the_files_sha256(tmp_path: Path) -> None:
    path = tmp_path / "call.mp4"
    content = np.random.default_rng(0).bytes(3_000_001)
    path.write_bytes(content)
    assert sha256_of_file(path) == hashlib.sha256(content).hexdigest()
    with pytest.raises(SessionError, match=r"gone\.mp4"):
        sha256_of_file(tmp_path / "gone.mp4")
