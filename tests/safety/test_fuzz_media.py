"""Recordings and turn files with broken bytes: pictures, sound and turns, or one error in words; never another."""

from __future__ import annotations

import tempfile
from functools import cache
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from fuzzing import damaged, quick, taken
from hypothesis import given
from hypothesis import strategies as st

from vsa.media.recording import Recording
from vsa.study.turn_files import read_turns, write_turns

FILMS = Path(__file__).parents[2] / "sample_media" / "media"
FAST = {"movflags": "faststart"}
PEOPLE = ("client", "therapist")


@cache
def film() -> bytes:
    """The first two seconds of a real one, with its index in front."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "head.mp4"
        with av.open(str(FILMS / "s01_plain.mp4")) as source, av.open(str(path), "w", options=FAST) as out:
            streams = {one.index: out.add_stream_from_template(one) for one in source.streams}
            for packet in source.demux():
                if packet.dts is not None and packet.dts * packet.time_base < 2:
                    packet.stream = streams[packet.stream.index]
                    out.mux(packet)
        return path.read_bytes()


@quick(40)
@given(st.data())
def test_a_real_recording_whose_head_is_broken(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "call.mp4"
    path.write_bytes(data.draw(damaged(film(), within=data.draw(st.sampled_from([64, 4_000, 40_000, 0])))))

    def looked_at() -> list[float]:
        with Recording(path) as recording:
            assert recording.info.width > 0
            assert recording.info.height > 0
            return [picture.t for picture in islice(recording.pictures(5), 4)]

    if times := taken(looked_at):
        assert np.isfinite(times).all()
        assert (np.diff(times) > 0).all()


@pytest.mark.parametrize("ending", [".rttm", ".TextGrid", ".eaf"])
@quick(120)
@given(st.data())
def test_turns_whose_file_is_broken(tmp_path: Path, ending: str, data: st.DataObject) -> None:
    path = tmp_path / f"turns{ending}"
    write_turns(path, turns(), participants=PEOPLE, duration_s=20.0)
    whole = path.read_bytes()
    path.unlink()
    changed = data.draw(damaged(whole))
    if data.draw(st.booleans()):  # and text where numbers stand
        old = data.draw(st.sampled_from([b"1.5", b"4.", b"1500", b"TIME", b"xmin", b"SPEAKER"]))
        new = data.draw(
            st.sampled_from([b"nan", b"-1", b"1e400", b"inf", b"", "٣".encode(), b"9" * 400, b"<&"])
        )
        changed = changed.replace(old, new)
    path.write_bytes(changed)
    found = taken(lambda: read_turns(path, participants=PEOPLE))
    if found is not None:
        assert set(found["participant"]) <= set(PEOPLE)
        assert set(found["kind"]) <= {"turn", "backchannel"}
        assert np.isfinite(found[["start", "end"]].to_numpy(float)).all()
        assert (found["end"] > found["start"]).all()


def turns() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant": ["client", "therapist", "client"],
            "start": [1.5, 4.0, 6.25],
            "end": [3.5, 6.0, 7.0],
            "kind": ["turn", "turn", "backchannel"],
        }
    )


def test_the_recording_that_is_broken_here_can_be_read_while_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "call.mp4"
    path.write_bytes(film())
    with Recording(path) as recording:
        assert len(list(islice(recording.pictures(5), 4))) == 4
