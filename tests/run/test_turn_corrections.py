"""Turns corrected by hand: out to Praat and ELAN, back into the session, and kept from then on."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command import VSA, vsa
from people import clip_path

from vsa.errors import InputError, SessionError
from vsa.face.follow import Block
from vsa.face.table import COLUMNS
from vsa.media.digest import sha256_of_file
from vsa.run.corrections import CORRECTED, NOT_USED, kept, settle, speech_in, turns_in
from vsa.run.session_features import write_features
from vsa.run.turn_edits import export_turns, import_turns, reset_turns
from vsa.study import log
from vsa.study import results as results_module
from vsa.study.face_table import write_face
from vsa.study.results import Results, write_json
from vsa.study.turn_files import read_turns, write_turns
from vsa.study.voice_table import write_voice
from vsa.voice.ipu import speech_stretches
from vsa.voice.turns import find_turns
from vsa.voice.voice_track import UNKNOWN, VoiceTrack

ENDINGS = (".TextGrid", ".eaf", ".rttm")
FOUND = {"from": "found"}
ROLES = {"p1": "client", "p2": "therapist"}
#: Who says what when: the therapist says "mhm" twice while the client speaks, with a pause; then asks.
TALK = [
    ("p1", 1.0, 3.0),
    ("p2", 2.0, 2.4),
    ("p1", 3.5, 8.0),
    ("p2", 6.0, 6.5),
    ("p2", 8.3, 11.0),
    ("p1", 11.5, 15.0),
]


def session(
    out: Path,
    talk: Iterable[tuple[str, float, float]] = TALK,
    *,
    roles: dict[str, str | None] = ROLES,
    start_s: float = 0.0,
    duration_s: float = 20.0,
    name: str = "s1",
) -> Path:
    """A session's folder as extraction writes it, from speech that is known."""
    results = Results(out)
    results.prepare()
    steps = round(duration_s * 100)
    talk = list(talk)
    voices = []
    for who in dict.fromkeys([*(() if talk and talk[0][0] == UNKNOWN else roles), *(w for w, _, _ in talk)]):
        says = np.zeros(steps, np.bool_)
        for _, start, end in (part for part in talk if part[0] == who):
            says[round(start * 100) : round(end * 100)] = True
        nothing = np.full(steps, np.nan, np.float32)
        voices.append(VoiceTrack(who, start_s, says.astype(np.float32), says, nothing, nothing, nothing))
    t = start_s + np.arange(0, duration_s, 0.5)
    unseen = Block(t, np.zeros(len(t), np.bool_), np.full((len(t), len(COLUMNS)), np.nan, np.float32), None)
    record: dict[str, Any] = {
        "session_id": name,
        "status": "complete",
        "source": {
            "name": f"{name} call.mp4",
            "sha256": "a" * 64,
            "start_s": start_s,
            "duration_s": duration_s,
        },
        "participants": [{"id": who, "role": role, "gaze_neutral_deg": None} for who, role in roles.items()],
        "sound": {
            "kind": "mixed" if talk else "none",
            "voices": [{"participant": voice.participant} for voice in voices],
            "tracks": [{"start_s": start_s, "duration_s": duration_s, "alignment": None}],
            "turns": FOUND,
        },
        "quality": {"notes": ["a note"], "features_missing": {}},
    }
    speech = speech_stretches(
        {voice.participant: voice.speaking for voice in voices if voice.participant != UNKNOWN},
        start_s=start_s,
    )
    table = find_turns(speech, participants=roles).table
    with results.writing(name) as folder:
        write_face(folder / "face.parquet", COLUMNS, [(who, unseen) for who in roles])
        write_voice(folder / "voice.parquet", voices)
        table.to_parquet(folder / "turns.parquet", index=False, write_page_checksum=True)
        write_turns(folder / "turns.rttm", table, recording=name)
        record["quality"]["features_missing"] = write_features(folder, record)
        write_json(folder / "session.json", record)
    results.gather_features()
    return out / name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return session(tmp_path / "out")


def record_of(folder: Path) -> dict[str, Any]:
    record = Results(folder.parent).finished(folder.name)
    assert record is not None
    return record


def turns_of(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "turns.parquet")


