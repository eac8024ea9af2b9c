"""Manifests: what is right becomes plans, and everything that is wrong is said at once."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsa.errors import InputError
from vsa.study import manifest_media
from vsa.study.addresses import Address
from vsa.study.consent import PURPOSES, Consent
from vsa.study.manifest import Manifest, read_manifest
from vsa.study.plan import SessionPlan, Video, from_media, id_fault, normal_id
from vsa.study.tables import read_table

EVERYTHING = frozenset(PURPOSES)


def consented(*roles: str) -> Consent:
    """Everybody agreed to everything."""
    return Consent(dict.fromkeys(roles or ("all",), EVERYTHING))


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
        SessionPlan(
            "s1",
            (Video(tmp_path / "a.mp4"),),
            {"client": "left"},
            {"bond": "3.5"},
            consent=consented("client"),
        ),
        SessionPlan("s2", (Video(tmp_path / "b.mp4"),), {"client": 2}, consent=consented("client")),
    ]
    assert got.without_consent == []


@pytest.mark.parametrize(
    "text",
    [
        '\ufeffsession_id;video;consent;tile:client\r\n"s1";a.mp4;yes;0,0,640,360\r\n',
        "session_id\tvideo\tconsent\ttile:client\ns1\ta.mp4\tyes\t0,0,640,360\n",
        '\n , ,\nsession_id, video ,consent,tile:client\n\ns1 ,a.mp4, yes,"0, 0, 640, 360"\n,,,\n\n',
        'session_id,video,consent,tile:client,,\ns1,a.mp4,yes,"0,0,640,360",,\n',
        "sep=;\r\nsession_id;video;consent;tile:client\r\ns1;a.mp4;yes;0,0,640,360\r\n",
        "session_id\tvideo\tconsent\ttile:client\r\ns1\ta.mp4\tyes\t0,0,640,360\r\n".encode("utf-16"),
        '\ufeffsession_id,video,consent,tile:client\ns1,a.mp4,yes,"0,0,640,360"\n'.encode("utf-16-be"),
        '# a "comment, \n# another;;;\nsession_id;video;consent;tile:client\n#s0;b.mp4;yes;\n'
        "s1;a.mp4;yes;0,0,640,360\n",
        '"# as Excel saves ""comments"", with commas",,,\nsession_id,video,consent,tile:client\n'
        's1,a.mp4,yes,"0,0,640,360"\n  # the end,,,\n',
    ],
)
def test_what_spreadsheets_save_is_read(tmp_path: Path, text: str | bytes) -> None:
    (plan,) = read(tmp_path, text).plans
    tiles = {"client": (0, 0, 640, 360)}
    assert plan == SessionPlan("s1", (Video(tmp_path / "a.mp4"),), tiles, consent=consented("client"))


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
        ("s1,nosuch://bucket/a.mp4,yes", "nosuch:// is no protocol that is known"),
        ("s1,memory://nowhere/a.mp4,yes", "does not exist"),
        ("s1,memory://,yes", "is a folder"),
        ("s1,file:///nowhere/a.mp4,yes", "does not exist"),
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
        (
            "session_id,video,consent\ns1,a.mp4,yes\nSéance 2,Zürich.mp4,yes\n".encode("cp1252"),
            r"not UTF-8 text: row 3 holds 'Séance 2' if it is Windows-1252",
        ),
        (b"session_id,video,consent\ns1,\x81.mp4,yes\n", r"row 2 holds the byte 0x81"),
        ("session_id,video,consent\ns1,a.mp4,yes\n".encode("utf-16-le"), "UTF-16 without its mark"),
        (b"\xff\xfes", r"begins as UTF-16 text does, and is none"),
        (b"PK\x03\x04rest", "an Excel or OpenDocument workbook"),
        (b'session_id,video,consent\ns1,"a.mp4,yes\ns2,b.mp4,yes\n', "never closed"),
        (
            b"session_id,video,consent\ns1," + b"x" * 200_000 + b",yes\n",
            r"longer than a cell can be \(line 2\)",
        ),
        (b"session_id,video,consent\n", r"row 2, column session_id: there are no sessions"),
        (
            b"#\nsession_id,video,consent\n#s1,a.mp4,yes\n",
            r"row 3, column session_id: there are no sessions; add a row for each, below row 2",
        ),
        (b"#session_id,video,consent\ns1,a.mp4,yes\n", r"row 1 begins with #, so it is a comment"),
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


# -- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cell", "kept"),
    [
        ("session_number", "3", "3"),
        ("session_number", "3.0", "3"),
        ("date", "2026-11-24", "2026-11-24"),
        ("date", "20261124", "2026-11-24"),
        ("date", "2026-11-24 14:30", "2026-11-24T14:30:00"),
        ("modality", "In person", "in_person"),
        ("modality", "ONLINE", "online"),
        ("age", "0", "0"),
        ("age", "120", "120"),
        ("age", '"34,5"', "34.5"),
        ("rater", "Client", "client"),
        ("bond", "4.50", "4.50"),
        ("bond", '"-1,25"', "-1.25"),
        ("simulated", "True", "true"),
        ("simulated", "0", "false"),
        ("client_id", "007", "007"),
        ("diagnosis", "F32.1; mild", "F32.1; mild"),
        ("note", "11/24/2026", "11/24/2026"),
        ("phq_9", '"3,5"', "3,5"),
        ("arm", "NA", "NA"),
    ],
)
def test_a_cell_that_is_right_is_kept_in_one_spelling(
    tmp_path: Path, column: str, cell: str, kept: str
) -> None:
    (plan,) = read(tmp_path, f"session_id,video,consent,{column}\ns1,a.mp4,yes,{cell}\n").plans
    assert plan.facts == {column: kept}


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "NaN", "-", "."])
@pytest.mark.parametrize("column", ["bond", "age", "client_id", "date"])
def test_what_is_not_known_is_missing(tmp_path: Path, column: str, cell: str) -> None:
    (plan,) = read(tmp_path, f"session_id,video,consent,{column}\ns1,a.mp4,yes,{cell}\n").plans
    assert plan.facts == {}


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("session_number", "0", "must be a whole number from 1 on"),
        ("session_number", "2.5", "must be a whole number from 1 on"),
        ("session_number", "first", "must be a whole number from 1 on"),
        ("session_number", "9" * 5000, "must be a whole number from 1 on"),
        ("date", "24.11.2026", "must be written year-month-day: 2026-11-24"),
        ("date", "11/24/2026", "must be written year-month-day: 2026-11-24"),
        ("date", "24/11/26", "must be written year-month-day: 2026-11-24"),
        ("date", "3/4/2026", "must be written year-month-day: 2026-04-03 or 2026-03-04"),
        ("date", "2026-1-5", "must be written year-month-day: 2026-01-05"),
        ("date", "2026-24-11", "must be written year-month-day: 2026-11-24"),
        ("date", "46350", "if it is Excel's number of a day, write 2026-11-24"),
        ("date", "2026-02-30", "is no day of the calendar"),
        ("date", "last week", "must be a date as year-month-day"),
        ("modality", "Zoom", "must be online or in_person; the program that was used goes into platform"),
        ("age", "121", "must be years from 0 to 120"),
        ("age", "-1", "must be years from 0 to 120"),
        ("age", "young", "must be years from 0 to 120"),
        ("rater", "patient", "must be client, therapist or observer"),
        ("bond", "high", "must be a number"),
        ("bond", "inf", "must be a number"),
        ("bond", "1e999", "must be a number"),
        ("bond", '"1,234,5"', "must be a number"),
        ("simulated", "perhaps", "must be true or false"),
        ("client_id", "a\x1b[31m", "must be one line of at most 120 printable characters"),
        ("tile:client", "0", "must be left, right, a number from 1 on"),
    ],
)
def test_a_cell_that_is_wrong_is_said_with_what_would_be_right(
    tmp_path: Path, column: str, cell: str, said: str
) -> None:
    text = f"session_id,video,consent,{column}\ns1,a.mp4,yes,{cell}\n"
    ((row, where, why),) = faults(tmp_path, text)
    assert (row, where) == (2, column)
    assert why.startswith("'")
    assert said in why
    assert why.isprintable()
    assert "pydantic" not in why.lower()
    assert len(why) < 300


def test_faults_of_cells_do_not_hide_those_of_the_rest_of_the_row(tmp_path: Path) -> None:
    found = faults(
        tmp_path, "session_id,video,consent,date,bond,tile:client\n../x,gone.mp4,yes,1.1.1,high,left\n"
    )
    assert [column for _, column, _ in found] == ["session_id", "video", "date", "bond"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("sesion_number", "session_number"),
        ("Session Number", "session_number"),
        ("theraphist_id", "therapist_id"),
        ("clientid", "client_id"),
        ("diagnosys", "diagnosis"),
        ("Bond", "bond"),
        ("daet", "date"),
        ("video_client", "video:client"),
        ("client video", "video:client"),
        ("patient_audio", "audio:patient"),
        ("tiles:client", "tile:client"),
        ("consnet:client", "consent:client"),
        ("Tile", "tile:<role>"),
    ],
)
def test_a_column_that_looks_misspelt_is_a_fault_with_a_suggestion(
    tmp_path: Path, name: str, meant: str
) -> None:
    found = faults(tmp_path, f"session_id,video,consent,{name}\ns1,a.mp4,yes,1\n")
    assert found == [(1, name, f"is it {meant}? Rename it; if it is something else, give it another name")]


@pytest.mark.parametrize(
    "name",
    [
        *("rate", "stage", "bond2", "bond_therapist", "consent_version", "consent_date", "video_quality"),
        *("phq_9", "client_age", "therapist_gender", "diagnosis_2", "wai:client", "dates_of_illness", "arm"),
        *("platform_version", "client_id_old", "Größe", "simulation"),
    ],
)
def test_other_columns_are_covariates(tmp_path: Path, name: str) -> None:
    (plan,) = read(tmp_path, f"session_id,video,consent,{name}\ns1,a.mp4,yes,x\n").plans
    assert plan.facts == {name: "x"}


@pytest.mark.parametrize(("role", "meant"), [("theraphist", "therapist"), ("Client", "client")])
def test_a_misspelt_role_is_a_fault(tmp_path: Path, role: str, meant: str) -> None:
    ((_, column, text),) = faults(tmp_path, f"session_id,video,consent,tile:{role}\ns1,a.mp4,yes,left\n")
    assert column == f"tile:{role}"
    assert f"is '{role}' the {meant}?" in text


@pytest.mark.parametrize("role", ["client2", "observer", "co_therapist", "mother"])
def test_other_roles_are_roles(tmp_path: Path, role: str) -> None:
    (plan,) = read(tmp_path, f"session_id,video,consent,tile:{role}\ns1,a.mp4,yes,left\n").plans
    assert plan.tiles == {role: "left"}


@pytest.mark.parametrize(("name", "meant"), [("File", "video"), ("vidoe", "video"), ("id", "session_id")])
def test_a_needed_column_under_another_name_is_found(tmp_path: Path, name: str, meant: str) -> None:
    header = [name if column == meant else column for column in ("session_id", "video", "consent")]
    found = faults(tmp_path, f"{','.join(header)}\ns1,a.mp4,yes\n")
    assert (1, meant, f"the column is missing; rename {name}") in found
    assert len(found) == 1


# -- where recordings are ---------------------------------------------------------------------------------------------


def test_a_path_that_nearly_leads_somewhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls" / "session_01.MP4").touch()
    for value in ("calls/session_01.mp4", "calls/session01.MP4", "calls\\session_01.MP4"):
        ((_, _, text),) = faults(tmp_path, f"session_id,video,consent\ns1,{value},yes\n")
        assert "; is it 'calls/session_01.MP4'? Fix the path" in text


def test_addresses_are_recordings_too(tmp_path: Path) -> None:
    import fsspec

    address = "memory://test_manifest/a call.mp4"
    with fsspec.open(address, "wb") as file:
        file.write(b"x")
    text = (
        "session_id,video:client,video:therapist,audio:client,consent\n"
        f"s1,{address},{(tmp_path / 'a.mp4').as_uri()},b.mp4,yes\n"
    )
    (plan,) = read(tmp_path, text).plans
    client, therapist = (video.path for video in plan.videos)
    assert isinstance(client, Address)
    assert client.url == address
    assert client.name == "a call.mp4"
    assert therapist == tmp_path / "a.mp4"
    assert plan.audio == {"client": tmp_path / "b.mp4"}


def test_a_store_without_its_driver_is_a_fault_that_names_the_package(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    if importlib.util.find_spec("s3fs"):
        pytest.skip("s3fs is installed")
    ((_, column, text),) = faults(tmp_path, "session_id,video,consent\ns1,s3://bucket/a.mp4,yes\n")
    assert column == "video"
    assert "no driver for s3:// is installed" in text
    assert "s3fs" in text


def test_a_store_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(manifest_media, "_PATIENCE_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:  # it takes a call and says nothing
        address = f"ftp://127.0.0.1:{server.getsockname()[1]}/a.mp4"
        begin = time.monotonic()
        ((_, _, text),) = faults(tmp_path, f"session_id,video,consent\ns1,{address},yes\n")
        assert time.monotonic() - begin < 5
    assert "did not answer within" in text


# -- anything ---------------------------------------------------------------------------------------------------------

_HEADERS = st.lists(
    st.sampled_from(
        [
            *(
                "session_id",
                "video",
                "consent",
                "video:client",
                "consent:client",
                "tile:client",
                "audio:client",
            ),
            *(
                "date",
                "bond",
                "age",
                "rater",
                "session_number",
                "simulated",
                "client_id",
                "x",
                "",
                "#",
                "tile",
            ),
            *("video:", "sesion_id", "Bond", ":", "consent:p1", '"', "video_client"),
        ]
    )
    | st.text(max_size=8),
    max_size=8,
)
_CELLS = st.lists(
    st.sampled_from(
        [
            *(
                "s1",
                "a.mp4",
                "yes",
                "no",
                "research; quality",
                "left",
                "1",
                "0,0,640,360",
                "../x",
                "C:\\x",
                "",
            ),
            *("memory://x", "memory://", "file:///", "file://[", "nope://x", "://", "s3://", "memory://\0"),
            *(
                "zip://a::b",
                "2026-11-24",
                "24.11.2026",
                "46350",
                "99999",
                "3,5",
                "nan",
                "1e999",
                "#",
                '"',
                "\0",
            ),
            *("\ud7ff", "\x85", "..", ".", "/", "~", "data:,", "data://x", "simplecache::memory://x", "a\\b"),
        ]
    )
    | st.text(max_size=8),
    max_size=9,
)


def _never_another_error(content: bytes, folder: Path) -> None:
    path = folder / "manifest.csv"
    path.write_bytes(content)
    with suppress(InputError):
        plans = read_manifest(path).plans
        assert all(plan.consent and plan.videos and not id_fault(plan.session_id) for plan in plans)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_a_manifest_or_an_input_error(tmp_path: Path, content: bytes) -> None:
    _never_another_error(content, tmp_path)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=_HEADERS,
    rows=st.lists(_CELLS, max_size=4),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "utf-16-le"]),
)
def test_any_table_is_a_manifest_or_an_input_error(
    tmp_path: Path, header: list[str], rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    (tmp_path / "a.mp4").touch()
    head = ["session_id", "video", "consent", *header]
    text = "\n".join(delimiter.join(cells) for cells in (head, *(["s1", "a.mp4", *row] for row in rows)))
    _never_another_error(text.encode(encoding, "replace"), tmp_path)


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


@pytest.mark.parametrize(
    ("instrument", "bond", "said"),
    [
        ("wai-sr", "0.5", "is no bond of the wai-sr: means go from 1 to 5"),
        ("wai-sr", "20.5", "their sum from 4 to 20"),
        ("wai-sr", "0", "means go from 1 to 5"),
        ("WAI SR", "20,25", "is no bond of the wai-sr"),
        ("srs", "10.1", "means go from 0 to 10"),
        ("wai-36", "85", "their sum from 12 to 84"),
        ("softa-o", "-4", "means go from -3 to 3"),
    ],
)
def test_a_bond_that_its_questionnaire_cannot_give_is_a_fault(
    tmp_path: Path, instrument: str, bond: str, said: str
) -> None:
    text = f'session_id,video,consent,instrument,bond\ns1,a.mp4,yes,{instrument},"{bond}"\n'
    ((row, where, why),) = faults(tmp_path, text)
    assert (row, where) == (2, "bond")
    assert said in why


@pytest.mark.parametrize(
    ("instrument", "bond"),
    [
        ("wai-sr", "1"),
        ("wai-sr", "5"),
        ("wai-sr", "20"),
        ("softa-o", "-3"),
        ("haq-ii", "999"),
        ("", "999"),
        ("mine", "999"),
    ],
)
def test_a_bond_that_is_possible_or_cannot_be_judged_is_kept(
    tmp_path: Path, instrument: str, bond: str
) -> None:
    (plan,) = read(
        tmp_path, f"session_id,video,consent,instrument,bond\ns1,a.mp4,yes,{instrument},{bond}\n"
    ).plans
    assert plan.facts["bond"] == bond


def test_a_questionnaire_that_is_written_otherwise_is_named(tmp_path: Path) -> None:
    ((_, where, why),) = faults(tmp_path, "session_id,video,consent,instrument\ns1,a.mp4,yes,waisr\n")
    assert where == "instrument"
    assert "is written wai-sr" in why


def test_a_wide_table_is_read_and_an_absurdly_wide_one_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()

    def wide(columns: int) -> str:
        further = "".join(f",x{k}" for k in range(columns))
        return f"session_id,video,consent{further}\ns1,a.mp4,yes{',7' * columns}\n"

    begun = time.process_time()
    (plan,) = read(tmp_path, wide(1990)).plans
    assert len(plan.facts) == 1990
    for columns in (1998, 20_000):
        with pytest.raises(InputError, match=rf"has {columns + 3} columns, and a manifest has 2000 at most"):
            read(tmp_path, wide(columns))
    assert time.process_time() - begun < 2
