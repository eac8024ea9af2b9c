from __future__ import annotations

import codecs
import xml.etree.ElementTree as ET
from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people import clip_path

from vsa.errors import InputError
from vsa.study.turn_files import read_turns, write_turns

ENDINGS = [".rttm", ".TextGrid", ".eaf"]
COLUMNS = ["participant", "start", "end", "kind"]
ROLES = ["client", "therapist"]
TALK = pd.DataFrame(
    [
        ("client", 0.5, 4.25, "turn"),
        ("therapist", 2.0, 2.4, "backchannel"),
        ("therapist", 4.0, 9.123, "turn"),
        ("client", 9.123, 12.0, "turn"),
        ("client", 12.0, 13.5, "turn"),
    ],
    columns=COLUMNS,
)


def table(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def same(found, given_table):
    pd.testing.assert_frame_equal(
        found, given_table.reset_index(drop=True), check_exact=False, rtol=0, atol=1e-6, check_dtype=False
    )


def written(tmp_path, ending, what=TALK, **settings):
    path = tmp_path / f"turns{ending}"
    write_turns(path, what, **settings)
    return path


def broken(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


# There and back


@pytest.mark.parametrize("ending", ENDINGS)
def test_turns_come_back_as_they_were_written(tmp_path, ending):
    path = written(tmp_path, ending, participants=ROLES, duration_s=60)
    same(read_turns(path, participants=ROLES), TALK)
    assert read_turns(path).attrs["source"] == path.name
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_session_in_which_nobody_spoke_comes_back_empty(tmp_path, ending):
    path = written(tmp_path, ending, TALK[:0], participants=ROLES, duration_s=60)
    found = read_turns(path, participants=ROLES)
    assert found.empty
    assert list(found) == COLUMNS


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", ["ocfop", "wprog", "ylzez", "zfzlc"])
def test_real_turns_come_back(tmp_path, ending, name):
    turns = read_turns(clip_path(f"turns/{name}.rttm"))
    assert set(turns["participant"]) == {"spk00", "spk01"}
    same(read_turns(written(tmp_path, ending, turns)), turns)


names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12)


@given(
    st.lists(names, min_size=1, max_size=4, unique=True),
    st.lists(
        st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 500), st.integers(1, 3000)), max_size=20
    ),
    st.sampled_from(ENDINGS),
)
@settings(max_examples=100, deadline=None)
def test_any_names_and_times_come_back(tmp_path_factory, people, drawn, ending):
    rows, at = [], {}
    for i, listens, rest, lasts in drawn:
        who, kind = people[i % len(people)], "backchannel" if listens else "turn"
        start = at.get((who, kind), 0) + rest
        at[who, kind] = start + lasts
        rows.append((who, start / 1000, (start + lasts) / 1000, kind))
    what = table(*sorted(rows, key=lambda row: (row[1], row[2], row[0], row[3])))
    path = written(tmp_path_factory.mktemp("any"), ending, what, participants=people)
    same(read_turns(path, participants=people), what)


# What other programs see


def test_rttm_has_ten_fields_that_other_tools_read(tmp_path):
    lines = [line.split() for line in written(tmp_path, ".rttm", recording="s 07").read_text().splitlines()]
    assert lines[0] == ["SPEAKER", "s_07", "1", "0.5", "3.75", "<NA>", "<NA>", "client", "<NA>", "<NA>"]
    assert lines[1] == [
        "SPEAKER",
        "s_07",
        "1",
        "2",
        "0.4",
        "<NA>",
        "backchannel",
        "therapist",
        "<NA>",
        "<NA>",
    ]
    assert {len(line) for line in lines} == {10}


def test_a_textgrid_has_two_tiers_a_person_that_fill_the_time(tmp_path):
    text = written(tmp_path, ".TextGrid", participants=["therapist", "client"], duration_s=60).read_text(
        "utf-8"
    )
    assert text.startswith('File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 60\n')
    tiers = [line.split('"')[1] for line in text.splitlines() if line.strip().startswith("name =")]
    assert tiers == ["turn@therapist", "backchannel@therapist", "turn@client", "backchannel@client"]
    for part in text.split("item [")[2:]:
        times = [float(line.split("=")[1]) for line in part.splitlines() if line.strip().startswith("xm")]
        assert times[2:-1:2] == [0, *times[3:-1:2]], "intervals follow one another"
        assert times[-1] == 60