def rows(folder: Path) -> list[tuple[str, float, float, str]]:
    table = turns_of(folder)
    return [
        (r.participant, round(r.start, 3), round(r.end, 3), r.kind) for r in table.itertuples(index=False)
    ]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def edited(file: Path, *changes: tuple[str, str]) -> Path:
    """A person's edits to a file; each must find its place, once."""
    text = file.read_text("utf-8")
    for before, after in changes:
        assert text.count(before) == 1, (before, text)
        text = text.replace(before, after)
    file.write_text(text, "utf-8")
    return file


def rttm(file: Path, *lines: tuple[str, float, float, str]) -> Path:
    write_turns(file, pd.DataFrame(lines, columns=["participant", "start", "end", "kind"]))
    return file


def parts_left(folder: Path) -> list[str]:
    return [path.name for path in folder.parent.iterdir() if path.name.startswith(".")]


# There and back


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("roles", [ROLES, {"p1": None, "p2": None}, {"p1": "client", "p2": "client"}])
def test_a_file_that_nobody_changed_changes_no_turns(tmp_path, ending, roles):
    folder = session(tmp_path / "out", roles=roles)
    before, structure = turns_of(folder), turns_in(folder, record_of(folder))
    file = tmp_path / f"call{ending}"
    export_turns(folder, file)
    change = import_turns(folder, file)
    pd.testing.assert_frame_equal(turns_of(folder), before)
    assert change.before == change.after
    after = turns_in(folder, record_of(folder))
    for name in ("units", "turns", "transfers", "silences", "overlaps", "alone", "interruptions"):
        pd.testing.assert_frame_equal(getattr(after, name), getattr(structure, name))


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", ["ocfop", "wprog"])
def test_twenty_minutes_of_a_real_conversation_come_back_unchanged(tmp_path, ending, name):
    heard = read_turns(clip_path(f"turns/{name}.rttm"))
    talk = [(f"p{1 + int(r.participant[-1])}", r.start, r.end) for r in heard.itertuples(index=False)]
    folder = session(tmp_path / "out", talk, duration_s=float(heard["end"].max()) + 5)
    before = turns_of(folder)
    assert len(before) > 40
    export_turns(folder, tmp_path / f"call{ending}")
    import_turns(folder, tmp_path / f"call{ending}")
    pd.testing.assert_frame_equal(turns_of(folder), before)


