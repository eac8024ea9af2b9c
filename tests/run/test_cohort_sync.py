"""Pairs against pairs who never met, in a results folder whose synchrony is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from acted import table, times
from click.testing import CliRunner

from vsa.commands.sync import sync
from vsa.errors import InputError
from vsa.run.cohort_sync import LEAST_PARTNERS, compare
from vsa.run.motion import motion_pair
from vsa.study import log
from vsa.study.results import Results

COUPLED, LONE, SAME_CLIENT = "s00", "s01", ("s02", "s03")
SIGNALS = ("motion", "head", "smile")


def slow(rng, n, k=8):
    return np.convolve(rng.standard_normal(n), np.ones(k) / k, "same")


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Sessions of 150 s whose pairs move on their own, but for one whose therapist follows the client."""
    rng = np.random.default_rng(3)
    t = times(150, 5)
    for k in range(LEAST_PARTNERS + 3):
        name = f"s{k:02d}"
        folder = tmp_path / name
        folder.mkdir()
        course = slow(rng, len(t))
        client = table(t, "p1", motion=5 + 10 * course)
        other = np.roll(course, 6) + 0.2 * slow(rng, len(t)) if name == COUPLED else slow(rng, len(t))
        therapist = table(t, "p2", motion=5 + 10 * other)
        people = [{"id": "p1", "role": "client"}, {"id": "p2", "role": "therapist"}]
        if name == LONE:
            people, therapist = people[:1], therapist.iloc[:0]
        pd.concat([client, therapist]).to_parquet(folder / "face.parquet")
        no_rows = {"t": [], "participant": [], "speaking": []}
        pd.DataFrame(no_rows).astype({"participant": "str"}).to_parquet(folder / "voice.parquet")
        pd.DataFrame({"participant": []}).to_parquet(folder / "turns.parquet")
        pd.DataFrame([{"session_id": name, "dyad.sync.motion_cohort_z": np.nan}]).to_parquet(
            folder / "features.parquet"
        )
        record = {
            "session_id": name,
            "status": "complete",
            "participants": people,
            "facts": {"client_id": "c02" if name in SAME_CLIENT else f"c{k:02d}"},
            "sound": {"kind": "none", "turns": {"from": "found"}},
            "quality": {"features_missing": {"dyad.sync.motion_cohort_z": "not yet"}},
        }
        (folder / "session.json").write_text(json.dumps(record), "utf-8")
    return Results(tmp_path)


def test_the_pair_that_moves_together_stands_out_and_reasons_follow(results):
    told = []
    found = compare(results, results.sessions(), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(found), len(found))
    values = {name: row["dyad.sync.motion_cohort_z"] for name, row in found.items()}
    assert values[COUPLED] == max(value for value in values.values() if np.isfinite(value))
    assert values[COUPLED] > 4
    assert found[COUPLED]["dyad.sync.motion_cohort_p"] == pytest.approx(1 / len(found), abs=0.02)
    others = [v for name, v in values.items() if name not in (COUPLED, LONE)]
    assert np.mean(others) == pytest.approx(0, abs=1)

    table = pd.read_parquet(results.folder / "features.parquet").set_index("session_id")
    assert table["dyad.sync.motion_cohort_z"].to_dict() == pytest.approx(values, nan_ok=True)
    reasons = {name: results.finished(name)["quality"]["features_missing"] for name in found}
    assert "dyad.sync.motion_cohort_z" not in reasons[COUPLED]
    assert reasons[LONE]["dyad.sync.motion_cohort_z"] == "it takes two people, and there is 1"
    assert reasons[COUPLED]["dyad.sync.smile_cohort_z"] == "the first series does not vary"
    assert reasons[COUPLED]["dyad.sync.f0_cohort_p"] == "there is no sound"


def test_sessions_of_the_same_client_are_no_chance(results):
    for name in results.sessions():
        record = results.finished(name)
        record["facts"]["client_id"] = "c00"
        results.amend(name, record)
    found = compare(results, results.sessions(), progress=lambda done, total: None)
    assert np.isnan(found[COUPLED]["dyad.sync.motion_cohort_z"])
    reason = results.finished(COUPLED)["quality"]["features_missing"]["dyad.sync.motion_cohort_z"]
    assert reason == f"partners of other clients' sessions: 0, and {LEAST_PARTNERS} are needed"


@pytest.mark.slow
def test_the_seed_decides_who_is_compared(results):
    def z(seed):
        found = compare(
            results, results.sessions(), partners=LEAST_PARTNERS, seed=seed, progress=lambda done, total: None
        )
        return found[COUPLED]["dyad.sync.motion_cohort_z"]

    assert z(1) == z(1)
    assert z(1) != z(2)


def test_the_command_says_how_many_pairs_and_writes_json_without_nan(results):
    done = CliRunner().invoke(sync, [str(results.folder)], catch_exceptions=False)
    count = len(results.sessions())
    assert done.exit_code == 0
    assert f"motion: 1 of {count - 1} pairs go together more than with people they never met" in done.stdout
    assert "f0: no pair could be compared; session.json says why" in done.stdout
    assert f"features of {count} sessions" in done.stdout
    (entry,) = log.entries(results.folder)
    assert (entry.command, entry.outcome) == ("sync", {"sessions": count})
    assert [*entry.ids] == results.sessions()
    told = json.loads(
        CliRunner().invoke(sync, [str(results.folder), "--json"]).stdout, parse_constant=pytest.fail
    )
    assert told["sessions"][LONE]["dyad.sync.motion_cohort_z"] is None
    assert told["sessions"][COUPLED]["dyad.sync.motion_cohort_z"] > 4


def test_a_damaged_session_is_named_and_nothing_is_changed(results):
    face = results.session("s05") / "face.parquet"
    face.write_bytes(face.read_bytes()[:200] + b"PAR1")
    before = (results.session(COUPLED) / "session.json").read_bytes()
    with pytest.raises(InputError, match="Session s05 is damaged"):
        compare(results, results.sessions(), progress=lambda done, total: None)
    assert (results.session(COUPLED) / "session.json").read_bytes() == before


def test_the_command_leaves_damaged_sessions_out_and_says_which(results):
    folder = results.session("s05")
    face = pd.read_parquet(folder / "face.parquet")
    face.assign(motion="much").to_parquet(folder / "face.parquet")
    with pytest.raises(
        InputError, match=r"s05/face\.parquet: column motion holds something else than numbers"
    ):
        motion_pair(folder, 25.0, None)
    record = json.loads((results.session("s06") / "session.json").read_text("utf-8"))
    (results.session("s06") / "session.json").write_text(json.dumps({**record, "participants": "x"}), "utf-8")
    done = CliRunner().invoke(sync, [str(results.folder)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "session s05 is left out: " in done.stderr
    assert "column motion" in done.stderr
    assert f"features of {LEAST_PARTNERS + 1} sessions" in done.stdout


def test_a_few_sessions_are_no_cohort(results):
    for name in results.sessions()[LEAST_PARTNERS:]:
        (results.session(name) / "session.json").unlink()
    with pytest.raises(InputError, match="takes more than 19"):
        compare(results, results.sessions(), progress=lambda done, total: None)
