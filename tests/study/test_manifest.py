"""Manifests: what is right becomes plans, and everything that is wrong is said at once."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsa.errors import InputError
from vsa.study.manifest import Manifest, read_manifest
from vsa.study.plan import SessionPlan, Video, from_media, id_fault, normal_id
from vsa.study.tables import read_table


def write(folder: Path, text: str | bytes, name: str = "manifest.csv") -> Path:
    for recording in ("a.mp4", "b.mp4", "c.mp4"):
        (folder / recording).touch()
    path = folder / name
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return path


def read(folder: Path, text: str | bytes) -> Manifest:
    return read_manifest(write(folder, text))


def faults(folder: Path, text: str | bytes) -> list[tuple[int, str, str]]:
    """Row, column and text of every fault that a manifest is refused for."""
    with pytest.raises(InputError) as caught:
        read(folder, text)
    assert caught.value.exit_code == 2
    lines = caught.value.message.splitlines()
    found = [re.fullmatch(r"  row (\d+), column ([^:]*(?::\w*)?): (.*)", line) for line in lines[1:]]
    assert all(found), lines
    assert lines[0].split(" has ")[1].split()[0] == str(len(found))
    return [(int(f[1]), f[2], f[3]) for f in found if f]


def test_a_plain_manifest(tmp_path: Path) -> None:
    got = read(
        tmp_path, "session_id,video,consent,bond,tile:client\ns1,a.mp4,yes,3.5,left\ns2,b.mp4,YES,,2\n"
    )
    assert got.plans == [
        SessionPlan("s1", (Video(tmp_path / "a.mp4"),), {"client": "left"}, {"bond": "3.5"}),
        SessionPlan("s2", (Video(tmp_path / "b.mp4"),), {"client": 2}, {}),
    ]
    assert got.without_consent == []


@pytest.mark.parametrize(
    "text",
    [
        '\ufeffsession_id;video;consent;tile:client\r\n"s1";a.mp4;yes;0,0,640,360\r\n',
        "session_id\tvideo\tconsent\ttile:client\ns1\ta.mp4\tyes\t0,0,640,360\n",
        '\n , ,\nsession_id, video ,consent,tile:client\n\ns1 ,a.mp4, yes,"0, 0, 640, 360"\n,,,\n\n',
        'session_id,video,consent,tile:client,,\ns1,a.mp4,yes,"0,0,640,360",,\n',
    ],
)
def test_what_spreadsheets_save_is_read(tmp_path: Path, text: str) -> None:
    (plan,) = read(tmp_path, text).plans
    assert plan == SessionPlan("s1", (Video(tmp_path / "a.mp4"),), {"client": (0, 0, 640, 360)}, {})


def test_every_fault_is_said_at_once_with_row_column_value_and_remedy(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        "session_id,video,consent,tile:client,tile:therapist\n"
        "s1,gone.mp4,yes,left,left\n"
        ",a.mp4,yes,,\n"
        "\n"
        "s3,,yes,,\n"
        "s4,b.mp4,yes,upstairs,right\n"
        "s1,c.mp4,yes,,\n"
        "../s6,c.mp4,yes,,\n",
    )
    told = [(row, column) for row, column, _ in found]
    assert told == [
        (2, "video"),
        (2, "tile:therapist"),
        (3, "session_id"),
        (5, "video"),
        (6, "tile:client"),
        (7, "session_id"),
        (8, "session_id"),
    ]
    texts = [text for _, _, text in found]
    assert texts[0] == f"'gone.mp4' does not exist (looked in {tmp_path}). Fix the path, or remove the row."
    assert texts[1] == "'left' is tile:client already; give each their own"
    assert "'upstairs' must be left, right, a number from 1 on, or x,y,w,h" in texts[4]
    assert texts[5] == "'s1' is the id of row 2; give each session its own"
    assert "'../s6' can't name a session" in texts[6]


def test_missing_columns_are_said_with_the_rows_faults(tmp_path: Path) -> None:
    found = faults(tmp_path, "Session ID,tile:client\ns1,nowhere\n")
    assert [(row, column) for row, column, _ in found] == [
        (1, "session_id"),
        (1, "video"),
        (1, "consent"),
        (2, "tile:client"),
    ]
    assert found[0][2] == "the column is missing; rename Session ID"


def test_a_list_of_many_faults_ends(tmp_path: Path) -> None:
    rows = "".join(f"s{k},gone{k}.mp4,yes\n" for k in range(40))
    with pytest.raises(InputError, match=r"has 40 faults") as caught:
        read(tmp_path, "session_id,video,consent\n" + rows)
    assert caught.value.message.splitlines()[-1] == "  and 15 more"
    assert len(caught.value.message.splitlines()) == 27


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("session_id,video,consent,video", "video"),
        ("session_id,video:,consent", "video:"),
        ("session_id,video,consent,tile", "tile"),
        ("session_id,video:the client,consent", "video:the client"),
        ("session_id,video:p1,consent", "video:p1"),
        ("session_id,video:dyad,consent", "video:dyad"),
        ("session_id,video:client,video:therapist,consent:client", "consent:therapist"),
    ],
)
def test_columns_that_mean_nothing_are_refused(tmp_path: Path, header: str, column: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"row 1, column {column}: ")):
        read(tmp_path, header + "\n" + "s1,a.mp4,yes,yes\n")


def test_a_cell_too_many_is_no_silent_loss(tmp_path: Path) -> None:
    found = faults(tmp_path, "session_id,video,consent,tile:client\ns1,a.mp4,yes,0,0,640,360\n")
    assert (found[0][0], "put quotes around" in found[0][2]) == (2, True)
    (nameless,) = faults(tmp_path, "session_id,video,consent,\ns1,a.mp4,yes,note\n")
    assert "'note' stands in a column without a name" in nameless[2]


@pytest.mark.parametrize("said", ["no", "", "y", "true", "yes please", "1", "ja"])
def test_anything_but_yes_is_no_consent(tmp_path: Path, said: str) -> None:
    got = read(tmp_path, f"session_id,video,consent\ns1,a.mp4,{said}\ns2,b.mp4, Yes \n")
    assert [plan.session_id for plan in got.plans] == ["s2"]
    assert got.without_consent == ["s1"]


def test_everybody_must_consent(tmp_path: Path) -> None:
    rows = "s1,a.mp4,b.mp4,yes,yes\ns2,a.mp4,b.mp4,yes,no\ns3,a.mp4,b.mp4,,yes\n"
    got = read(tmp_path, "session_id,video:client,video:therapist,consent:client,consent:therapist\n" + rows)
    assert [plan.session_id for plan in got.plans] == ["s1"]
    assert got.without_consent == ["s2", "s3"]
    assert [(v.path.name, v.role) for v in got.plans[0].videos] == [
        ("a.mp4", "client"),
        ("b.mp4", "therapist"),
    ]


def test_a_recording_that_was_deleted_is_no_fault_where_nothing_reads_it(tmp_path: Path) -> None:
    text = "session_id,video,consent\ns1,gone.mp4,no\ns2,gone too.mp4,yes\n"
    path = write(tmp_path, text)
    assert read_manifest(path, finished=["s2"]).without_consent == ["s1"]
    with pytest.raises(InputError, match=r"has 1 fault:\n  row 3, column video: 'gone too.mp4' does not"):
        read_manifest(path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("s1,.,yes", "is a folder"),
        ("s1,s3://bucket/a.mp4,yes", "is an address"),
        ("s1," + "x" * 5000 + ".mp4,yes", "can't be read"),
        ("s1,a\0.mp4,yes", "can't be read"),
        ("s1,a.mp4/b,yes", "does not exist"),
    ],
)
def test_paths_that_are_no_recordings(tmp_path: Path, row: str, said: str) -> None:
    ((number, column, text),) = faults(tmp_path, f"session_id,video,consent\n{row}\n")
    assert (number, column) == (2, "video")
    assert said in text
    assert len(text) < 300
    assert text.isprintable()


def test_recordings_per_participant_have_rules(tmp_path: Path) -> None:
    header = "session_id,video,video:client,video:therapist,tile:observer,consent\n"
    found = faults(
        tmp_path, header + "s1,a.mp4,b.mp4,,,yes\ns2,,a.mp4,a.mp4,,yes\ns3,,a.mp4,b.mp4,left,yes\n"
    )
    assert [(row, column) for row, column, _ in found] == [
        (2, "video"),
        (3, "video:therapist"),
        (4, "tile:observer"),
    ]


def test_a_separate_sound_track_must_be_there_and_is_no_fact(tmp_path: Path) -> None:
    header = "session_id,video,consent,audio:client\n"
    ((_, column, _),) = faults(tmp_path, header + "s1,a.mp4,yes,gone.wav\n")
    assert column == "audio:client"
    (plan,) = read(tmp_path, header + "s1,a.mp4,yes,b.mp4\n").plans
    assert not plan.facts


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n ,\n", "is empty"),
        ("session_id,video,consent\nSéance,a.mp4,yes\n".encode("latin-1"), "not UTF-8"),
        ("session_id,video,consent\ns1,a.mp4,yes\n".encode("utf-16"), "not UTF-8"),
        (b'session_id,video,consent\ns1,"a.mp4,yes\ns2,b.mp4,yes\n', "never closed"),
        (
            b"session_id,video,consent\ns1," + b"x" * 200_000 + b",yes\n",
            r"longer than a cell can be \(line 2\)",
        ),
        (b"session_id,video,consent\n", r"row 2, column session_id: there are no sessions"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, content)


def test_an_absent_manifest_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_manifest(path)


def test_facts_of_any_size_and_kind_stay_text(tmp_path: Path) -> None:
    note = "=HYPERLINK(1)\n" + "long " * 20_000
    (plan,) = read(tmp_path, f'session_id,video,consent,note,date\ns1,a.mp4,yes,"{note}",2024-03-01\n').plans
    assert plan.facts == {"note": note.strip(), "date": "2024-03-01"}


def test_facts_reach_the_table_that_models_learn_from(tmp_path: Path) -> None:
    import pandas as pd

    text = "session_id,video,consent,client_id,bond\ns1,a.mp4,yes,007,4.25\ns2,b.mp4,yes,008,3\n"
    plans = read(tmp_path, text).plans
    out = tmp_path / "out"
    out.mkdir()
    pd.DataFrame({"session_id": [plan.session_id for plan in plans]}).to_parquet(out / "features.parquet")
    for plan in plans:
        (out / plan.session_id).mkdir()
        record = {"session_id": plan.session_id, "facts": dict(plan.facts)}
        (out / plan.session_id / "session.json").write_text(json.dumps(record))
    table = read_table(out)
    assert table["client_id"].tolist() == ["007", "008"]
    assert table["bond"].tolist() == [4.25, 3.0]


# -- ids -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "s1",
        "2024-03-01 14.30",
        "GMT20240301_Recording_1280x720 (1)",
        "Séance 2",
        "सत्र",
        "O'Neill, [2] & co",
        "_s",
    ],
)
def test_names_that_call_programs_give_are_ids(name: str) -> None:
    assert id_fault(normal_id(name)) == ""


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "..",
            ".hidden",
            "a/b",
            "a\\b",
            "../up",
            "a:b",
            "a.",
            "a ",
            " a",
            "-rf",
            "=1+1",
            "@x",
            "+1",
        ),
        *("a\nb", "a\0b", "a\x1b[31m", "a\udcffb", "a\u202eb", "\u0301a", "a*", "x" * 121, "é" * 101),
        *("features.parquet", "Failures.CSV"),
    ],
)
def test_names_that_are_no_folder_or_trick_somebody_are_refused(name: str) -> None:
    fault = id_fault(name)
    assert fault
    assert fault.isprintable()


@given(st.text(max_size=150))
def test_an_id_that_is_accepted_is_one_plain_folder(text: str) -> None:
    if id_fault(text):
        return
    assert os.path.basename(text) == text
    assert Path("results", text).parent == Path("results")
    assert Path("results", text).name == text
    assert os.path.normpath(os.path.join("results", text)) == os.path.join("results", text)
    assert text.isprintable()
    assert text[0] not in ".-=+@ ~"
    assert len(text.encode()) <= 200


def test_one_spelling_of_an_accent_is_kept(tmp_path: Path) -> None:
    decomposed = "Se\u0301ance"
    (plan,) = from_media([tmp_path / f"{decomposed}.mp4"])
    assert plan.session_id == "S\u00e9ance"
    assert plan.videos[0].path.stem == decomposed
    (named,) = read(tmp_path, f"session_id,video,consent\n{decomposed},a.mp4,yes\n").plans
    assert named.session_id == plan.session_id


def test_ids_that_differ_in_case_only_are_refused(tmp_path: Path) -> None:
    ((_, _, text),) = faults(tmp_path, "session_id,video,consent\ns1,a.mp4,yes\nS1,b.mp4,yes\n")
    assert text == "'S1' differs only in case from 's1' in row 2; give each session its own"
    with pytest.raises(InputError, match="would both be session 'call'"):
        from_media([tmp_path / "call.mp4", tmp_path / "Call.mov"])
