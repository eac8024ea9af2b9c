"""Running a pipeline: one stage after the other, each with the command that stands for it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from vsa.errors import InputError, VsaError
from vsa.run.pipelines import recordings
from vsa.run.pipelines.clashes import clashes
from vsa.run.pipelines.file import Pipeline, Stage
from vsa.run.pipelines.plan import (
    DONE,
    EXTRACT,
    UNCHANGED,
    Planned,
    absent,
    decide,
    no_models,
    results_of,
    state,
)
from vsa.run.pipelines.provenance import (
    CONTENTS,
    MEASURED_BY,
    Provenance,
    described,
    earlier,
    repeated,
)
from vsa.run.pipelines.schema import arguments
from vsa.study.log import record as log

#: Some sessions failed and the rest is complete: what comes after works with the rest.
SOME_FAILED = 3
FAILED, RUNNING = "failed", "running"
#: 128 + SIGINT, as shells have it.
_INTERRUPTED = 130


@dataclass(frozen=True)
class Done:
    """What came of a run.

    Attributes
    ----------
    record
        Where it is written down.
    stages
        As they stand there.
    exit_code
        For the shell.
    same
        If a record was run again: whether each path is what it was then.
    """

    record: Path
    stages: Sequence[dict[str, Any]]
    exit_code: int
    same: dict[str, bool]


def check(pipeline: Pipeline, stages: Sequence[Stage], study: Path) -> None:
    """Look for what stages read, and at what they would write over, before anything starts.

    Raises
    ------
    InputError
        With all that is not there, and all that must not be written over.
    """
    for faults, said, hint in (
        (
            clashes(stages, study),
            "would write over what is needed",
            "Give other names in a copy of the file.",
        ),
        (
            no_models(stages, study),
            "names what is no bond model",
            "Give a file that 'vsa train' wrote.",
        ),
        (
            absent(stages, study),
            "needs what is not there",
            "Put it there, or change the setting in a copy of the file.",
        ),
    ):
        if listed := "".join(f"\n  {fault}" for fault in faults):
            raise InputError(f"{pipeline.file} {said}:{listed}", f"{hint} Nothing was started.")


def run(
    pipeline: Pipeline,
    stages: Sequence[Stage],
    study: Path,
    *,
    force: bool,
    say: Callable[[str], None],
    quiet: bool = False,
) -> Done:
    """Run the stages that have to, and write down what was done.

    Parameters
    ----------
    pipeline, study
        What is run, and where.
    stages
        Of the pipeline, those that are asked for; `check` found all that they read.
    force
        Run them though nothing has changed.
    say
        Is told what is done with each stage.
    quiet
        Let commands print to standard error.

    Raises
    ------
    VsaError, click.ClickException
        Of the stage that failed; those before it are in the record.
    """
    before = earlier(study)
    asked = {"asked": [stage.name for stage in stages], "force": force}
    provenance = Provenance(pipeline, study, asked)
    exit_code = 0
    try:
        for stage in stages:
            entry = described(stage)
            provenance.stages.append(entry)
            planned = decide(stage, study, before, force)
            code = _stage(planned, entry, study, provenance, force, say, quiet)
            if code == SOME_FAILED and stage.command == EXTRACT:
                say(f"{stage.name}: some sessions failed (failures.csv says why); the rest goes on.")
                exit_code = code
            elif code:
                exit_code = code
                break
    except BaseException as error:
        provenance.stages[-1] |= {"state": FAILED}
        say(f"{provenance.stages[-1]['stage']}: stopped. What was done before is kept.")
        _end(provenance, pipeline, study, _exit_code(error))
        raise
    _end(provenance, pipeline, study, exit_code)
    same = repeated(pipeline.record, provenance.stages) if pipeline.record else {}
    return Done(provenance.path, provenance.stages, exit_code, same)


def _stage(
    planned: Planned,
    entry: dict[str, Any],
    study: Path,
    provenance: Provenance,
    force: bool,
    say: Callable[[str], None],
    quiet: bool,
) -> int:
    """Do what is planned with one stage; the exit code of its command."""
    stage = planned.stage
    entry |= {"why": planned.why}
    say(f"{stage.name}: {'runs' if planned.todo == 'run' else 'skipped'}, {planned.why}.")
    read, written = state(stage, study)
    if planned.todo == "skip":
        entry |= {"state": UNCHANGED, "reads": read, "writes": written}
        provenance.write()
        return 0
    entry |= {"state": RUNNING, "reads": read}
    provenance.write()
    began = time.monotonic()
    afresh = {"afresh": True} if force and stage.command == EXTRACT else {}  # it would find all finished
    code = _call(arguments(stage.command, {**stage.settings, **afresh}, study), quiet)
    _, written = state(stage, study)
    failed = code != 0 and not (code == SOME_FAILED and stage.command == EXTRACT)
    entry |= {
        "state": FAILED if failed else DONE,
        "exit_code": code,
        "writes": written,
        "took_s": round(time.monotonic() - began, 3),
    }
    if stage.command == EXTRACT and (results := results_of(stage, study)) is not None:
        entry |= dict(zip((CONTENTS, MEASURED_BY), recordings.measured(results), strict=True))
    provenance.write()
    return code


def _call(words: Sequence[str], quiet: bool) -> int:
    """Run a command of vsa in this process; its exit code."""
    from vsa.cli import vsa

    if not quiet:
        code = vsa.main([*words], prog_name="vsa", standalone_mode=False)
    else:
        with redirect_stdout(sys.stderr):
            code = vsa.main([*words], prog_name="vsa", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _exit_code(error: BaseException) -> int:
    """As `vsa.cli.main` will have it."""
    if isinstance(error, KeyboardInterrupt | click.exceptions.Abort):
        return _INTERRUPTED
    return (
        error.exit_code
        if isinstance(error, VsaError)
        else 2
        if isinstance(error, click.ClickException)
        else 1
    )


def _end(provenance: Provenance, pipeline: Pipeline, study: Path, exit_code: int) -> None:
    provenance.write(exit_code)
    states = [one.get("state") for one in provenance.stages]
    log(
        study,
        "run",
        (),
        {
            "pipeline": pipeline.name,
            "record": provenance.path.relative_to(study).as_posix(),
            "done": states.count(DONE),
            "unchanged": states.count(UNCHANGED),
            "failed": states.count(FAILED),
            "exit_code": exit_code,
        },
    )