def test_an_eaf_has_what_elan_asks_for(tmp_path):
    path = written(tmp_path, ".eaf", participants=[*ROLES, "third"], media="call ü & co.mp4")
    root = ET.fromstring(path.read_bytes())
    assert root.tag == "ANNOTATION_DOCUMENT"
    assert datetime.fromisoformat(root.get("DATE")).tzinfo is not None
    order = [child.tag for child in root]
    assert order == ["HEADER", "TIME_ORDER", *["TIER"] * 6, *["LINGUISTIC_TYPE"] * 2]
    types = {one.get("LINGUISTIC_TYPE_ID") for one in root.iter("LINGUISTIC_TYPE")}
    assert {tier.get("LINGUISTIC_TYPE_REF") for tier in root.iter("TIER")} == types
    times = [int(slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")]
    assert times == sorted(times)
    assert len({slot.get("TIME_SLOT_ID") for slot in root.iter("TIME_SLOT")}) == 2 * len(TALK)
    assert root.find("HEADER/MEDIA_DESCRIPTOR").attrib == {
        "MEDIA_URL": "./call%20%C3%BC%20%26%20co.mp4",
        "MIME_TYPE": "video/mp4",
        "RELATIVE_MEDIA_URL": "./call%20%C3%BC%20%26%20co.mp4",
    }


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (table(("client", 2, 2, "turn")), "is no turn"),
        (table(("client", 2, 1, "turn")), "is no turn"),
        (table(("client", float("nan"), 1, "turn")), "is no turn"),
        (table(("client", 0, 1, "laughter")), "is no turn"),
        (table(("client", 0, 2, "turn"), ("client", 1, 3, "turn")), "overlap at 1.000 s"),
        (table(("cli\nent", 0, 2, "turn")), "can't be called"),
        (table((" ", 0, 2, "turn")), "can't be called"),
    ],
)
@pytest.mark.parametrize("ending", ENDINGS)
def test_what_no_file_can_hold_is_not_written(tmp_path, what, said, ending):
    with pytest.raises(InputError, match=said):
        written(tmp_path, ending, what)
    assert not list(tmp_path.iterdir())


def test_files_that_can_not_be_written_say_so(tmp_path):
    with pytest.raises(InputError, match=r"ends in \.rttm, \.TextGrid or \.eaf"):
        write_turns(tmp_path / "turns.csv", TALK)
    with pytest.raises(InputError, match="can't be written"):
        write_turns(tmp_path / "nowhere" / "turns.eaf", TALK)
    with pytest.raises(InputError, match="no participants"):
        write_turns(tmp_path / "turns.eaf", TALK[:0])
    with pytest.raises(InputError, match="no names with blanks"):
        write_turns(tmp_path / "turns.rttm", table(("the client", 0, 1, "turn")))
    with pytest.raises(InputError, match="no time before 0"):
        write_turns(tmp_path / "turns.eaf", table(("client", -1, 1, "turn")))


# RTTM of other programs


def test_a_file_of_several_recordings_is_read_one_at_a_time():
    path = clip_path("meeting_dev.rttm")
    assert len(read_turns(path, recording="dev00")) == 9
    assert set(read_turns(path, recording="dev01")["participant"]) == {"MEE009", "MEE012"}
    with pytest.raises(InputError, match=r"2 recordings \(dev00, dev01\)"):
        read_turns(path)
    with pytest.raises(InputError, match="nothing of recording dev02"):
        read_turns(path, recording="dev02")


