"""Tables that a bad disk or a broken copy has changed: they are refused in words, and nothing is made of them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest
from calling import call, state

from vsa.errors import InputError
from vsa.run.moments import moments
from vsa.study.face_table import read_face
from vsa.study.parquet import read_parquet
from vsa.study.results import Results
from vsa.study.tables import read_table
from vsa.study.voice_table import read_voice

pytestmark = pytest.mark.slow  # it takes whole runs of commands

ONE, TWO = "sim-c001-s1", "sim-c001-s2"
READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "face": read_face,
    "voice": read_voice,
    "turns": read_parquet,
    "features": read_table,
}
#: What happens to files, with bytes of which share of the file.
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda whole: whole[: len(whole) // 2],
    "one byte short": lambda whole: whole[:-1],
    "empty": lambda whole: b"",
    "zeros in the middle": lambda whole: whole[: len(whole) // 3] + bytes(64) + whole[len(whole) // 3 + 64 :],
    "an end without a beginning": lambda whole: whole[len(whole) // 2 :],
    "another file": lambda whole: b"PK\x03\x04" + b"no table" * 50,
    "ends as it should": lambda whole: b"PAR1" + bytes(200) + b"\xff\xff\xff\x7fPAR1",
}


@pytest.fixture(scope="module")
def sound(made: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the first session where nothing is damaged."""
    out = tmp_path_factory.mktemp("sound") / "report"
    assert call("report", made, "--rules", "--jobs", "1", "--session", ONE, "--out", out).code == 0
    return timeline(out, ONE)


def timeline(report: Path, name: str) -> str:
    """What the page of a session draws; empty if that is nothing."""
    page = (report / "sessions" / f"{name}.html").read_text("utf-8")
    return page.partition("timeline-data")[2].partition("</script>")[0]


def but_the_log(study: Path) -> dict[str, bytes | str]:
    return {name: held for name, held in state(study).items() if name != "log.jsonl"}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["face", "voice", "turns"])
def test_a_damaged_table_of_a_session_costs_only_its_signals(
    study: Path, tmp_path: Path, sound: str, name: str, damage: str
) -> None:
    table = study / TWO / f"{name}.parquet"
    table.write_bytes(DAMAGE[damage](table.read_bytes()))
    before = but_the_log(study)
    asked = ("--session", ONE, "--session", TWO) if damage == "cut in half" else ("--session", TWO)
    ended = call("report", study, "--rules", "--jobs", "1", *asked, "--out", tmp_path / "report")
    assert ended.code == 0, ended.said
    ends_well = table.read_bytes().endswith(
        b"PAR1"
    )  # and turns that nobody corrected are found in the voices
    assert bool(timeline(tmp_path / "report", TWO)) == (name == "turns" and ends_well)
    if ONE in asked:
        assert timeline(tmp_path / "report", ONE) == sound
    assert but_the_log(study) == before
    if name != "turns":
        with pytest.raises(InputError):
            moments(study / TWO, "client.face.smile_share", "low")


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("command", ["report", "flag", "train", "compare"])
def test_a_damaged_table_of_features_is_refused_and_nothing_is_written(
    study: Path, tmp_path: Path, command: str, damage: str
) -> None:
    table = study / "features.parquet"
    table.write_bytes(DAMAGE[damage](table.read_bytes()))
    arguments = {
        "report": ["--rules", "--jobs", "1"],
        "flag": ["--rules"],
        "train": ["--permutations", "0"],
        "compare": ["--by", "modality"],
    }[command]
    before = state(study)
    ended = call(command, study, *arguments, "--out", tmp_path / "out")
    assert ended.code == 2
    assert "features.parquet can't be read as a table" in ended.said
    assert len(ended.said.splitlines()) < 6
    assert state(study) == before
    assert not (tmp_path / "out").exists()


def test_withdrawing_names_a_damaged_table_that_may_hold_rows(study: Path) -> None:
    table = study / "features.parquet"
    table.write_bytes(DAMAGE["zeros in the middle"](table.read_bytes())[:-9])
    ended = call("withdraw", TWO, study, "--yes")
    assert ended.code == 0, ended.said
    assert "features.parquet" in ended.said.partition("can't be read, and may hold rows")[2]
    assert not (study / TWO).exists()
    assert (study / ONE).exists()


