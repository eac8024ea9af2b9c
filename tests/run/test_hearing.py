"""Listening while faces are followed: it hears what is heard afterwards, and leaves nothing behind."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pretrained import need_faces, need_voices

from vsa.errors import SessionError
from vsa.face.engine import create
from vsa.face.timing import Stopwatch
from vsa.media.recording import Recording
from vsa.run.hearing import Hearing
from vsa.run.session import extract_session
from vsa.run.settings import Settings
from vsa.run.sound import SessionSound, session_sound
from vsa.run.sound_reader import Recorded
from vsa.run.voices import listen
from vsa.study.plan import SessionPlan, Video
from vsa.study.results import Results
from vsa.voice.mixed import Overheard

CALLS = sorted((Path(__file__).resolve().parents[2] / "sample_media" / "media").glob("*.mp4"))[:2]


@pytest.fixture(autouse=True, scope="module")
def models() -> None:
    need_voices()


def recorded(path: Path, role: str | None = None) -> Recorded:
    with Recording(path) as recording:
        return Recorded(role, recording.info, path)


def listening() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "vsa-hear"]


def test_what_is_heard_is_what_is_heard_afterwards() -> None:
    plan = SessionPlan("s", (Video(CALLS[0]),))
    watch = Stopwatch()
    with Hearing(plan, watch) as hearing:
        hearing.opened(recorded(CALLS[0]))
        sound, listened = hearing.result()
    expected = listen(session_sound(plan, [recorded(CALLS[0])]))
    assert isinstance(listened.heard, Overheard)
    assert isinstance(expected.heard, Overheard)
    np.testing.assert_array_equal(listened.heard.activity.probability, expected.heard.activity.probability)
    assert listened.heard.anyone.any()
    assert listened.heard.quality == expected.heard.quality
    assert sound.notes == expected.sound.notes
    assert {"sound", "voice"} == set(watch.seconds())
    assert not listening()


def test_it_begins_when_all_recordings_are_open() -> None:
    plan = SessionPlan("s", tuple(Video(call, role) for call, role in zip(CALLS, ("a", "b"), strict=True)))
    with Hearing(plan, Stopwatch()) as hearing:
        hearing.opened(recorded(CALLS[0], "a"))
        assert not listening()
        hearing.opened(recorded(CALLS[1], "b"))
        assert len(hearing.result()[0].clocks) == 2


def fail_meanwhile(*paths: Path, opened: int) -> None:
    plan = SessionPlan("s", tuple(Video(path, str(k)) for k, path in enumerate(paths)))
    with Hearing(plan, Stopwatch()) as hearing:
        for path in paths[:opened]:
            hearing.opened(recorded(path))
        assert bool(listening()) == (opened == len(paths))
        raise SessionError("face", "no face", "")


@pytest.mark.parametrize("opened", [1, 2])
def test_a_session_that_fails_meanwhile_leaves_nothing_that_reads(opened: int) -> None:
    with pytest.raises(SessionError, match="no face"):
        fail_meanwhile(*CALLS, opened=opened)
    assert not listening()


def test_what_is_wrong_with_a_sound_file_is_said_where_its_result_is_asked_for(tmp_path: Path) -> None:
    plan = SessionPlan("s", (Video(CALLS[0]),), audio={"client": tmp_path / "absent.wav"})
    with Hearing(plan, Stopwatch()) as hearing:
        hearing.opened(recorded(CALLS[0]))
        with pytest.raises(SessionError, match=r"absent\.wav"):
            hearing.result()


def test_a_session_is_heard_while_its_faces_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_faces()
    order: list[str] = []

    def listening_at(*arguments: Any) -> SessionSound:
        order.append("heard")
        return session_sound(*arguments)

    monkeypatch.setattr("vsa.run.hearing.session_sound", listening_at)
    results = Results(tmp_path)
    results.prepare()
    plan = SessionPlan("s", (Video(CALLS[0]),))
    extract_session(
        plan, results, create("cpu"), Settings(fps=2), progress=lambda *_: order.append("followed")
    )
    assert order[0] == "heard"
    assert order.count("heard") == 1
    assert "followed" in order