def test_rttm_with_comments_other_lines_and_nine_fields(tmp_path):
    text = (
        "\ufeff;; by hand\r\nSPKR-INFO r 1 <NA> <NA> <NA> unknown client <NA> <NA>\r\n\r\n"
        "SPEAKER r 1 2.5 1e0 <NA> <NA> client <NA>\r\nSPEAKER r 1 9 0 <NA> <NA> client <NA> <NA>\r\n"
    )
    same(read_turns(broken(tmp_path, "a.rttm", text)), table(("client", 2.5, 3.5, "turn")))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("SPEAKER r 1 two 1 <NA> <NA> client <NA> <NA>", "line 2: 'two' is no time"),
        ("SPEAKER r 1 nan 1 <NA> <NA> client <NA> <NA>", "'nan' is no time"),
        ("SPEAKER r 1 1e400 1 <NA> <NA> client <NA> <NA>", "'1e400' is no time"),
        ("SPEAKER r 1 1_0 1 <NA> <NA> client <NA> <NA>", "'1_0' is no time"),
        ("SPEAKER r 1 3 -1 <NA> <NA> client <NA> <NA>", "duration -1 is negative"),
        ("SPEAKER r 1 3 1 <NA>", "is no line of RTTM"),
        ("client,0,1,turn", "is no line of RTTM"),
        ("SPEAKER r 1 3 1 <NA> <NA> nobody <NA> <NA>", "'nobody' is nobody in this session"),
        ("SPEAKER r 1 3 \x1b[2J <NA> <NA> client <NA> <NA>", r"\\x1b"),
    ],
)
def test_broken_rttm_names_the_line(tmp_path, line, said):
    path = broken(tmp_path, "a.rttm", f"SPEAKER r 1 0 1 <NA> <NA> client <NA> <NA>\n{line}\n")
    with pytest.raises(InputError, match=said) as error:
        read_turns(path, participants=ROLES)
    assert "line 2" in error.value.message
    assert error.value.hint
    assert "\x1b" not in str(error.value)


def test_rttm_that_is_no_text(tmp_path):
    with pytest.raises(InputError, match="not UTF-8"):
        read_turns(broken(tmp_path, "a.rttm", b"\xff\xfe\x00"))
    with pytest.raises(InputError, match="can't be read"):
        read_turns(tmp_path / "absent.rttm")
    (tmp_path / "folder.eaf").mkdir()
    with pytest.raises(InputError, match="can't be read"):
        read_turns(tmp_path / "folder.eaf")
    with (tmp_path / "big.rttm").open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(InputError, match="larger than 64 MB"):
        read_turns(tmp_path / "big.rttm")


# TextGrids of other programs

SHORT = '''File type = "ooTextFile"
Object class = "TextGrid"

0
6.5
<exists>
3
"IntervalTier"
"turn@client"
0
6.5
3
0
1.5
""
1.5
4
"He said ""no"""
4
6.5
" "
"TextTier"
"bell"
0
6.5
1
3
"ding"
"IntervalTier"
"backchannel@client"
0
6.5
1
0
6.5
""
'''


@pytest.mark.parametrize(
    "encoded",
    [
        SHORT.encode(),
        codecs.BOM_UTF8 + SHORT.encode(),
        SHORT.encode("utf-16"),
        codecs.BOM_UTF16_BE + SHORT.encode("utf-16-be"),
        SHORT.replace("\n", "\r\n").encode(),
        SHORT.replace("\n", "\r").encode("utf-16"),
        SHORT.replace("\n", " ").encode(),
        SHORT.replace('Object class = "TextGrid"', '"TextGrid" ! 17 "comments"').encode(),
    ],
)
def test_short_textgrids_in_every_encoding_and_with_every_line_end(tmp_path, encoded):
    same(read_turns(broken(tmp_path, "a.TextGrid", encoded)), table(("client", 1.5, 4, "turn")))


def test_a_long_textgrid_as_praat_writes_it_in_utf_16(tmp_path):
    path = written(tmp_path, ".TextGrid", participants=ROLES, duration_s=60)
    wide = broken(tmp_path, "wide.textgrid", path.read_text("utf-8").encode("utf-16"))
    same(read_turns(wide, participants=ROLES), TALK)