def test_a_session_whose_own_row_is_damaged_is_left_out_and_the_others_are_kept(study: Path) -> None:
    table = study / TWO / "features.parquet"
    whole = table.read_bytes()
    table.write_bytes(whole[:200] + bytes(64) + whole[264:])
    results = Results(study)
    assert results.gather_features() == 1
    assert read_table(study)["session_id"].tolist() == [ONE]


@pytest.mark.parametrize("name", READERS)
def test_a_changed_bit_is_noticed_or_changes_no_value(made: Path, tmp_path: Path, name: str) -> None:
    """Never another number: pages have checksums. The names of columns stand outside of them."""
    whole = (made / ONE / f"{name}.parquet").read_bytes()
    right = READERS[name](made / ONE / f"{name}.parquet")
    draw = random.Random(3)
    path = tmp_path / f"{name}.parquet"
    refused = 0
    for _ in range(12 if name == "features" else 60):
        changed = bytearray(whole)
        for _ in range(draw.choice((1, 1, 3))):
            changed[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        try:
            got = READERS[name](path)
        except (InputError, OSError, ValueError, KeyError):
            refused += 1
        else:
            assert got.shape == right.shape
            for column in set(right) & set(got):
                pd.testing.assert_series_equal(got[column], right[column])
    assert refused > 2


#: Found with changed bits: the types and names of columns in pandas' own description, and in the schema.
@pytest.mark.parametrize("name", ["turns", "features"])
@pytest.mark.parametrize("text", [b'"numpy_type": "float64"', b'"name": "session_id"', b'"pandas_type"'])
def test_a_description_of_columns_that_makes_no_sense(
    made: Path, tmp_path: Path, name: str, text: bytes
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    # features are written without a description; another program may have written them anew, with one
    table = pa.Table.from_pandas(pd.read_parquet(made / ONE / f"{name}.parquet"), preserve_index=False)
    known = dict(table.schema.metadata)
    known[b"pandas"] = known[b"pandas"].replace(text, text[:-3] + b"|" + text[-2:])
    path = tmp_path / f"{name}.parquet"
    pq.write_table(table.replace_schema_metadata(known), path)
    with suppress(InputError):
        assert len(read_table(path)) == table.num_rows


def test_values_of_another_kind_in_a_session_cost_only_its_signals(study: Path, tmp_path: Path) -> None:
    face = study / TWO / "face.parquet"
    pd.read_parquet(face).assign(motion="much").to_parquet(face)
    ended = call("report", study, "--rules", "--jobs", "1", "--session", TWO, "--out", tmp_path / "a")
    assert ended.code == 0, ended.said
    assert not timeline(tmp_path / "a", TWO)
    assert "column motion holds something else than numbers" in call("sync", study / TWO).said
    record = study / TWO / "session.json"
    held = json.loads(record.read_text("utf-8"))
    for key, value in (("participants", "x"), ("sound", 5), ("source", {"duration_s": "x"})):
        record.write_text(json.dumps({**held, key: value}), "utf-8")
        ended = call("report", study, "--rules", "--jobs", "1", "--session", TWO, "--out", tmp_path / key)
        assert ended.code == 0, ended.said
        assert f"Damaged, so without timeline and sheet: {TWO}" in ended.said
        for command in (["turns", "export", study / TWO, tmp_path / "t.TextGrid"], ["sync", study / TWO]):
            assert call(*command).code == 2


def test_turns_of_a_cut_voice_table_are_refused_in_words(study: Path, tmp_path: Path) -> None:
    voice = study / TWO / "voice.parquet"
    whole = voice.read_bytes()
    voice.write_bytes(whole[: len(whole) // 2] + b"PAR1")
    ended = call("turns", "export", study / TWO, tmp_path / "t.TextGrid")
    assert ended.code == 2
    assert "is damaged" in ended.said
    assert not (tmp_path / "t.TextGrid").exists()
