"""Small studies and pipelines to run in them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from click.testing import CliRunner, Result
from questionnaires import one_factor, wide
from studies import make_study

from vsa.commands.run import run
from vsa.study.instruments import load

HEAD = '[pipeline]\nname = "small"\nversion = 1\npurpose = "To be tested."\n'
SCORE = '[stage.score]\nanswers = "answers.csv"\ninstrument = "wai-sr"\nout = "bonds.csv"\n'
FLAG = '[stage.flag]\nrules = true\nbudget = 0.2\nout = "flags.csv"\n'
COMPARE = (
    '[stage.compare]\nby = "group"\noutcome = ["total_mean"]\nbonds = "bonds.csv"\nclients = "clients.csv"\n'
    'out = "comparison"\n'
)
#: Scores, a list that does not read them, and a comparison that does.
SMALL = HEAD + SCORE + FLAG + COMPARE


def prepare(folder: Path) -> None:
    """A study of twelve clients with answers to a questionnaire and two groups of clients."""
    cohort = make_study(folder)
    ids = list(cohort["session_id"])
    answers = (3 + one_factor(len(ids), [0.8] * 12, [0.6] * 12, 0)).round().clip(1, 5).astype(int)
    table = wide(load("wai-sr"), answers.astype(object), client_id=list(cohort["client_id"]))
    table.assign(session_id=ids).to_csv(folder / "answers.csv", index=False)
    clients = cohort["client_id"].drop_duplicates().reset_index(drop=True)
    groups = ["one" if k % 2 else "other" for k in range(len(clients))]
    pd.DataFrame({"client_id": clients, "group": groups, "simulated": "true"}).to_csv(
        folder / "clients.csv", index=False
    )


def write_pipeline(folder: Path, text: str = SMALL) -> Path:
    path = folder / "small.toml"
    path.write_text(text, "utf-8")
    return path


def call(*words: str | Path) -> Result:
    """``vsa run`` in this process; what a stage raised is in its `exception`."""
    return CliRunner().invoke(run, [*map(str, words)])


def ran(done: Result) -> list[str]:
    """Stages that a run with ``--json`` did."""
    assert done.exit_code == 0, done.output + str(done.exception)
    return [one["stage"] for one in json.loads(done.stdout)["stages"] if one["state"] == "done"]


def records(study: Path) -> list[dict]:
    """What runs have left, the first one first."""
    return [json.loads(path.read_text()) for path in sorted((study / "runs").glob("*.json"))]


def change_answer(study: Path, row: int = 0, to: int = 1) -> None:
    table = pd.read_csv(study / "answers.csv")
    table.loc[row, "wai_sr_3"] = to if table.loc[row, "wai_sr_3"] != to else to + 1
    table.to_csv(study / "answers.csv", index=False)