def test_tiers_that_are_named_after_people_only_hold_their_turns(tmp_path):
    plain = SHORT.replace("turn@client", "client").replace("backchannel@client", "notes")
    path = broken(tmp_path, "a.TextGrid", plain)
    same(read_turns(path, participants=["client"]), table(("client", 1.5, 4, "turn")))
    assert read_turns(path)["participant"].tolist() == ["client"]


def test_a_label_moves_a_turn_to_the_backchannels(tmp_path):
    path = broken(tmp_path, "a.TextGrid", SHORT.replace('"He said ""no"""', '"Backchannel "'))
    assert read_turns(path)["kind"].tolist() == ["backchannel"]


def test_tiers_of_notes_are_not_speech(tmp_path):
    path = broken(tmp_path, "a.TextGrid", SHORT.replace("backchannel@client", "gesture@client"))
    assert len(read_turns(path, participants=["client"])) == 1


@pytest.mark.parametrize("people", [["therapist"], ["client", "therapist"]])
def test_tiers_that_are_missing_or_of_nobody_are_named(tmp_path, people):
    with pytest.raises(InputError, match="turn@"):
        read_turns(broken(tmp_path, "a.TextGrid", SHORT), participants=people)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("ooTextFile", "other", "line 1: this is no TextGrid"),
        ('"TextGrid"', '"PitchTier"', "line 2: this is a PitchTier"),
        ("<exists>", "<absent>", "no tier of turns"),
        ("<exists>", "", "line 7: '3' stands where <exists> should be"),
        ("\n3\n", "\n4\n", "the file ends where"),
        ("\n3\n", "\n999999999\n", "the file ends where"),
        ("\n3\n", "\n1e9\n", "'1e9' is no number of tiers"),
        ("\n3\n", "\n-3\n", "'-3' is no number of tiers"),
        ("1.5\n4", "1.5\n1", "line 16: an interval from 1.5 to 1 s"),
        ("1.5\n4", "1\n4", "lies over the one before"),
        ("1.5\n4", "1.5\n1e999", "line 17: '1e999' is no time"),
        ("1.5\n4", "1.5\n--undefined--", "stands where a time should be"),
        ('"ding"', "ding", "stands where a text in quotes should be"),
        ('"ding"', '"ding', "line 36: a quote .* never closed"),
        ("TextTier", "LevelTier", "'LevelTier' is no kind of tier"),
    ],
)
def test_broken_textgrids_say_what_is_wrong(tmp_path, old, new, said):
    assert old in SHORT
    with pytest.raises(InputError, match=said) as error:
        read_turns(broken(tmp_path, "a.TextGrid", SHORT.replace(old, new, 1)))
    assert error.value.hint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: the file ends"),
        (b"ooBinaryFile\x08TextGrid\0\0", "binary"),
        (b'"Praat chronological TextGrid text file"\n0 1\n', "chronological"),
        ("Fünf".encode("latin-1"), "neither UTF-8 nor UTF-16"),
        (codecs.BOM_UTF16_LE + b"\x00", "neither UTF-8 nor UTF-16"),
        (b'File type = "ooTextFile', "never closed"),
        (b'"' * 100_001, "never closed"),
        (b"<" * 100_000 + b"1" * 100_000, "the file ends"),
    ],
)
def test_what_is_no_text_textgrid_is_refused(tmp_path, content, said):
    with pytest.raises(InputError, match=said):
        read_turns(broken(tmp_path, "a.TextGrid", content))


@given(st.integers(0, len(SHORT)))
@settings(max_examples=60, deadline=None)
def test_a_textgrid_cut_anywhere_is_refused_or_read_and_never_a_defect(tmp_path_factory, cut):
    path = broken(tmp_path_factory.mktemp("cut"), "a.TextGrid", SHORT[:cut])
    if cut <= SHORT.rindex('"'):  # the last closing quote is missing
        with pytest.raises(InputError):
            read_turns(path)
    else:
        assert len(read_turns(path)) == 1


# ELAN files of other programs

EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-01-01T00:00:00Z" FORMAT="2.8" VERSION="2.8">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1500"/>
        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="4000"/>
        <TIME_SLOT TIME_SLOT_ID="ts3"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="talk" TIER_ID="turn@client">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
                <ANNOTATION_VALUE></ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="words" PARENT_REF="turn@client" TIER_ID="words@client">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts3">
                <ANNOTATION_VALUE>turn</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1">
                <ANNOTATION_VALUE>well</ANNOTATION_VALUE>
            </REF_ANNOTATION>
        </ANNOTATION>
    </TIER>
    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="talk" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_annotation_without_a_word_is_a_turn_and_notes_are_none(tmp_path, encoding):
    path = broken(tmp_path, "a.eaf", EAF.replace("UTF-8", encoding[:6].strip("-")).encode(encoding))
    same(read_turns(path, participants=["client"]), table(("client", 1.5, 4, "turn")))


def test_tiers_that_elan_users_renamed_are_known_by_type_and_participant(tmp_path):
    renamed = EAF.replace('"talk" TIER_ID="turn@client"', '"turn" PARTICIPANT="client" TIER_ID="Frau M."')
    path = broken(tmp_path, "a.eaf", renamed)
    same(read_turns(path, participants=["client"]), table(("client", 1.5, 4, "turn")))


LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)


@pytest.mark.parametrize(
    "doctype",
    [
        LAUGHS,
        '<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
        "<!DOCTYPE ANNOTATION_DOCUMENT>",
    ],
)
def test_document_types_and_entities_are_refused(tmp_path, doctype):
    hostile = EAF.replace("?>\n", f"?>\n{doctype}\n", 1).replace(">well<", ">&j;<")
    with pytest.raises(InputError, match="line 2: it declares a document type"):
        read_turns(broken(tmp_path, "a.eaf", hostile))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("</TIER>", "", "line 29: it is no sound XML"),
        (">well<", ">&nbsp;<", "line 24: it is no sound XML"),
        ("ANNOTATION_DOCUMENT", "html", "line 2: this is html, no ELAN file"),
        ('"milliseconds"', '"PAL-frames"', "line 3: its times are in PAL-frames"),
        ('TIME_VALUE="4000"', 'TIME_VALUE="soon"', "line 6: 'soon' is no time"),
        ('TIME_VALUE="4000"', f'TIME_VALUE="{"9" * 5000}"', "line 6: '9999"),
        ('TIME_VALUE="4000"', 'TIME_VALUE="1000"', "line 11: an annotation runs backwards"),
        ('TIME_VALUE="4000"', "", "line 11: an annotation in tier 'turn@client' has no time"),
        ('"ts2">', '"ts9">', "line 11: there is no time slot 'ts9'"),
        (' TIME_SLOT_REF2="ts2"', "", "line 11: ALIGNABLE_ANNOTATION has no TIME_SLOT_REF2"),
        (' TIER_ID="turn@client"', "", "line 9: TIER has no TIER_ID"),
        ("turn@client", "turn@stranger", "tier 'turn@stranger' is of nobody"),
        ("turn@client", "talk", r"no tier of turns \(its tiers: talk, words@client\)"),
        ('encoding="UTF-8"', 'encoding="klingon"', "line 1: it"),
        ('encoding="UTF-8"', 'encoding="shift_jis"', "line 1: it"),
    ],
)
def test_broken_eaf_says_what_is_wrong(tmp_path, old, new, said):
    assert old in EAF
    changed = EAF.replace(old, new) if old == "ANNOTATION_DOCUMENT" else EAF.replace(old, new, 1)
    with pytest.raises(InputError, match=said) as error:
        read_turns(broken(tmp_path, "a.eaf", changed), participants=["client"])
    assert error.value.hint


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"RIFF", b"<a>" * 200_000, b"{}"])
def test_what_is_no_xml_is_refused(tmp_path, content):
    with pytest.raises(InputError, match=r"no sound XML|no ELAN file"):
        read_turns(broken(tmp_path, "a.eaf", content))


@given(st.integers(0, len(EAF) - 25))
@settings(max_examples=60, deadline=None)
def test_an_eaf_cut_anywhere_is_refused(tmp_path_factory, cut):
    with pytest.raises(InputError):
        read_turns(broken(tmp_path_factory.mktemp("cut"), "a.eaf", EAF[:cut]))
