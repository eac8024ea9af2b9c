"""Sessions whose recordings and results are at addresses: the same numbers, in little memory, and no secret told."""

from __future__ import annotations

import errno
import hashlib
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import media_files
import numpy as np
import pytest
from extraction import run
from people import clip_path
from stores import CountedStore, address, counted, emptied, in_memory, memory

from vsa.cli import main
from vsa.errors import InputError, SessionError
from vsa.media.recording import Recording
from vsa.media.sound import read_sound
from vsa.run.source import FarSource, unchanged
from vsa.study.addresses import Address, place_of
from vsa.study.blocks import BLOCK_BYTES, BLOCKS
from vsa.study.plan import SessionPlan, Video, from_media
from vsa.study.remote_results import results_at
from vsa.study.session_files import TABLES

pytestmark = pytest.mark.slow

CLIP = "talking_woman_512.mp4"
FPS = 5.0
MIB = 1 << 20


@pytest.fixture(autouse=True)
def _store() -> None:
    emptied()


def vsa(*arguments: str) -> int:
    """Run a command in this process, which the store in memory lives in."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip extracted from a file of this machine into a folder of it."""
    out = tmp_path_factory.mktemp("local")
    summary, told = run(from_media([clip_path(CLIP)]), out, fps=FPS)
    assert not summary.failed, told.lines
    return out


