"""Each command uses only the sessions whose people agreed to its own purpose."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from command import vsa
from studies import CLIENT, SESSIONS, log_of, make_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Twelve clients, one of whom agreed to research and quality only."""
    make_study(tmp_path / "study")
    say(tmp_path / "study", "yes", "research; quality", SESSIONS)
    return tmp_path / "study"


def say(study: Path, before: str, now: str, sessions: tuple[str, ...]) -> None:
    """Change the consent of sessions in the manifest."""
    path = study / "manifest.csv"
    lines = path.read_text("utf-8-sig").splitlines()
    path.write_text(
        "\n".join(
            line.replace(f",{before},", f",{now},", 1) if line.startswith(sessions) else line
            for line in lines
        )
    )


@pytest.mark.slow
def test_training_leaves_out_who_did_not_agree_to_it_and_flags_do_not(study: Path) -> None:
    model, flags = study / "model.skops", study / "flags.csv"
    done = vsa("train", study, "--out", model, "--permutations", 0, "--json")
    assert done.returncode == 0, done.stderr
    assert f"Left out, without consent for training: {', '.join(SESSIONS)}." in done.stderr
    told = json.loads(done.stdout)
    assert (told["sessions"], told["clients"]) == (44, 11)
    assert CLIENT.encode() not in model.read_bytes()
    assert not {*SESSIONS} & {*log_of(study)[-1]["ids"]}

    done = vsa("evaluate", model, study)
    assert done.returncode == 2
    assert f"Left out, without consent for training: {', '.join(SESSIONS)}." in done.stderr
    assert "All 44 sessions" in done.stderr

    done = vsa("flag", model, study, "--out", flags)
    assert done.returncode == 0, done.stderr
    assert {*SESSIONS} <= {*pd.read_csv(flags)["session_id"]}

    say(study, "research; quality", "research", SESSIONS)
    done = vsa("flag", model, study, "--out", flags)
    assert f"Note: Left out, without consent for quality: {', '.join(SESSIONS)}." in done.stdout
    assert not {*SESSIONS} & {*pd.read_csv(flags)["session_id"]}


@pytest.mark.slow
def test_a_model_is_evaluated_on_who_agreed_later_and_that_is_logged(study: Path) -> None:
    model = study / "model.skops"
    assert vsa("train", study, "--out", model, "--permutations", 0).returncode == 0
    say(study, "research; quality", "yes", SESSIONS)
    done = vsa("evaluate", model, study)
    assert done.returncode == 0, done.stderr
    assert "44 of 48 sessions were in the model's training and are left out" in done.stdout
    assert f"{len(SESSIONS)} sessions with a bond: 20 are the least" in done.stdout
    entry = log_of(study)[-1]
    assert (entry["command"], entry["outcome"]["sessions"]) == ("evaluate", len(SESSIONS))


@pytest.mark.slow
def test_a_purpose_that_nobody_gave_is_refused(study: Path) -> None:
    say(study, "yes", "quality", ("sim-",))
    for command, purpose in (("train", "training"), ("sync", "research")):
        say(study, "research; quality", "quality", SESSIONS)
        done = vsa(command, study, *(["--out", study / "model.skops"] if command == "train" else []))
        assert done.returncode == 2
        assert f"may be used for {purpose}: not all of its people agreed" in done.stderr
    assert not (study / "model.skops").exists()
    assert not (study / "log.jsonl").exists()
