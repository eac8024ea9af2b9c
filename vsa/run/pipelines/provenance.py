"""Records of runs, from which each can be run again: ``runs/<time>-<name>.json`` in the study folder."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vsa.errors import InputError
from vsa.run.pipelines import prints
from vsa.run.pipelines.file import RECORD, Pipeline, Stage
from vsa.run.pipelines.plan import DONE, UNCHANGED, reads, state
from vsa.run.pipelines.schema import arguments, seed_of
from vsa.study.results import write_json
from vsa.whole_file import replacing

#: Of records, in the study folder.
FOLDER = "runs"
#: In command lines; whoever repeats one by hand sets it.
_STUDY = "$STUDY"
#: Of stages that measured recordings: the fingerprint of these, and the versions of vsa that have measured.
CONTENTS, MEASURED_BY = "recordings", "measured_by"
#: Among the paths that are compared.
RECORDINGS = "what the recordings hold"
#: Writes pages.
_PAGES = "report"
_NEEDED = ("stage", "command", "settings", "reads", "writes")


class Provenance:
    """The record of a run, written anew after each stage: what a killed run has done is in it.

    Parameters
    ----------
    pipeline, study
        What is run, and where.
    settings
        Of the run itself, such as which stages were asked for.
    """

    def __init__(self, pipeline: Pipeline, study: Path, settings: Mapping[str, Any]) -> None:
        began = datetime.now(UTC)
        folder = study / FOLDER
        stem = f"{began:%Y%m%dT%H%M%S.%f}Z-{pipeline.name}"
        self.path = folder / f"{stem}.json"
        self.stages = list[dict[str, Any]]()
        self._told = {
            "what": RECORD,
            "pipeline": {
                "name": pipeline.name,
                "version": pipeline.version,
                "purpose": pipeline.purpose,
                "file": pipeline.file,
                "sha256": pipeline.sha256,
                "text": pipeline.text,
            },
            **settings,
            "began": _time(began),
            "versions": dict(prints.versions()),
            "code": prints.code(),
        }

    def write(self, exit_code: int | None = None) -> None:
        """Bring it to the disk; without an exit code the run is not at its end.

        Raises
        ------
        InputError
            When it can't be written.
        """
        ended = {"ended": None if exit_code is None else _time(datetime.now(UTC)), "exit_code": exit_code}
        folder = self.path.parent
        if folder.is_symlink():
            raise InputError(
                f"{folder} is a link: records belong into the study.", "Put a folder in its place."
            )
        with replacing(self.path, "Give a study folder that you may write into.") as part:
            write_json(part, {**self._told, **ended, "stages": self.stages})


def described(stage: Stage) -> dict[str, Any]:
    """What a record says of a stage whatever becomes of it."""
    marked = Path(_STUDY)
    words = arguments(stage.command, stage.settings, marked)
    return {
        "stage": stage.name,
        "command": stage.command,
        "settings": dict(stage.settings),
        "seed": seed_of(stage.command, stage.settings),
        "command_line": " ".join(["vsa", *(_quoted(word) for word in words)]),
    }


def earlier(study: Path) -> list[dict[str, Any]]:
    """Stages of earlier runs that are complete, the last one first, with `code` and `versions` of their run."""
    found = list[dict[str, Any]]()
    for path in sorted((study / FOLDER).glob("*.json"), reverse=True):
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            record = json.loads(path.read_text("utf-8"))
            made = {"code": record["code"], "versions": dict(record["versions"])}
            found += [{**made, **one} for one in reversed(record["stages"]) if _is_complete(one)]
    return found


def differences(pipeline: Pipeline, stages: Sequence[Stage], study: Path) -> Iterator[str]:
    """In what the present differs from that of a record that is to be run again, before it is."""
    record = pipeline.record or {}
    then: Mapping[str, str] = record.get("versions") or {}
    if record.get("code") != prints.code():
        yield "The code of vsa is not what it was."
    for name, number in prints.versions().items():
        if then.get(name) != number:
            yield f"{name} was {then.get(name, 'not there')}, and is {number}."
    told = _by_stage(record)
    written = set[str]()
    for stage in stages:
        now, writes = state(stage, study)
        for text in reads(stage):
            before = told.get(stage.name, {}).get("reads", {}).get(text)
            if text not in written and before is not None and before != now[text]:
                yield f"{stage.name}: {_called(text)} is not what was read."
        written |= {*writes}


def repeated(record: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """Whether what stages wrote is what the record has; by path. Pages say when and where they were made: not they."""
    told = _by_stage(record)
    measured = [one for one in stages if CONTENTS in one and CONTENTS in told.get(one["stage"], {})]
    same = {}
    if measured:
        same[RECORDINGS] = all(one[CONTENTS] == told[one["stage"]][CONTENTS] for one in measured)
    return same | {
        text: mark == told[one["stage"]]["writes"].get(text)
        for one in stages
        if one["stage"] in told and _is_complete(one) and one["command"] != _PAGES
        for text, mark in one["writes"].items()
    }


def _by_stage(record: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {one["stage"]: one for one in record.get("stages", ()) if _is_complete(one)}


def _is_complete(one: Mapping[str, Any]) -> bool:
    return one.get("state") in (DONE, UNCHANGED) and all(name in one for name in _NEEDED)


def _called(text: str) -> str:
    return "the study" if text == "." else text


def _quoted(word: str) -> str:
    if word == _STUDY or word.startswith(f"{_STUDY}/"):
        return f'"{_STUDY}"{shlex.quote(word.removeprefix(_STUDY)) if word != _STUDY else ""}'
    return shlex.quote(word)


def _time(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
