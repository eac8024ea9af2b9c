"""Consent: what cells mean, what a session may be used for, and that nothing is used for more."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsa.errors import InputError
from vsa.study.addresses import place_of
from vsa.study.consent import PURPOSES, Consent, allowed_rows, consent_of, purposes_in
from vsa.study.folder import study_folder, study_of
from vsa.study.manifest import Manifest, read_manifest

BOTH = "session_id,video,consent:client,consent:therapist\n"


def read(folder: Path, text: str, purpose: str = "") -> Manifest:
    (folder / "a.mp4").touch()
    path = folder / "manifest.csv"
    path.write_text(text)
    return read_manifest(path, purpose=purpose)


@pytest.mark.parametrize(
    ("cell", "purposes"),
    [
        ("yes", {"research", "quality", "training"}),
        (" YES ", {"research", "quality", "training"}),
        ("research", {"research"}),
        ("research; quality", {"research", "quality"}),
        ("Research quality", {"research", "quality"}),
        ("training|quality", {"training", "quality"}),
        ("training+quality, research", {"research", "quality", "training"}),
        *((cell, set()) for cell in ("", "no", "ja", "y", "true", "1", "yes please", "withdrawn", "reserch")),
        ("no evaluation", set()),
        (";,|", set()),
    ],
)
def test_what_a_cell_means(cell: str, purposes: set[str]) -> None:
    assert purposes_in(cell) == purposes


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("research; qualty", "names research, and 'qualty', which is no purpose"),
        ("not research", "and 'not', which is no purpose"),
        ("yes; research", "and 'yes', which is no purpose"),
        ("quality, evaluation", "no purpose that evaluates staff"),
        ("staff", "no purpose that evaluates staff"),
        ("performance", "no purpose that evaluates staff"),
        ("yes employees", "no purpose that evaluates staff"),
    ],
)
def test_a_cell_that_says_two_things_is_a_fault(tmp_path: Path, cell: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        purposes_in(cell)
    with pytest.raises(InputError, match=f"row 2, column consent:client: '.*{said}.* write yes"):
        read(tmp_path, f'{BOTH}s1,a.mp4,"{cell}",yes\n')


@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from([*PURPOSES, "yes", "no", "staff", ";", "|"])).map(" ".join)
)
def test_a_cell_never_gives_more_than_it_names(cell: str) -> None:
    try:
        given_ = purposes_in(cell)
    except ValueError:
        return
    assert given_ <= set(PURPOSES)
    assert cell.strip().lower() == "yes" or all(purpose in cell.lower() for purpose in given_)


def test_what_all_agreed_to_is_what_a_session_may_be_used_for(tmp_path: Path) -> None:
    got = read(
        tmp_path,
        f"{BOTH}s1,a.mp4,yes,research; quality\ns2,a.mp4,research,training\ns3,a.mp4,quality,no\ns4,a.mp4,yes,yes\n",
    )
    assert {plan.session_id: plan.consent.record() for plan in got.plans if plan.consent} == {
        "s1": {
            "by": {"client": ["quality", "research", "training"], "therapist": ["quality", "research"]},
            "purposes": ["quality", "research"],
        },
        "s4": {"by": dict.fromkeys(("client", "therapist"), sorted(PURPOSES)), "purposes": sorted(PURPOSES)},
    }
    assert {one.session_id: one.why for one in got.left_out} == {
        "s2": "agreed to client: research; therapist: training; there is no purpose that all agreed to",
        "s3": "",
    }


def test_one_purpose_can_be_asked_for(tmp_path: Path) -> None:
    text = f"{BOTH}s1,a.mp4,yes,research; quality\ns2,a.mp4,training,training\n"
    for purpose, ids in (("research", ["s1"]), ("quality", ["s1"]), ("training", ["s2"]), ("", ["s1", "s2"])):
        got = read(tmp_path, text, purpose)
        assert [plan.session_id for plan in got.plans] == ids
        assert sorted([*got.without_consent, *ids]) == ["s1", "s2"]


def test_a_bare_consent_stands_for_all_and_one_more_column_can_only_narrow_it() -> None:
    everything, research = frozenset(PURPOSES), frozenset({"research"})
    assert consent_of({"": everything}, ()).record()["by"] == {"all": sorted(PURPOSES)}
    assert consent_of({"": research}, ("client", "therapist")).by == {
        "client": research,
        "therapist": research,
    }
    narrowed = consent_of({"": everything, "client": research}, ("client", "therapist"))
    assert narrowed.by == {"client": research, "therapist": everything}
    assert consent_of({"": research, "client": everything}, ()).by == {"client": research}
    # who is named and was not asked has not agreed
    assert consent_of({"client": everything}, ("client", "therapist")).purposes == frozenset()
    assert Consent({}).purposes == frozenset()


# -- what commands may use --------------------------------------------------------------------------------------------


def study(folder: Path, consents: dict[str, list[str] | None], manifest: str = "") -> pd.DataFrame:
    """A results folder whose ``session.json`` say what each session may be used for; its table."""
    for name, purposes in consents.items():
        (folder / name).mkdir(parents=True)
        record = None if purposes is None else {"by": {"all": purposes}, "purposes": purposes}
        (folder / name / "session.json").write_text(json.dumps({"session_id": name, "consent": record}))
    table = pd.DataFrame({"session_id": list(consents), "x": range(len(consents))})
    table.attrs["source"] = folder.name
    table.to_parquet(folder / "features.parquet")
    if manifest:
        (folder / "manifest.csv").write_text(manifest)
    return table


def test_rows_are_left_out_where_the_purpose_was_not_given(tmp_path: Path) -> None:
    table = study(tmp_path, {"s1": ["research"], "s2": ["quality", "research"], "s3": None, "s4": []})
    got = allowed_rows(table, tmp_path, "quality")
    assert got.table["session_id"].tolist() == ["s2", "s3"]
    assert got.table["x"].tolist() == [1, 2]
    assert got.table.attrs == table.attrs
    assert got.left_out == ("s1", "s4")
    assert got.notes == (
        "Left out, without consent for quality: s1, s4.",
        "Nobody wrote down what these may be used for; check that it includes quality: s3.",
    )
    # the table itself, and one beside it, are of the same study
    for source in (tmp_path / "features.parquet", tmp_path / "tables" / "mine.csv"):
        assert allowed_rows(table, source, "quality").left_out == ("s1", "s4")


def test_a_session_is_of_the_study_around_it(tmp_path: Path) -> None:
    study(tmp_path, {"s1": ["quality"], "s2": []}, "session_id,consent\ns1,no\ns2,quality\n")
    for name in ("s1", "s2"):
        own = pd.DataFrame({"session_id": [name], "x": [1]})
        own.to_parquet(tmp_path / name / "features.parquet")
        (tmp_path / name / "log.jsonl").touch()  # as earlier versions left it there
        address = place_of(f"local://{tmp_path}/{name}")
        for source in (tmp_path / name, tmp_path / name / "features.parquet", address):
            if name == "s2":
                assert allowed_rows(own, source, "quality").table["session_id"].tolist() == ["s2"]
                continue
            with pytest.raises(InputError, match="may be used for quality: not all of its people agreed"):
                allowed_rows(own, source, "quality")
        assert study_of(tmp_path / name) == study_of(tmp_path / name / "features.parquet") == tmp_path
        with pytest.raises(InputError, match="is one session"):
            study_folder(tmp_path / name)


def test_however_a_table_is_given_it_is_of_the_study_that_it_lies_in(tmp_path: Path) -> None:
    folder, deep = tmp_path / "study", tmp_path / "study" / "a" / "b" / "c"
    deep.mkdir(parents=True)
    text = "session_id,consent\ns1,no\ns2,yes\n"
    table = study(folder, {"s1": ["quality"], "s2": ["quality"]}, text)
    link, linked = tmp_path / "link.parquet", tmp_path / "linked"
    link.symlink_to(folder / "features.parquet")
    linked.symlink_to(folder, target_is_directory=True)
    copy = deep / "features.parquet"  # which makes its folder one of results
    copy.write_bytes((folder / "features.parquet").read_bytes())
    (deep / "mine.csv").touch()
    (deep / "there.csv").symlink_to(tmp_path / "elsewhere.csv")
    for source in (link, linked, linked / "features.parquet", copy, deep / "mine.csv", deep / "there.csv"):
        assert allowed_rows(table, source, "quality").left_out == ("s1",), source
    assert study_of(linked) == study_of(linked / "features.parquet") == linked
    assert study_of(link) == folder


def test_an_id_is_found_in_the_manifest_in_either_spelling_of_an_accent(tmp_path: Path) -> None:
    study(tmp_path, {"s1": ["quality"]}, "session_id,consent\ns1,yes\nJos\u00e9,no\n")
    table = pd.DataFrame({"session_id": ["s1", "Jose\u0301"]})
    assert allowed_rows(table, tmp_path, "quality").left_out == ("Jose\u0301",)


def test_far_up_only_a_manifest_of_sessions_makes_a_study(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (tmp_path / "log.jsonl").touch()
    (tmp_path / "manifest.csv").write_text("package,version\nx,1\n")
    assert study_of(deep / "table.csv") is None
    (tmp_path / "manifest.csv").write_text("# of the pilot\nsession_id,video,consent\n")
    assert study_of(deep / "table.csv") == tmp_path


def test_a_table_that_does_not_name_its_sessions_is_of_all_of_the_study(tmp_path: Path) -> None:
    study(tmp_path, {"s1": ["quality"], "s2": None})
    table, source = pd.DataFrame({"x": [1]}), tmp_path / "table.csv"

    def notes(manifest: str) -> tuple[str, ...]:
        (tmp_path / "manifest.csv").write_text(f"session_id,consent\n{manifest}")
        got = allowed_rows(table, source, "quality")
        assert got.table is table
        return got.notes

    assert notes("s1,yes\ns2,quality\n") == ()
    assert "table.csv has no session_id: it can't be told" in notes("s1,yes\ns2,no\n")[0]
    with pytest.raises(InputError, match=r"No session of .* may be used for quality"):
        notes("s1,no\ns2,research\n")


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    table = study(tmp_path, {"s1": ["research"], "s2": []})
    with pytest.raises(InputError, match="may be used for training: not all of its people agreed"):
        allowed_rows(table, tmp_path, "training")


def test_the_studys_manifest_is_newer_than_what_was_recorded(tmp_path: Path) -> None:
    text = (
        "# later\nsession_id,video,consent,date\ns1,gone.mp4,no,?\ns2,gone.mp4,training,\nS3,gone.mp4,yes,\n"
    )
    table = study(tmp_path, {"s1": ["training"], "s2": [], "s3": ["research"], "s4": ["training"]}, text)
    got = allowed_rows(table, tmp_path, "training")
    assert got.table["session_id"].tolist() == ["s2", "s3", "s4"]
    (tmp_path / "manifest.csv").write_text("session_id,consent\ns1,training staff\n")
    with pytest.raises(InputError, match="row 2, column consent"):
        allowed_rows(table, tmp_path, "training")
    (tmp_path / "manifest.csv").write_text("id,consent\ns1,yes\n")
    with pytest.raises(InputError, match="no column session_id"):
        allowed_rows(table, tmp_path, "training")


def test_tables_from_elsewhere_and_without_ids_are_left_as_they_are(tmp_path: Path) -> None:
    table = pd.DataFrame({"session_id": ["s1"], "x": [1]})
    for source in (tmp_path / "table.csv", tmp_path):
        got = allowed_rows(table, source, "training")
        assert got.table is table
        assert (got.left_out, got.notes) == ((), ())


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"consent": null}', "\x00"])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    table = study(tmp_path, {"s1": ["training"], "s2": ["training"]})
    (tmp_path / "s1" / "session.json").write_text(content)
    got = allowed_rows(table, tmp_path, "training")
    assert len(got.table) == 2
    assert "includes training: s1." in got.notes[0]


@pytest.mark.parametrize(
    "consent",
    [
        '{"by": {"all": []}, "purposes": null}',
        '{"by": {"all": ["training"]}}',
        '{"by": {}}',
        '{"purposes": "training"}',
        '{"purposes": {"training": false}}',
        "3",
        "[]",
        '"training"',
        "false",
    ],
)
def test_consent_that_is_there_and_cannot_be_read_is_none(tmp_path: Path, consent: str) -> None:
    table = study(tmp_path, {"s1": ["training"], "s2": ["training"]})
    (tmp_path / "s1" / "session.json").write_text(f'{{"consent": {consent}}}')
    got = allowed_rows(table, tmp_path, "training")
    assert got.table["session_id"].tolist() == ["s2"]
    assert got.notes == ("Left out, without consent for training: s1.",)