def test_media_and_results_at_addresses_give_the_same_bytes(
    local: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And a second run finds all of it done."""
    in_memory(clip_path(CLIP), f"calls/{CLIP}")
    call = ("extract", f"memory://calls/{CLIP}", "--out", "memory://study", "--fps", str(FPS), "--json")
    assert vsa(*call) == 0
    stem = Path(CLIP).stem
    for name in (
        *(f"{stem}/{table}" for table in TABLES),
        f"{stem}/turns.rttm",
        "features.parquet",
        "failures.csv",
    ):
        assert memory().cat_file(f"/study/{name}") == (local / name).read_bytes(), name
    assert sorted(memory().find("/study")) == sorted(
        f"/study/{path.relative_to(local)}" for path in local.rglob("*") if path.is_file()
    )
    records = [
        json.loads(content)
        for content in (
            memory().cat_file(f"/study/{stem}/session.json"),
            (local / stem / "session.json").read_bytes(),
        )
    ]
    for record in records:
        record.pop("timings_s")
        assert record["source"].pop("modified_ns") is not None
    assert records[0] == records[1]
    assert records[0]["source"]["name"] == CLIP

    before = {name: memory().modified(name) for name in memory().find("/study/" + stem)}
    capfd.readouterr()
    assert vsa(*call) == 0
    said = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert (said[0]["finished"], said[-1]["done"]) == (1, 0)
    assert {name: memory().modified(name) for name in memory().find("/study/" + stem)} == before

    # another recording under the same name is another session
    in_memory(clip_path("smiling_man_360p.mp4"), f"calls/{CLIP}")
    assert vsa(*call) == 0
    record = json.loads(memory().cat_file(f"/study/{stem}/session.json"))
    assert (
        record["source"]["sha256"]
        == hashlib.sha256(clip_path("smiling_man_360p.mp4").read_bytes()).hexdigest()
    )


def test_a_manifest_names_addresses(local: Path, tmp_path: Path) -> None:
    in_memory(clip_path(CLIP), f"calls/{CLIP}")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(f"session_id,video,consent\ns1,memory://calls/{CLIP},yes\n", "utf-8")
    assert vsa("extract", str(tmp_path), "--fps", str(FPS)) == 0
    stem = Path(CLIP).stem
    assert (tmp_path / "s1/face.parquet").read_bytes() == (local / stem / "face.parquet").read_bytes()
    assert (tmp_path / "s1/voice.parquet").read_bytes() == (local / stem / "voice.parquet").read_bytes()


def test_a_correction_at_an_address_outlives_another_extraction(local: Path) -> None:
    """A person's work came with a folder that was copied there."""
    stem = Path(CLIP).stem
    memory().put(str(local / stem), f"/study/{stem}", recursive=True)
    theirs = f"SPEAKER {stem} 1 0.500 2.000 <NA> <NA> p1 <NA> <NA>\n".encode()
    memory().pipe_file(f"/study/{stem}/turns.corrected.rttm", theirs)
    place = in_memory(clip_path(CLIP), f"calls/{CLIP}")
    summary, told = run(from_media([place]), place_of("memory://study"), fps=4.0)  # type: ignore[arg-type]
    assert not summary.failed, told.lines
    record = results_at(place_of("memory://study")).finished(stem)
    assert record is not None
    assert record["sound"]["turns"]["from"] == "corrected"
    assert b"1 0.5 2 <NA>" in memory().cat_file(f"/study/{stem}/turns.corrected.rttm")


def test_what_is_missing_costs_itself_only(local: Path, tmp_path: Path) -> None:
    place = in_memory(clip_path(CLIP), f"calls/{CLIP}")
    plans = from_media([place, address("memory://calls/none.mp4")])
    with pytest.raises(InputError, match=r"memory://calls/none\.mp4: does not exist"):
        run(plans[1:], tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    results_at(tmp_path / "out").prepare()
    summary, _ = run(plans, tmp_path / "out", fps=FPS)
    assert summary.done == [Path(CLIP).stem]
    assert [(failure.session_id, failure.stage) for failure in summary.failed] == [("none", "media")]
    assert "does not exist" in summary.failed[0].error


def test_bad_media_at_an_address_is_told_from_a_bad_connection(tmp_path: Path) -> None:
    for make, why in (
        (media_files.empty, "is empty"),
        (media_files.text_named_mp4, "no audio or video file"),
        (media_files.index_lost, "index of the MP4 is missing"),
        (media_files.random_bytes, "no audio or video file"),
    ):
        bad = make(tmp_path)
        with pytest.raises(SessionError, match=why) as caught:
            Recording(in_memory(bad, bad.name))
        assert caught.value.stage == "media"
    memory().makedirs("/folder", exist_ok=True)
    with pytest.raises(SessionError, match="is a folder"):
        Recording(address("memory://folder"))


def test_no_secret_of_an_address_is_kept_or_said(
    local: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither of a recording that is read, nor of one that fails, whose store tells all in its error."""
    (tmp_path / "a.mp4").write_bytes(clip_path(CLIP).read_bytes())
    (tmp_path / "bad.mp4").write_bytes(b"nothing that could be played")
    secrets = ("pa55word", "t0ken99")
    far = "counted://anna:pa55word@store:22/calls/{}.mp4?key=t0ken99"
    out = tmp_path / "out"
    with counted(tmp_path):
        good, bad, gone = (far.format(name) for name in ("a", "bad", "gone"))
        # in this process, since no other knows the store
        assert vsa("extract", good, bad, gone, "--out", str(out), "--fps", str(FPS), "--jobs", "1") == 3
        assert vsa("extract", gone, "--out", str(out)) == 2
        manifest = tmp_path / "manifest.csv"
        manifest.write_text(f"session_id,video,consent\ns1,{gone},yes\n", "utf-8")
        assert vsa("extract", str(manifest), "--out", str(out)) == 2
        assert vsa("train", gone.replace(".mp4", ".csv"), "--out", str(tmp_path / "m.skops")) == 2
        assert vsa("extract", good, "--out", far.format("out"), "--fps", str(FPS)) == 2
    said = "".join(capfd.readouterr())
    assert "gone.mp4" in said
    kept = "".join(path.read_bytes().decode("latin-1") for path in out.rglob("*") if path.is_file())
    assert "gone.mp4" in kept
    record = json.loads((out / "a" / "session.json").read_text())
    assert record["source"]["name"] == "a.mp4"
    assert record["source"]["etag"]
    for secret in secrets:
        assert secret not in said
        assert secret not in kept
    assert (out / "a" / "face.parquet").read_bytes() == (
        local / Path(CLIP).stem / "face.parquet"
    ).read_bytes()


@pytest.mark.parametrize("after", [1, 3, 6, 8, 11, 13])
def test_a_connection_that_breaks_fails_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """It must not look like a recording that was cut short, or has no sound: it would count as finished.

    The file is fetched in five parts, first for the pictures, then for its fingerprint, then for the sound.
    """
    monkeypatch.setattr("vsa.study.blocks.BLOCK_BYTES", 1 << 19)
    (tmp_path / "a.mp4").write_bytes(clip_path(CLIP).read_bytes())
    with counted(tmp_path, fails_after=after):
        summary, _ = run(from_media([address("counted://store/a.mp4")]), tmp_path / "out", fps=2.0)
    assert len(CountedStore.ranges) == after
    (failure,) = summary.failed
    assert failure.stage == "media"
    assert "can't be reached" in failure.error
    assert not (tmp_path / "out" / "a").exists()


def test_each_participants_own_files_are_read_from_addresses(tmp_path: Path) -> None:
    place = in_memory(clip_path(CLIP), f"calls/{CLIP}")
    tone = in_memory(media_files.with_sound(tmp_path), "calls/tone.mp4")
    plan = SessionPlan("s1", (Video(place),), audio={"client": place, "therapist": tone})
    summary, told = run([plan], tmp_path / "out", fps=2.0)
    assert not summary.failed, told.lines
    record = results_at(tmp_path / "out").finished("s1")
    assert record is not None
    assert [file["name"] for file in record["sound_files"]] == [CLIP, "tone.mp4"]
    assert all(len(file["sha256"]) == 64 for file in record["sound_files"])
    memory().rm_file("/calls/tone.mp4")
    failed, _ = run([plan], tmp_path / "again", fps=2.0)
    assert "Check audio:therapist" in failed.failed[0].hint


def test_only_what_changed_is_another_recording(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(1000))
    with counted(tmp_path) as store:
        place = address("counted://store/a.bin")
        with FarSource(place) as source:
            known = source.fingerprint().record()
        assert known["sha256"] == hashlib.sha256(bytes(1000)).hexdigest()
        read = len(store.ranges)
        assert unchanged(place, known)
        assert len(store.ranges) == read  # the store's own mark was enough
        assert unchanged(place, {**known, "etag": "another"})
        assert len(store.ranges) > read
        (tmp_path / "a.bin").write_bytes(bytes(999) + b"x")
        assert not unchanged(place, known)
        (tmp_path / "a.bin").unlink()
        assert unchanged(place, known)  # it may have been deleted, as consent demands


@pytest.mark.parametrize("name", ["call_two_tiles.mp4", "face_then_noface_hevc.mov", "webcam_man_53s.mp4"])
def test_pictures_and_sound_are_those_of_the_file(name: str) -> None:
    """Of the first, the index stands at the end."""
    path = clip_path(name)
    place = in_memory(path, f"calls/{name}")

    def read(at: Path | Address) -> tuple[Any, ...]:
        with Recording(at) as recording:
            pictures = [(picture.t, picture.rgb().tobytes()) for picture in recording.pictures(1.0)]
            sound = [stream.mixed().samples[:].tobytes() for stream in read_sound(at) if stream.heard]
            return recording.info, recording.faults, recording.read_s, pictures, sound

    assert read(place) == read(path)


def test_sound_alone_is_that_of_the_file() -> None:
    path = clip_path("two_speakers_30s.wav")
    far, near = (read_sound(at)[0] for at in (in_memory(path, "calls/two_speakers_30s.wav"), path))
    assert far.info == near.info
    assert np.array_equal(far.mixed().samples[:], near.mixed().samples[:])


def test_ctrl_c_while_a_store_is_asked_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV prints what it can't pass on, and goes on."""
    (tmp_path / "a.mp4").write_bytes(clip_path(CLIP).read_bytes())

    def stop(*_: Any) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("stores._CountedFile._fetch_range", stop)
    with counted(tmp_path), pytest.raises(KeyboardInterrupt):
        Recording(address("counted://store/a.mp4"))


def pictures_of(container: str, path: Path) -> Path:
    """A long recording of raw pictures, some hundred MB: its index, where there is one, stands at the end."""
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (480, 640), np.uint8) for _ in range(4)]
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "gray"
        for k in range(700):
            frame = av.VideoFrame.from_ndarray(noise[k % 4], format="gray")
            frame.pts = k
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("container", ["avi", "matroska"])
def test_memory_does_not_hold_the_file(container: str, tmp_path: Path) -> None:
    path = pictures_of(container, tmp_path / "long.bin")
    size = path.stat().st_size
    assert size > 200 * MIB

    def read(place: Path | Address) -> tuple[int, float]:
        with Recording(place) as recording:
            times = [picture.t for picture in recording.pictures()]
        return len(times), times[-1]

    with counted(tmp_path) as store:
        place = address("counted://store/long.bin")
        tracemalloc.start()
        try:
            found = read(place)
            with FarSource(place) as source:
                digest = source.fingerprint().sha256
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        asked = sum(min(end, size) - start for start, end in store.ranges)
    assert found == read(path)
    with path.open("rb") as file:
        assert digest == hashlib.file_digest(file, "sha256").hexdigest()
    print(
        f"{container}: {size / MIB:.0f} MiB read, {peak / MIB:.0f} MiB at most in memory, {asked / size:.2f} times"
    )
    assert peak < (BLOCKS + 4) * BLOCK_BYTES < 0.3 * size
    assert asked < 2.2 * size  # once for the pictures, once for the fingerprint
    path.unlink()


def test_no_recording_is_written_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for a while."""
    place = in_memory(clip_path(CLIP), f"calls/{CLIP}")
    content = clip_path(CLIP).read_bytes()
    way = tmp_path / "way"
    way.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(way))
    seen: set[str] = set()

    def look() -> Iterator[Path]:
        yield from (path for path in way.rglob("*") if path.is_file())

    plan = from_media([place])
    with Recording(place) as recording:
        for _ in recording.pictures(2.0):
            seen |= {path.name for path in look()}
    read_sound(place)
    with FarSource(place) as source:
        assert source.fingerprint().sha256 == hashlib.sha256(content).hexdigest()
    assert not seen
    summary, _ = run(plan, place_of("memory://study"), fps=2.0)  # type: ignore[arg-type]
    assert not summary.failed
    assert list(way.iterdir()) == []


def test_a_store_that_gives_no_parts_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").write_bytes(clip_path(CLIP).read_bytes())

    def seek(*_: Any) -> int:
        raise ValueError("Cannot seek streaming HTTP file")

    with counted(tmp_path):
        with monkeypatch.context() as patch:
            patch.setattr("stores._CountedFile.seek", seek)
            with pytest.raises(SessionError, match="only the whole of it") as caught:
                Recording(address("counted://store/a.mp4"))
        assert "simplecache::" in caught.value.hint
        Recording(address("counted://store/a.mp4")).__exit__(None, None, None)


def test_a_full_store_is_said_and_the_next_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    place = in_memory(clip_path(CLIP), f"calls/{CLIP}")
    fs = type(memory())
    put = fs.put_file

    def full(store: Any, local: str, path: str, **options: Any) -> None:
        if path.endswith("voice.parquet"):
            raise OSError(errno.ENOSPC, "quota")
        put(store, local, path, **options)

    out = place_of("memory://study")
    with monkeypatch.context() as patch:
        patch.setattr(fs, "put_file", full)
        summary, _ = run(from_media([place]), out, fps=2.0)  # type: ignore[arg-type]
    assert [(one.stage, "is full" in one.error) for one in summary.failed] == [("write", True)]
    assert b"write" in memory().cat_file("/study/failures.csv")
    assert results_at(out).sessions() == []
    summary, _ = run(from_media([place]), out, fps=2.0)  # type: ignore[arg-type]
    assert summary.done == [Path(CLIP).stem]
    assert results_at(out).failures() == []


@pytest.mark.parametrize(
    "call",
    [
        "init {}",
        "withdraw c1 {}",
        "turns reset {}",
        "sync {}",
        "doctor {}",
        "train {} --out {}",
        "flag {} {} --out x.csv",
    ],
)
def test_commands_that_need_this_machine_say_so(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And make no folder that is called like an address."""
    monkeypatch.chdir(tmp_path)
    assert vsa(*call.replace("{}", "memory://u:pa55word@study").split()) == 2
    said = capfd.readouterr().err
    assert "memory://study: an address can't be used here" in said
    assert "pa55word" not in said
    assert list(tmp_path.iterdir()) == []
