"""Pseudonyms: the same for a key, telling nothing without it, and no id is left in what is scrubbed."""

from __future__ import annotations

import os
import pickle
import shlex
import subprocess
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsa.errors import InputError
from vsa.study.pseudonyms import Pseudonyms, looks_like

KEY = b"0123456789abcdef"


def key_file(path: Path, content: bytes = KEY, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_same_key_gives_the_same_pseudonyms_and_another_gives_others(tmp_path):
    first = Pseudonyms.read(key_file(tmp_path / "a"))
    again = Pseudonyms.read(key_file(tmp_path / "b", b"\n " + KEY + b" \r\n"))
    other = Pseudonyms.read(key_file(tmp_path / "c", KEY + b"!"))
    names = [f"s{k:02}" for k in range(50)]
    assert [first.session(name) for name in names] == [again.session(name) for name in names]
    assert not {first.session(name) for name in names} & {other.session(name) for name in names}


def test_pseudonyms_do_not_change_between_versions():
    # marks of reviewers are mapped back by them: known values, worked out with another implementation (OpenSSL)
    made = Pseudonyms(KEY)
    assert (made.session("s01"), made.client("c1"), made.therapist("t1")) == (
        "S-SVE7-TYED",
        "C-44S8-QC3Y",
        "T-03MK-68PQ",
    )


def test_kinds_get_unrelated_pseudonyms():
    made = Pseudonyms(KEY)
    parts = {made.session("7")[2:], made.client("7")[2:], made.therapist("7")[2:]}
    assert len(parts) == 3
    assert [made.session("7")[0], made.client("7")[0], made.therapist("7")[0]] == ["S", "C", "T"]


def test_spellings_of_one_id_are_one_person():
    made = Pseudonyms(KEY)
    assert made.session(" Müller-1 ") == made.session(unicodedata.normalize("NFD", "müller-1"))
    assert made.client("Müller") == made.client(unicodedata.normalize("NFD", " Müller"))
    assert made.client("Anna") != made.client("anna")  # two people, as for `vsa train`


def test_every_letter_is_as_likely_and_none_is_easily_confused():
    made = Pseudonyms(KEY)
    names = [made.client(str(k)) for k in range(4000)]
    assert len(set(names)) == len(names)
    assert all(looks_like(name) for name in names)
    counts = Counter("".join(name[2:].replace("-", "") for name in names))
    assert sorted(counts) == list("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    expected = 8 * 4000 / 32
    assert sum((n - expected) ** 2 / expected for n in counts.values()) < 61.1  # chi2, 31 df, p = 0.001


@pytest.mark.parametrize(("content", "count"), [(b"  short  \n", 5), (b"", 0), (b"0123456789abcde\n", 15)])
def test_a_short_key_is_refused_with_the_command_that_makes_one(tmp_path, content, count):
    path = key_file(tmp_path / "key", content)
    with pytest.raises(InputError, match=f"has {count} bytes, and 16 are the least") as told:
        Pseudonyms.read(path)
    assert "secrets.token_hex(32)" in told.value.hint


def test_the_command_in_the_hint_makes_a_key_that_nobody_else_reads(tmp_path):
    path = tmp_path / "the team's key"
    with pytest.raises(InputError, match="does not exist") as told:
        Pseudonyms.read(path)
    command = told.value.hint.partition("To make one: ")[2]
    subprocess.run(["sh", "-c", command], check=True)
    assert Pseudonyms.read(path).notes == ()
    assert len(path.read_text().strip()) == 64


def test_a_folder_or_a_recording_is_no_key(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        Pseudonyms.read(tmp_path)
    with pytest.raises(InputError, match="is longer than any key"):
        Pseudonyms.read(key_file(tmp_path / "call.mp4", b"x" * (1 << 20)))


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX systems")
def test_a_key_that_others_can_read_is_told_with_what_mends_it(tmp_path):
    path = key_file(tmp_path / "my key", mode=0o640)
    (note,) = Pseudonyms.read(path).notes
    assert "Other users" in note
    subprocess.run(shlex.split(note.partition("pseudonyms are: ")[2]), check=True)
    assert Pseudonyms.read(path).notes == ()


def test_the_key_is_not_printed_and_goes_to_other_processes():
    made = Pseudonyms(KEY)
    assert "0123456789abcdef" not in repr(made)
    assert pickle.loads(pickle.dumps(made)).session("s01") == made.session("s01")


def test_two_people_of_one_pseudonym_are_refused():
    made = Pseudonyms(KEY)
    one, other = "c584966", "c1115810"  # found by trying
    assert made.client(one) == made.client(other)
    made.check({"client": [one, one], "session": [other, "S01", "s01"]})
    with pytest.raises(InputError, match="two clients the same pseudonym: 'c584966' and 'c1115810'"):
        made.check({"session": ["s1"], "client": [one, "c1", other]})


@pytest.mark.parametrize(
    "text", ["s01", "S-7K3Q", "S-7K3Q-F2XMA", "X-7K3Q-F2XM", "S-7K3Q-F2XI", "S_7K3Q_F2XM", ""]
)
def test_ids_do_not_look_like_pseudonyms(text):
    assert not looks_like(text)


NAMES = {
    "s1": "S-1",
    "s10": "S-10",
    "Anna & Bo.mp4": "the recording",
    "Anna & Bo": "the recording",
    "Straße": "S-2",
    "Zoë": "C-1",
    "2": "C-2",
    "13": "S-13",
    "007": "C-3",
    "20240131": "S-3",
    "(x)": "S-4",
    "कम": "S-5",
}


@pytest.mark.parametrize(
    ("note", "scrubbed"),
    [
        ("anna & bo.MP4 has no sound", "the recording has no sound"),
        ("Anna & Bo.mp4: 2 pictures are damaged", "the recording: 2 pictures are damaged"),
        ("ANNA & BO, sound stream 1", "the recording, sound stream 1"),
        ("s1, s10, s100, s1_left, xs1", "S-1, S-10, s100, s1_left, xs1"),
        ("s1-s10.", "S-1-S-10."),
        ("STRASSE and straße, not Straßenbahn", "S-2 and S-2, not Straßenbahn"),
        (unicodedata.normalize("NFD", "Zoë spoke"), "C-1 spoke"),
        ("007 and 20240131 are no counts", "C-3 and S-3 are no counts"),
        ("f(x)(x)g", "fS-4S-4g"),
        ("कम, कमी", "S-5, कमी"),  # the vowel is a mark on the last letter
        ("2 of 2 pictures, 0:02, 2.2 s: 2 more", "2 of 2 pictures, 0:02, 2.2 s: 2 more"),
        ("Session 2 has 2 voices", "Session C-2 has 2 voices"),
        ("'2' has no folder", "'C-2' has no folder"),
        ("Left out, without consent: 2, 13 and 2 more.", "Left out, without consent: C-2, S-13 and 2 more."),
        ("Left out: 2.", "Left out: C-2."),
        ("Judged: 2. Weak: 13 (by chance 2).", "Judged: 2. Weak: 13 (by chance 2)."),
        ("speech: 2, 13 or 14", "speech: 2, 13 or 14"),
        ("nobody is named", "nobody is named"),
        ("", ""),
    ],
)
def test_names_go_from_notes_and_the_rest_stays(note, scrubbed):
    assert Pseudonyms.scrub(note, NAMES) == scrubbed


def test_names_that_overlap_go_whole():
    assert Pseudonyms.scrub("anna bo calls.mp4 ends", {"anna bo": "C", "bo calls.mp4": "R"}) == "R ends"
    assert Pseudonyms.scrub("anna bo calls.mp4", {"anna bo calls.mp4": "R", "anna": "C", "bo": "T"}) == "R"


_LETTERS = "aBß1_ -.(é\u0301İ\u017f"
_IDS = st.lists(st.text(_LETTERS, min_size=1, max_size=5).filter(str.strip), min_size=1, max_size=5)


@given(_IDS, st.text(_LETTERS + "sSs,", max_size=12), st.data())
def test_no_name_is_left_in_any_note(ids, filler, data):
    pieces = data.draw(st.lists(st.sampled_from([*ids, filler, " ", ", "]), max_size=10))
    note = "".join(data.draw(st.sampled_from([p, p.upper(), p.lower()])) for p in pieces)
    left = Pseudonyms.scrub(note, dict.fromkeys(ids, "\n"))  # in no name
    for part in map(_bare, left.split("\n")):
        for name in map(_bare, (one.strip() for one in ids)):
            if not name.isdecimal():
                assert not _stands_in(name, part), (name, part)


@given(_IDS, st.text(_LETTERS, max_size=20))
def test_a_note_without_the_names_stays(ids, note):
    note = unicodedata.normalize("NFC", note)
    if not any(_bare(one.strip()) in _bare(note) for one in ids):
        assert Pseudonyms.scrub(note, dict.fromkeys(ids, "\n")) == note


def _bare(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _stands_in(name: str, text: str) -> bool:
    """As a word of its own, tried at every place."""
    for at in range(len(text) - len(name) + 1):
        if text[at : at + len(name)] != name:
            continue
        before, after = text[:at][-1:], text[at + len(name) :][:1]
        if not (_wordy(before) and _wordy(name[0])) and not (_wordy(after) and _wordy(name[-1])):
            return True
    return False


def _wordy(character: str) -> bool:
    return character != "" and (
        character.isalnum() or character == "_" or unicodedata.combining(character) > 0
    )