def test_a_session_without_consent_is_not_corrected(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "s1.TextGrid"
    export_turns(folder, file)
    import_turns(folder, file)
    before = contents(folder)
    manifest = folder.parent / "manifest.csv"
    manifest.write_text("session_id,consent\ns1,no\n")
    for change in (
        lambda: export_turns(folder, tmp_path / "again.rttm"),
        lambda: import_turns(folder, file),
        lambda: reset_turns(folder),
    ):
        with pytest.raises(InputError, match="Session s1 may not be used: not all of its people agreed"):
            change()
    assert contents(folder) == before
    assert not (tmp_path / "again.rttm").exists()
    manifest.write_text("session_id,consent\ns1,quality\n")
    import_turns(folder, file)
    # without a manifest, what was recorded counts
    manifest.unlink()
    record = {**record_of(folder), "consent": {"by": {"all": []}, "purposes": []}}
    write_json(folder / "session.json", record)
    with pytest.raises(InputError, match="may not be used"):
        reset_turns(folder)


def test_everybody_has_tiers_by_role_and_elan_finds_the_recording(tmp_path):
    folder = session(tmp_path / "out", [("p1", 1, 4)])
    export_turns(folder, tmp_path / "call.eaf")
    text = (tmp_path / "call.eaf").read_text("utf-8")
    tiers = re.findall(r'TIER_ID="([^"]+)"', text)
    assert tiers == ["turn@client", "backchannel@client", "turn@therapist", "backchannel@therapist"]
    assert 'MEDIA_URL="./s1%20call.mp4"' in text
    export_turns(folder, tmp_path / "call.TextGrid")
    assert (tmp_path / "call.TextGrid").read_text("utf-8").count("xmax = 20\n") == 9


@pytest.mark.parametrize("ending", ENDINGS)
def test_praat_and_elan_count_from_the_beginning_of_a_recording_that_starts_late(tmp_path, ending):
    folder = session(tmp_path / "out", start_s=1.4)
    before = turns_of(folder)
    assert before["start"].min() == pytest.approx(2.4)
    file = tmp_path / f"call{ending}"
    export_turns(folder, file)
    assert read_turns(file)["start"].min() == pytest.approx(2.4 if ending == ".rttm" else 1.0)
    import_turns(folder, file)
    pd.testing.assert_frame_equal(turns_of(folder), before)


# What a person corrects


def test_a_textgrid_corrected_in_praat_wins_and_the_session_says_so(tmp_path, folder):
    file = tmp_path / "call.TextGrid"
    export_turns(folder, file)
    found = rows(folder)
    assert found == [
        ("p1", 1.0, 8.0, "turn"),
        ("p2", 2.0, 2.4, "backchannel"),
        ("p2", 6.0, 6.5, "backchannel"),
        ("p2", 8.3, 11.0, "turn"),
        ("p1", 11.5, 15.0, "turn"),
    ]
    edited(
        file,
        # a moved boundary: the client's last turn ends at 14.25 s, and a turn is added after it
        (
            'xmin = 11.5\n            xmax = 15\n            text = "turn"\n        intervals [5]:\n'
            "            xmin = 15\n",
            'xmin = 11.5\n            xmax = 14.25\n            text = "turn"\n        intervals [5]:\n'
            '            xmin = 14.25\n            xmax = 17\n            text = ""\n        intervals [6]:\n'
            '            xmin = 17\n            xmax = 18.5\n            text = "yes"\n        intervals [7]:\n'
            "            xmin = 18.5\n",
        ),
        # a deleted backchannel, and one that is a turn
        (
            'xmin = 2\n            xmax = 2.4\n            text = "backchannel"',
            'xmin = 2\n            xmax = 2.4\n            text = ""',
        ),
        ('xmax = 6.5\n            text = "backchannel"', 'xmax = 6.5\n            text = "Turn"'),
    )
    text = file.read_text("utf-8")
    first = text.index("intervals: size = 5")  # turn@client
    file.write_text(text[:first] + "intervals: size = 7" + text[first + 19 :], "utf-8")
    change = import_turns(folder, file)
    assert rows(folder) == [
        ("p1", 1.0, 8.0, "turn"),
        ("p2", 6.0, 6.5, "turn"),
        ("p2", 8.3, 11.0, "turn"),
        ("p1", 11.5, 14.25, "turn"),
        ("p1", 17.0, 18.5, "turn"),
    ]
    client, therapist = change.after["client"], change.after["therapist"]
    assert (change.before["client"].turns, client.turns) == (2, 3)
    assert (change.before["therapist"].backchannels, therapist.backchannels) == (2, 0)
    # 8 s less the pause that was found within, the last turn, the new one
    assert client.speech_s == pytest.approx(6.5 + 2.75 + 1.5)
    said = record_of(folder)["sound"]["turns"]
    assert {k: said[k] for k in ("from", "file", "sha256")} == {
        "from": "corrected",
        "file": "call.TextGrid",
        "sha256": sha256_of_file(file),
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", said["date"])
    lines = read_turns(folder / "turns.rttm")
    pd.testing.assert_frame_equal(lines, turns_of(folder), check_dtype=False)
    assert set(read_turns(folder / CORRECTED)["participant"]) == {"client", "therapist"}


def test_turns_rttm_itself_can_be_corrected_with_its_ids(tmp_path, folder):
    file = edited(Path(shutil.copy(folder / "turns.rttm", tmp_path / "mine.rttm")), (" 8.3 2.7 ", " 8.3 3 "))
    import_turns(folder, file)
    assert set(read_turns(folder / CORRECTED)["participant"]) == {"client", "therapist"}
    assert rows(folder)[3] == ("p2", 8.3, 11.3, "turn")


def test_people_who_were_taken_for_each_other_keep_their_pauses(tmp_path, folder):
    def swapped(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(participant=table["participant"].map({"p1": "p2", "p2": "p1"}))

    found = turns_in(folder, record_of(folder))
    names = swapped(found.table)
    names["participant"] = names["participant"].map(ROLES)
    write_turns(tmp_path / "mine.TextGrid", names)
    import_turns(folder, tmp_path / "mine.TextGrid")
    now = turns_in(folder, record_of(folder))
    pd.testing.assert_frame_equal(now.units, swapped(found.units))
    pd.testing.assert_frame_equal(
        now.silences[["start", "end", "kind"]], found.silences[["start", "end", "kind"]]
    )


def test_a_noise_that_was_taken_for_a_backchannel_does_not_fill_a_pause(tmp_path):
    folder = session(tmp_path / "out", [("p1", 1, 3), ("p2", 3.1, 3.4), ("p1", 3.5, 8)])
    assert rows(folder)[1] == ("p2", 3.1, 3.4, "backchannel")
    import_turns(folder, rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn")))
    silences = turns_in(folder, record_of(folder)).silences
    assert silences[["start", "end", "kind"]].to_numpy().tolist() == [[3.0, 3.5, "pause"]]


def test_a_voice_off_camera_may_be_named_and_nobody_else(tmp_path, folder):
    lines = [("client", 1, 8, "turn"), ("off_camera", 9, 10, "turn")]
    import_turns(folder, rttm(tmp_path / "mine.rttm", *lines))
    assert rows(folder) == [("p1", 1.0, 8.0, "turn"), ("off_camera", 9.0, 10.0, "turn")]
    export_turns(folder, tmp_path / "again.eaf")
    assert 'TIER_ID="turn@off_camera"' in (tmp_path / "again.eaf").read_text("utf-8")
    import_turns(folder, tmp_path / "again.eaf")
    assert rows(folder)[1][0] == "off_camera"


def test_where_speakers_were_not_told_apart_a_person_does_it(tmp_path):
    folder = session(tmp_path / "out", [(UNKNOWN, 1, 3), (UNKNOWN, 3.5, 5), (UNKNOWN, 7, 9)])
    assert turns_of(folder).empty
    file = tmp_path / "call.rttm"
    export_turns(folder, file)
    assert read_turns(file)[["start", "end"]].to_numpy().tolist() == [[1, 3], [3.5, 5], [7, 9]]
    with pytest.raises(InputError, match=r"3 annotations are in a tier of unknown, the first at 1\.000 s"):
        import_turns(folder, file)
    change = import_turns(folder, rttm(file, ("client", 1, 5, "turn"), ("therapist", 7, 9, "turn")))
    assert rows(folder) == [("p1", 1.0, 5.0, "turn"), ("p2", 7.0, 9.0, "turn")]
    assert change.after["client"].speech_s == pytest.approx(3.5)  # the pause is known, if not whose it was
    reset_turns(folder)
    assert turns_of(folder).empty


def test_features_are_computed_again_and_gathered(tmp_path, folder):
    session(folder.parent, name="s2")
    row = pd.read_parquet(folder / "features.parquet")
    pd.DataFrame({"session_id": ["s1"], "stale": [1.0]}).to_parquet(folder / "features.parquet", index=False)
    (folder.parent / "features.parquet").unlink()
    import_turns(folder, rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn")))
    again = pd.read_parquet(folder / "features.parquet")
    assert list(again) == list(row)
    share = "client.quality.speech_share"
    # of 10 s that were found to be the client's, 6.5 s lie in the one turn that the person gave
    assert again[share][0] == pytest.approx(row[share][0] * 6.5 / 10)
    reset_turns(folder)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "features.parquet"), row)
    assert pd.read_parquet(folder.parent / "features.parquet")["session_id"].tolist() == ["s1", "s2"]
    assert len(record_of(folder)["quality"]["features_missing"]) > 10


def test_reset_brings_back_what_was_found(tmp_path, folder):
    before = contents(folder)
    import_turns(folder, rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn")))
    assert len(rows(folder)) == 1
    change = reset_turns(folder)
    assert (change.before["client"].turns, change.after["client"].turns) == (1, 2)
    assert record_of(folder)["sound"]["turns"] == FOUND
    assert contents(folder) == before
    with pytest.raises(InputError, match="were not corrected"):
        reset_turns(folder)


def test_that_nobody_spoke_must_be_said(tmp_path, folder):
    file = tmp_path / "none.rttm"
    file.write_text("", "utf-8")
    with pytest.raises(InputError, match="holds no turns"):
        import_turns(folder, file)
    import_turns(folder, file, empty=True)
    assert turns_of(folder).empty
    assert kept(folder).table.empty
    export_turns(folder, tmp_path / "again.TextGrid")
    assert read_turns(tmp_path / "again.TextGrid", participants=["client", "therapist"]).empty


# Extracted afresh


def test_a_correction_outlives_ids_that_change_places(tmp_path, folder):
    import_turns(folder, rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn"), ("therapist", 9, 10, "turn")))
    correction = kept(folder)
    people = [{"id": "p1", "role": "therapist"}, {"id": "p2", "role": "client"}]
    settled = settle(correction, people, speech_in(folder), "a" * 64)
    assert settled.turns.table["participant"].tolist() == ["p2", "p1"]
    assert settled.record == record_of(folder)["sound"]["turns"]
    assert not settled.note


@pytest.mark.parametrize(
    ("people", "recording", "why"),
    [
        ([{"id": "p1", "role": None}, {"id": "p2", "role": None}], "a" * 64, "client, therapist"),
        ([{"id": "p1", "role": "client"}], "a" * 64, "made for client, therapist"),
        ([{"id": "p1", "role": "client"}, {"id": "p2", "role": "therapist"}], "b" * 64, "another recording"),
    ],
)
def test_a_correction_of_other_people_or_another_recording_is_kept_and_not_used(
    tmp_path, folder, people, recording, why
):
    found = turns_of(folder)
    import_turns(folder, rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn"), ("therapist", 9, 10, "turn")))
    said = record_of(folder)["sound"]["turns"]
    settled = settle(kept(folder), people, speech_in(folder), recording)
    assert settled.note.startswith(NOT_USED)
    assert why in settled.note
    assert settled.record["from"] == "found"
    if len(people) == 2:
        assert settled.turns.table["start"].tolist() == found["start"].tolist()
    # as the owner of a session's folder does it; the next extraction may fit again
    afresh = tmp_path / "afresh" / "s1"
    afresh.mkdir(parents=True)
    settled.write(afresh, "s1")
    write_json(afresh / "session.json", {"sound": {"turns": settled.record}})
    again = kept(afresh)
    assert again.record() == said
    assert again.fits(record_of(folder)["participants"], "a" * 64)


def test_a_correction_is_kept_though_session_json_is_damaged(tmp_path, folder):
    import_turns(folder, rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn")))
    (folder / "session.json").write_text("{", "utf-8")
    correction = kept(folder)
    assert correction.fits([{"id": "p1", "role": "client"}])
    assert not correction.fits([{"id": "p1", "role": None}])
    assert correction.file == CORRECTED
    (folder / CORRECTED).write_text("SPEAKER s1 1 one two\n", "utf-8")
    with pytest.raises(InputError, match=r"turns\.corrected\.rttm, line 1"):
        kept(folder)


# What is refused


def wrong(folder: Path, file: Path, match: str) -> None:
    before = contents(folder)
    with pytest.raises(InputError, match=match):
        import_turns(folder, file)
    assert contents(folder) == before
    assert parts_left(folder) == []


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ([("nurse", 1, 2, "turn")], "'nurse' is nobody in this session"),
        ([("client", 1, 20.6, "turn")], r"from 1\.000 to 20\.600 s lies outside of the recording"),
        ([("client", -0.6, 2, "turn")], "lies outside of the recording"),
        (
            [("client", 1, 8, "turn"), ("client", 7, 7.5, "backchannel"), ("client", 7.9, 9, "backchannel")],
            r"client overlaps themselves: the backchannel from 7\.000 to 7\.500 s .* \(8\.000 s\); so do 1 more",
        ),
    ],
)
def test_a_file_that_can_be_no_correction_is_refused(tmp_path, folder, lines, match):
    wrong(folder, rttm(tmp_path / "mine.rttm", *lines), match)


def test_a_tier_that_is_missing_or_somebody_elses_is_refused(tmp_path, folder):
    file = tmp_path / "call.eaf"
    export_turns(folder, file)
    text = file.read_text("utf-8")
    file.write_text(text.replace("turn@therapist", "turn@nurse"), "utf-8")
    wrong(folder, file, "tier 'turn@nurse' is of nobody in this session")
    tier = 'LINGUISTIC_TYPE_REF="turn" PARTICIPANT="therapist" TIER_ID="turn@therapist"'
    assert tier in text
    file.write_text(text.replace(tier, 'LINGUISTIC_TYPE_REF="x" TIER_ID="notes"'), "utf-8")
    wrong(folder, file, "there is no tier turn@therapist")
    wrong(folder, tmp_path / "absent.eaf", "can't be read")


def test_a_session_without_participants_or_sound_has_no_turns(tmp_path):
    nobody = session(tmp_path / "out", [(UNKNOWN, 1, 3)], roles={})
    export_turns(nobody, tmp_path / "nobody.eaf")
    wrong(nobody, rttm(tmp_path / "mine.rttm", ("client", 1, 2, "turn")), "has no participants")
    silent = session(tmp_path / "out", [], name="silent")
    wrong(silent, tmp_path / "mine.rttm", "has no sound")
    with pytest.raises(InputError, match="has no sound"):
        export_turns(silent, tmp_path / "silent.eaf")


def test_a_file_of_a_person_is_not_written_over(tmp_path, folder):
    file = tmp_path / "call.TextGrid"
    export_turns(folder, file)
    file.write_text("mine", "utf-8")
    with pytest.raises(InputError, match="may hold corrections"):
        export_turns(folder, file)
    assert file.read_text("utf-8") == "mine"
    export_turns(folder, file, replace=True)
    assert len(read_turns(file)) == 5
    with pytest.raises(InputError, match="would lie in the session's folder"):
        export_turns(folder, folder / "call.TextGrid")
    with pytest.raises(InputError, match=r"\.rttm, \.TextGrid or \.eaf"):
        export_turns(folder, tmp_path / "call.csv")


def test_a_session_folder_with_somebodys_notes_is_not_replaced(tmp_path, folder):
    (folder / "notes.txt").write_text("mine", "utf-8")
    with pytest.raises(SessionError, match=r"no result of vsa \(notes\.txt\)"):
        import_turns(folder, rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn")))
    assert (folder / "notes.txt").exists()


# What can go wrong on the way


def limited(bytes_at_most: int) -> tuple[str, ...]:
    """Runs a command that can write no file larger than this: what a full disk does, at a place of our choice."""
    run = (
        "import os, resource, sys; n = int(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE, (n, n)); "
    )
    return (sys.executable, "-c", run + "os.execv(sys.argv[2], sys.argv[2:])", str(bytes_at_most))


@pytest.mark.slow
@pytest.mark.parametrize("at_most", [500, 100_000])
def test_a_disk_that_gets_full_leaves_the_session_as_it_was(tmp_path, folder, at_most):
    lines = [("client", 0.0005 * k, 0.0005 * k + 0.0004, "turn") for k in range(2, 4000)]  # 200 kB of RTTM
    file = rttm(tmp_path / "mine.rttm", *lines)
    before = contents(folder)
    done = vsa("turns", "import", folder, file, prefix=limited(at_most))
    assert done.returncode == 3, done
    assert "can't be written (File too large)" in done.stderr
    assert contents(folder) == before
    assert parts_left(folder) == []
    assert log.entries(folder.parent) == []
    assert vsa("turns", "import", folder, file).returncode == 0
    assert len(turns_of(folder)) == len(lines)
    assert vsa("turns", "reset", folder).returncode == 0
    assert [entry.command for entry in log.entries(folder.parent)] == ["turns import", "turns reset"]
    assert all(entry.ids == ("s1",) for entry in log.entries(folder.parent))


def test_a_run_that_was_killed_between_two_renames_is_made_good(tmp_path, folder):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    before = contents(folder)
    folder.rename(folder.parent / f".s1.{results_module._HOST}-{gone.pid}-00000000.old.part")
    export_turns(folder, tmp_path / "call.eaf")
    assert contents(folder) == before
    assert parts_left(folder) == []


def test_a_session_that_another_run_replaces_meanwhile_is_not_put_back(folder):
    results = Results(folder.parent)

    def revise() -> None:
        with results.revising("s1", ["session.json"]) as part:
            write_json(part / "session.json", {"mine": True})
            results.amend("s1", {**record_of(folder), "facts": {"new": "1"}})

    with pytest.raises(SessionError, match="changed by another run meanwhile"):
        revise()
    assert record_of(folder)["facts"] == {"new": "1"}
    assert parts_left(folder) == []


def test_what_does_not_change_is_not_copied(tmp_path, folder):
    face, turns = ((folder / name).stat().st_ino for name in ("face.parquet", "turns.parquet"))
    import_turns(folder, rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn")))
    assert (folder / "face.parquet").stat().st_ino == face
    assert (folder / "face.parquet").stat().st_nlink == 1
    assert (folder / "turns.parquet").stat().st_ino != turns


@pytest.mark.slow
def test_two_runs_at_once_leave_a_whole_session(tmp_path, folder):
    files = [rttm(tmp_path / f"{k}.rttm", ("client", 1, 8 + k, "turn")) for k in range(2)]
    runs = [
        subprocess.Popen(
            [*VSA, "turns", "import", folder, file], stderr=subprocess.PIPE, text=True, env=os.environ
        )
        for file in files
    ]
    ended = [(run.communicate()[1], run.returncode) for run in runs]
    assert {code for _, code in ended} <= {0, 3}, ended
    assert any(code == 0 for _, code in ended)
    said = record_of(folder)["sound"]["turns"]["file"]
    assert rows(folder) == [("p1", 1.0, 8.0 + int(said[0]), "turn")]
    assert parts_left(folder) == []


# The command


@pytest.mark.slow
def test_the_commands_print_what_changed(tmp_path, folder):
    file = tmp_path / "call.TextGrid"
    done = vsa("turns", "export", folder, file)
    assert done.returncode == 0
    assert f"vsa turns import {folder} {file}" in done.stdout
    done = vsa("turns", "import", folder, rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn")))
    lines = [re.split(r"\s{2,}", line) for line in done.stdout.splitlines()]
    assert lines[0] == ["", "turns", "backchannels", "speech, s"]
    assert lines[1] == ["client", "2 -> 1", "0", "10.0 -> 6.5"]
    assert lines[2] == ["therapist", "1 -> 0", "2 -> 0", "3.6 -> 0.0"]
    assert lines[3] == ["s1: the turns are those of mine.rttm."]
    done = vsa("turns", "reset", folder, "--json")
    said = json.loads(done.stdout)
    assert said["turns"] == FOUND
    assert said["after"]["client"] == {"turns": 2, "backchannels": 0, "speech_s": 10.0}


def test_what_is_no_session_is_said(tmp_path, folder):
    file = rttm(tmp_path / "mine.rttm", ("client", 1, 8, "turn"))
    for place, said in (
        (folder.parent, f"Give one of its sessions, as {folder}."),
        (tmp_path / "nowhere", "is no session"),
        (file, "is no session"),
    ):
        done = vsa("turns", "import", place, file)
        assert done.returncode == 2
        assert said in done.stderr
    (folder / "turns.parquet").unlink()
    done = vsa("turns", "import", folder, file)
    assert done.returncode == 2
    assert "Extract it again" in done.stderr


def test_of_several_recordings_in_one_rttm_one_is_named(tmp_path, folder):
    line = "SPEAKER {} 1 1 {} <NA> <NA> client <NA> <NA>\n"
    file = tmp_path / "all.rttm"
    file.write_text(line.format("s1", 4) + line.format("s2", 5), "utf-8")
    assert vsa("turns", "import", folder, file).returncode == 2
    assert vsa("turns", "import", folder, file, "--recording", "s2").returncode == 0
    assert rows(folder) == [("p1", 1.0, 6.0, "turn")]


@pytest.mark.slow
def test_extracting_afresh_keeps_what_a_person_corrected(tmp_path):
    clip = clip_path("call_two_tiles.mp4")
    extract = ("extract", clip, "--out", tmp_path / "out", "--fps", "6")
    assert vsa(*extract).returncode == 0
    folder = tmp_path / "out" / "call_two_tiles"
    found, speech = rows(folder), contents(folder)["voice.parquet"]
    lines = [("p1", 0.5, 5, "turn"), ("p2", 5.25, 7, "turn")]
    import_turns(folder, rttm(tmp_path / "mine.rttm", *lines))
    said = record_of(folder)["sound"]["turns"]
    assert vsa(*extract).returncode == 0  # it is finished
    assert rows(folder) == lines
    assert vsa(*extract, "--afresh").returncode == 0
    assert rows(folder) == lines
    assert record_of(folder)["sound"]["turns"] == said
    reset_turns(folder)
    assert rows(folder) == found
    assert contents(folder)["voice.parquet"] == speech
