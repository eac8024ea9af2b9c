"""Results in a notebook: every column with its unit, what is missing with its reason, and what is broken said."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from extraction import run
from people import clip_path
from pretrained import need_faces
from studies import make_study

import vsa
from vsa.errors import InputError
from vsa.features.registry import features as registered
from vsa.notebook import results as notebook_results
from vsa.notebook import units
from vsa.notebook.results import NoSuchSession
from vsa.study.plan import SessionPlan, Video
from vsa.study.results import Results
from vsa.study.session_files import SCHEMA

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("face.parquet", "voice.parquet", "turns.parquet", "features.parquet")


@pytest.fixture(scope="session")
def extracted_study(tmp_path_factory):
    """A call with roles, one without, and a file that is no recording, extracted as a user would."""
    need_faces()
    folder = tmp_path_factory.mktemp("notebook")
    call = clip_path("call_two_tiles.mp4")
    (folder / "broken.mp4").write_bytes(b"no film")
    plans = [
        SessionPlan(
            "s01",
            (Video(call),),
            {"therapist": "left", "client": "right"},
            {"client_id": "007", "modality": "online", "bond": "4.25"},
        ),
        SessionPlan("s02", (Video(clip_path("smiling_man_360p.mp4")),), {}, {"client_id": "c2", "bond": ""}),
        SessionPlan("s03", (Video(folder / "broken.mp4"),)),
    ]
    run(plans, folder / "study", landmarks=True)
    return folder / "study"


@pytest.fixture
def folder(extracted_study, tmp_path):
    """A copy to spoil."""
    return shutil.copytree(extracted_study, tmp_path / "study")


@pytest.fixture
def study(extracted_study):
    return vsa.open_results(extracted_study)


def documented(section):
    """Units by column in a table of docs/formats.md."""
    text = (ROOT / "docs" / "formats.md").read_text("utf-8")
    part = re.split(r"\n## ", text.split(f"## `{section}`", 1)[1])[0]
    found = {}
    for names, unit in re.findall(r"^\| (`[^|]+)\|([^|]*)\|", part, re.MULTILINE):
        found |= dict.fromkeys(re.findall(r"`(\w+)`", names), unit.strip())
    return found


def tables(study):
    """Every table there is, by name."""
    found = {name: getattr(study, name) for name in ("features", "overview", "facts", "failures")}
    found["tidy_features"] = study.tidy_features()
    for session in study.values():
        for name in ("participants", "face", "voice", "turns", "features"):
            found[f"{session.id}.{name}"] = getattr(session, name)
        found[f"{session.id}.face_columns"] = session.face_columns(["jawOpen", "head_yaw"])
    return found


def test_opening_a_package_loads_nothing_heavy():
    program = (
        "import sys, vsa; print([m for m in ('numpy', 'pandas', 'matplotlib', 'cv2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_sessions_by_id_and_what_failed(study):
    assert study.sessions == ("s01", "s02") == tuple(study)
    assert len(study) == 2
    assert "s01" in study
    assert "s03" not in study
    assert study.get("s03") is None
    assert study.failures["session_id"].tolist() == ["s03"]
    assert study.failures["stage"].tolist() == ["media"]
    assert repr(study).endswith("2 sessions, 1 failed (s01, s02)>")
    assert study["s01"].names == {"p1": "therapist", "p2": "client"}
    assert study["s01"].duration_s == pytest.approx(8.0)


def test_every_column_of_every_table_has_its_unit(study):
    for name, table in tables(study).items():
        assert list(table.attrs["units"]) == list(table.columns), name
        assert units.UNKNOWN not in table.attrs["units"].values(), name
        json.dumps(table.attrs)


@pytest.mark.parametrize(("section", "own"), [("face.parquet", units.FACE), ("voice.parquet", units.VOICE)])
def test_units_are_those_of_the_documentation(section, own):
    said = documented(section)
    assert len(said) > 6
    assert {name: own[name] for name in said} == said


def test_units_of_features_are_those_of_the_registry(study):
    entries = {entry.name: entry for entry in registered()}
    for name in study.features:
        short = name.partition(".")[2]
        assert study.features.attrs["units"][name] == entries[short].unit
        assert study.features.attrs["definitions"][name] == entries[short].definition


def test_units_outlive_what_people_do_with_tables(study, tmp_path):
    one = study["s01"].face_columns(["jawOpen"])
    two = study["s02"].face_columns(["jawOpen"])
    both = pd.concat([one, two])
    assert both[both["tracked"]].sort_values("t").attrs["units"]["jawOpen"] == "0-1"
    one.to_parquet(tmp_path / "one.parquet")
    assert pd.read_parquet(tmp_path / "one.parquet").attrs["units"] == one.attrs["units"]


def test_frames_hold_what_the_files_hold(study):
    session = study["s01"]
    for name in ("face", "voice", "turns"):
        stored = pd.read_parquet(session.folder / f"{name}.parquet")
        table = getattr(session, name)
        after = list(stored.columns).index("participant") + 1
        assert list(table.columns) == [*stored.columns[:after], "name", *stored.columns[after:]]
        for column in stored.columns.difference(["participant", "speaking"]):
            np.testing.assert_array_equal(table[column], stored[column], err_msg=column)
        roles = {"p1": "therapist", "p2": "client"}
        assert table["name"].astype(str).tolist() == [roles[who] for who in stored["participant"]]
    assert (study["s02"].face["name"] == "p1").all()


def test_some_columns_are_the_same_before_and_after_all_were_read(extracted_study):
    session = vsa.open_results(extracted_study)["s01"]
    before = session.face_columns(["motion", "t", "name", "gaze_yaw"])
    assert list(before) == ["t", "participant", "name", "tracked", "motion", "gaze_yaw"]
    assert len(session.face.columns) > 60
    pd.testing.assert_frame_equal(session.face_columns(["motion", "gaze_yaw"]), before)
    with pytest.raises(InputError, match="mouthSmileLeft, mouthSmileRight"):
        session.face_columns(["mouthSmile"])


def test_one_signal_of_one_person(study):
    session = study["s01"]
    stored = pd.read_parquet(session.folder / "face.parquet")
    own = stored[stored["participant"] == "p2"]
    for who in ("client", "p2"):
        series = session.signal("head_yaw", who)
        assert series.attrs["unit"] == "deg"
        np.testing.assert_array_equal(series.index, own["t"])
        np.testing.assert_array_equal(series, own["head_yaw"])
    assert session.signal("f0_hz", "therapist").dropna().between(60, 600).all()
    assert len(study["s02"].signal("motion")) == len(study["s02"].face)
    with pytest.raises(InputError, match="therapist, client"):
        session.signal("head_yaw")
    with pytest.raises(InputError, match="nobody called 'coach'"):
        session.signal("head_yaw", "coach")


def test_tidy_features_say_the_same_as_the_row_and_why_something_is_missing(study):
    tidy = study.tidy_features()
    assert not tidy.duplicated(["session_id", "scope", "feature"]).any()
    wide = tidy.assign(name=tidy["scope"] + "." + tidy["feature"]).pivot(
        index="session_id", columns="name", values="value"
    )
    pd.testing.assert_frame_equal(
        wide[sorted(wide)], study.features[sorted(study.features)], check_names=False
    )
    assert (tidy["value"].isna() == tidy["missing_reason"].notna()).all()
    assert tidy["value"].isna().any()
    assert not (
        (tidy["session_id"] == "s02") & (tidy["scope"] == "client")
    ).any()  # who isn't there has no rows
    for row in tidy[tidy["value"].isna()].itertuples():
        assert row.missing_reason == study[row.session_id].missing[f"{row.scope}.{row.feature}"]
    assert (
        tidy["unit"]
        == [study.features.attrs["units"][f"{s}.{f}"] for s, f in zip(tidy.scope, tidy.feature, strict=True)]
    ).all()
    own = tidy[tidy["session_id"] == "s01"].drop(columns="session_id").reset_index(drop=True)
    columns = ["scope", "feature"]
    pd.testing.assert_frame_equal(
        study["s01"].features.sort_values(columns, ignore_index=True),
        own.sort_values(columns, ignore_index=True),
    )


def test_a_feature_that_an_older_vsa_did_not_compute_says_so(folder):
    file = folder / "s01" / "features.parquet"
    pd.read_parquet(file).drop(columns="client.quality.tracked_share").to_parquet(file)
    other = folder / "s02" / "features.parquet"
    pd.read_parquet(other).assign(**{"client.quality.tracked_share": 0.5, "p1.gaze.of_old": 3.0}).to_parquet(
        other
    )
    study = vsa.open_results(folder)
    tidy = study.tidy_features().set_index(["session_id", "scope", "feature"])
    assert "did not compute" in tidy.loc[("s01", "client", "quality.tracked_share"), "missing_reason"]
    assert tidy.loc[("s02", "p1", "gaze.of_old"), "unit"] == units.UNKNOWN
    assert study.features.attrs["definitions"]["p1.gaze.of_old"] == units.UNKNOWN


def test_what_the_manifest_said_joins_the_features(study):
    assert study.facts.loc["s01"].to_dict() == {"client_id": "007", "modality": "online", "bond": 4.25}
    assert study.facts["bond"].dtype == "float64"
    assert np.isnan(study.facts.loc["s02", "bond"])
    assert study.features.join(study.facts).loc["s01", "bond"] == 4.25


def test_participants_and_overview(study):
    people = study["s01"].participants.set_index("participant")
    assert people["name"].to_dict() == {"p1": "therapist", "p2": "client"}
    assert people["tracked_share"].tolist() == [1.0, 1.0]
    assert people.loc["p1", "tile_x"] + people.loc["p1", "tile_w"] <= people.loc["p2", "tile_x"]
    said = (
        study["s01"]
        .turns.assign(s=lambda t: t["end"] - t["start"])
        .groupby("participant", observed=False)["s"]
        .sum()
    )
    assert people.loc["p1", "speech_s"] <= said["p1"] + 0.01  # turns have pauses in them
    assert study.overview.loc["s01", "participants"] == "therapist, client"
    assert study.overview["least_tracked_share"].between(0.9, 1).all()


def test_landmarks_where_they_were_kept(study, folder):
    session = study["s01"]
    at = session.landmarks.at(float(session.face["t"].iloc[10]))
    assert at["p1"].shape == (478, 3)
    box = session.face.iloc[10]
    assert at["p1"][:, 0].min() == pytest.approx(box["box_x"], abs=0.01)
    (folder / "s01" / "landmarks.npz").unlink()
    assert vsa.open_results(folder)["s01"].landmarks is None
    (folder / "s02" / "landmarks.npz").write_bytes(b"PK no archive")
    with pytest.raises(InputError, match="is damaged"):
        _ = vsa.open_results(folder)["s02"].landmarks


def test_notebooks_show_tables_and_no_markup_of_others(folder):
    path = folder / "s01" / "session.json"
    said = json.loads(path.read_text("utf-8"))
    said["quality"]["notes"] = ["<script>alert(1)</script>"]
    path.write_text(json.dumps(said), "utf-8")
    study = vsa.open_results(folder)
    text = study._repr_html_()
    assert text.count("<tr") == 1 + 1 + 2
    assert "s03 failed" in text
    one = study["s01"]._repr_html_()
    assert "therapist" in one
    assert "<script" not in text + one
    assert "100%" in one


def test_the_table_beside_the_sessions_is_used_only_while_it_is_up_to_date(folder):
    whole = folder / "features.parquet"
    marked = pd.read_parquet(whole).assign(**{"p1.quality.tracked_share": 0.123})
    marked.to_parquet(whole)
    assert (vsa.open_results(folder).features["p1.quality.tracked_share"] == 0.123).all()
    true = pd.read_parquet(folder / "s02" / "features.parquet")
    true.to_parquet(folder / "s02" / "features.parquet")  # written later
    assert vsa.open_results(folder).features.loc["s02", "p1.quality.tracked_share"] > 0.9
    for spoil in (lambda: whole.write_bytes(b"PAR1 and no more"), whole.unlink):
        spoil()
        assert vsa.open_results(folder).features.index.tolist() == ["s01", "s02"]


@pytest.mark.parametrize("name", ["session.json", *TABLES])
def test_a_session_without_a_file_is_named_and_the_others_are_there(folder, name):
    (folder / "s01" / name).unlink()
    with pytest.warns(UserWarning, match=rf"'s01' can't be used: {name} is missing"):
        study = vsa.open_results(folder)
    assert study.sessions == ("s02",)
    assert list(study.damaged) == ["s01"]
    assert "1 damaged" in repr(study)
    assert "s01 can't be used" in study._repr_html_().replace("&#x27;", "'")
    with pytest.raises(NoSuchSession, match="--afresh"):
        study["s01"]
    assert study.features.index.tolist() == ["s02"]
    assert len(study["s02"].turns.columns) == 5


def test_a_session_cut_off_or_of_another_version_is_named(folder):
    face = folder / "s01" / "face.parquet"
    face.write_bytes(face.read_bytes()[:-100])
    path = folder / "s02" / "session.json"
    path.write_text(path.read_text("utf-8").replace(f'"schema": {SCHEMA}', '"schema": 99'), "utf-8")
    with pytest.warns(UserWarning, match="can't be used"):
        study = vsa.open_results(folder)
    assert "cut off" in study.damaged["s01"]
    assert "another version" in study.damaged["s02"]
    assert len(study) == len(study.features) == len(study.tidy_features()) == 0
    path.write_text("{", "utf-8")
    with pytest.warns(UserWarning, match=r"can't be (used|read)"):
        assert vsa.open_results(folder).damaged["s02"] == "session.json can't be read"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_is_damaged_inside_is_said_when_it_is_read(folder, name):
    path = folder / "s01" / name
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[-8:-4], "little")
    data[-8 - size : -8] = bytes(size)  # its contents list; it still ends as a whole one does
    path.write_bytes(data)
    study = vsa.open_results(folder)
    assert study.sessions == ("s01", "s02")
    with pytest.raises(InputError, match=rf"{name} can't be read: it is damaged.*--afresh"):
        getattr(study["s01"], name.split(".")[0])
    if name == "features.parquet":
        with pytest.warns(UserWarning, match="'s01' can't be read"):
            assert study.features.index.tolist() == ["s02"]
    else:
        with pytest.raises(InputError, match="damaged"):
            study["s01"].draw()
    assert len(study["s02"].draw().axes) > 3


def test_what_is_no_results_folder_is_said_with_what_would_be(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "other" / "photos").mkdir(parents=True)
    for path, said in (
        (tmp_path / "nowhere", "does not exist"),
        (tmp_path / "empty", "is empty"),
        (tmp_path / "file", "is a file"),
        (tmp_path / "other", "has no results in it"),
        (tmp_path, "but .*study has"),
        (folder / "s01", r"is one session.*open_results\('.*study'\)\['s01'\]"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            vsa.open_results(path)
        assert caught.value.hint


def test_a_session_that_is_not_there_says_why(study):
    with pytest.raises(NoSuchSession, match="'s03' failed"):
        study["s03"]
    with pytest.raises(KeyError):
        study["s99"]
    with pytest.raises(NoSuchSession, match=r"no session 's99'.*s01, s02"):
        study["s99"]


def test_sessions_without_consent_are_left_out_and_counted(tmp_path, recwarn):
    table = make_study(tmp_path / "study", 2)
    folder, (first, *others) = tmp_path / "study", sorted(table["session_id"])
    more = {"schema": SCHEMA, "participants": [], "quality": {"notes": [], "features_missing": {}}}
    for name in (first, *others):
        record = json.loads((folder / name / "session.json").read_text())
        (folder / name / "session.json").write_text(json.dumps(record | more))
    assert vsa.open_results(folder).sessions == (first, *others)
    assert not recwarn
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text("utf-8-sig").replace(f"{first}.mp4,yes", f"{first}.mp4,no"))
    with pytest.warns(UserWarning, match="1 session left out: not all of the people in them agreed"):
        study = vsa.open_results(folder)
    assert study.left_out == (first,)
    assert study.sessions == tuple(others)
    assert list(study.features.index) == list(study.facts.index) == others
    assert "1 left out" in repr(study)
    with pytest.raises(NoSuchSession, match="may not be used: not all of its people agreed"):
        study[first]


def test_a_study_in_which_everything_failed_opens(tmp_path):
    results = Results(tmp_path)
    results.prepare()
    results.note_failures([], ["s01"])
    study = vsa.open_results(tmp_path)
    assert len(study) == len(study.features) == len(study.overview) == len(study.facts) == 0
    assert study._repr_html_()


def test_the_file_formats_are_those_that_extraction_writes():
    assert notebook_results.READS_SCHEMA == SCHEMA


def test_the_documentation_runs(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs" / "notebooks.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 4
    known: dict[str, object] = {}
    for block in blocks[:-1]:
        exec(block, known)
    last = blocks[-1].replace("session.draw(60, 120)", "session.draw(2, 5)")  # the clip has no minutes
    assert last != blocks[-1]
    exec(last, known)
    assert (tmp_path / "timeline.png").stat().st_size > 10_000
