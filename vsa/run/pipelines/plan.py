"""What has to run: the stages whose settings, inputs or code differ from when they last ran, and why."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vsa.errors import InputError
from vsa.run.evaluation_files import evaluation_folder
from vsa.run.pipelines import prints, recordings
from vsa.run.pipelines.file import Pipeline, Stage
from vsa.run.pipelines.schema import WRITTEN, nearest, paths, within

Todo = Literal["run", "skip", "maybe"]
#: In records: the stage was run, or found to be as an earlier run left it.
DONE, UNCHANGED = "done", "unchanged"
#: A key's fingerprint would be a trace of it.
_SECRET = ("pseudonymize",)
#: Settings that name a bond model (`vsa.bond.store`), which is a ZIP archive.
_MODELS = ("model", "start-from")
#: Looks at every recording itself, whether it changed; to know that here takes as long.
EXTRACT = "extract"


@dataclass(frozen=True)
class Planned:
    """What is to be done with a stage, and why, in words."""

    stage: Stage
    todo: Todo
    why: str


def chosen(pipeline: Pipeline, begin: str | None, only: Sequence[str]) -> tuple[Stage, ...]:
    """The stages that are asked for: all, those from one on, or single ones. Of a record, those that were run.

    Raises
    ------
    InputError
        When one is not in the file, or none is left.
    """
    names = [stage.name for stage in pipeline.stages]
    if pipeline.record and not begin and not only:
        only = pipeline.record["asked"]
    for name in (*only, *([begin] if begin else [])):
        if name not in names:
            raise InputError(
                f"{pipeline.file} has no stage {name}.{nearest(name, names)}", f"It has {', '.join(names)}."
            )
    rest = pipeline.stages[names.index(begin) :] if begin else pipeline.stages
    found = tuple(stage for stage in rest if not only or stage.name in only)
    if not found:
        raise InputError(
            f"No stage is left: {', '.join(only)} comes before {begin}.", "Leave out --from, or --only."
        )
    return found


def reads(stage: Stage) -> dict[str, str]:
    """What a stage reads: path as in the file, and the setting that names it."""
    found = {text: key for key, text in paths(stage.command, stage.settings) if key not in WRITTEN}
    if stage.command == "report" and "model" in stage.settings:  # its card and pictures
        found[_evaluation(str(stage.settings["model"]))] = "model"
    return found


def writes(stage: Stage) -> tuple[str, ...]:
    """What a stage writes, as in the file."""
    found = [text for key, text in paths(stage.command, stage.settings) if key in WRITTEN]
    if stage.command == "extract" and "out" not in stage.settings:
        found.append(".")
    if stage.command == "sync" and "export" not in stage.settings:  # into the features of the sessions
        found.append(str(stage.settings.get("file", ".")))
    if stage.command == "train":
        found.append(_evaluation(str(stage.settings["out"])))
    return tuple(dict.fromkeys(found))


def absent(stages: Iterable[Stage], study: Path) -> list[str]:
    """What stages read that is not there and that none before them writes."""
    written, faults = set[Path | None](), list[str]()
    for stage in stages:
        for text, key in reads(stage).items():
            path = within(text, study)
            derived = text not in [str(one) for one in (*_flat(stage), ".")]
            if path is not None and not path.exists() and not _among(path, written, study) and not derived:
                faults.append(f"[stage.{stage.name}] {key}: {text} is not in {study}.")
        written |= {within(text, study) for text in writes(stage)}
    return faults


def no_models(stages: Iterable[Stage], study: Path) -> Iterator[str]:
    """Files that stages take for bond models, and that are none."""
    for stage in stages:
        for text, key in reads(stage).items():
            path = within(text, study) if key in _MODELS and text == stage.settings.get(key) else None
            if path is not None and path.is_file() and not zipfile.is_zipfile(path):
                yield f"[stage.{stage.name}] {key}: {text}."


def state(stage: Stage, study: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Fingerprints of what a stage reads and writes, as it is now."""
    read = {text: _print(stage, text, key, study) for text, key in reads(stage).items()}
    written = {
        text: "address" if (path := within(text, study)) is None else prints.of_written(path)
        for text in writes(stage)
    }
    return read, written


def decide(stage: Stage, study: Path, earlier: Sequence[Mapping[str, Any]], force: bool = False) -> Planned:
    """Whether a stage has to run.

    Parameters
    ----------
    stage, study
        Which, and where.
    earlier
        Stages of earlier runs in this study, the last one first, as `vsa.run.pipelines.provenance` has them.
    force
        Run it in any case.
    """
    if force:
        return Planned(stage, "run", "it is asked for")
    if stage.command == EXTRACT:
        return Planned(
            stage, "run", f"it finds out itself which recordings are new{_of_others(stage, study)}"
        )
    read, written = state(stage, study)
    if "address" in (*read.values(), *written.values()):
        return Planned(stage, "run", "nobody can say whether what is at an address has changed")
    settings = dict(stage.settings)
    mine = [one for one in earlier if one["command"] == stage.command and one["settings"] == settings]
    differ = [_difference(one, read, written) for one in mine]
    if "" in differ:
        return Planned(stage, "skip", "nothing has changed since it ran")
    if differ:
        return Planned(stage, "run", differ[0])
    before = [one for one in earlier if one["stage"] == stage.name]
    return Planned(stage, "run", _changed(before[0], stage) if before else "it has not run yet")


def plan(
    stages: Iterable[Stage], study: Path, earlier: Sequence[Mapping[str, Any]], force: bool = False
) -> list[Planned]:
    """What would be done now. A stage that reads what one before it will write anew may have to run then."""
    found, doubtful = list[Planned](), dict[Path | None, str]()
    for stage in stages:
        now = decide(stage, study, earlier, force)
        places = [_among(within(text, study), doubtful, study) for text in reads(stage)]
        before = [doubtful[one] for one in places if one is not None]
        if now.todo == "skip" and before:
            now = Planned(stage, "maybe", f"if {before[0]} changes what it reads")
        found.append(now)
        if now.todo != "skip":
            doubtful |= {within(text, study): stage.name for text in writes(stage)}
    return found


def results_of(stage: Stage, study: Path) -> Path | None:
    """Where extraction puts its results; None if at an address."""
    return within(str(stage.settings.get("out", ".")), study)


def _of_others(stage: Stage, study: Path) -> str:
    """Which versions of vsa have measured what is finished, if they are others: it stays as they did it."""
    folder = results_of(stage, study)
    if folder is None:
        return ""
    _, versions = recordings.measured(folder)
    others = {version: count for version, count in versions.items() if version != prints.versions()["vsa"]}
    if not others:
        return ""
    told = ", ".join(f"{count} by vsa {version}" for version, count in others.items())
    return f"; measured before and kept: {told} (--force measures all anew)"


def _difference(one: Mapping[str, Any], read: Mapping[str, str], written: Mapping[str, str]) -> str:
    """In what an earlier run of the same stage differs; empty if in nothing."""
    if one["code"] != prints.code():
        return "vsa is another"
    if others := [name for name, number in prints.versions().items() if one["versions"].get(name) != number]:
        return f"{', '.join(others[:3])} {'is' if len(others) == 1 else 'are'} of another version"
    for text, mark in read.items():
        # what a stage changes in place is up to date as the stage left it
        if text not in written and one["reads"].get(text) != mark:
            return f"{_called(text)} has changed"
    for text, mark in written.items():
        if one["writes"].get(text) != mark:
            return f"{_called(text)} is {'missing' if mark == prints.ABSENT else 'not as it was left'}"
    return ""


def _changed(before: Mapping[str, Any], stage: Stage) -> str:
    keys = [*stage.settings, *(key for key in before["settings"] if key not in stage.settings)]
    other = [key for key in keys if stage.settings.get(key) != before["settings"].get(key)]
    return (
        f"{', '.join(other)} {'is' if len(other) == 1 else 'are'} set anew" if other else "it has not run yet"
    )


def _among(path: Path | None, places: Iterable[Path | None], study: Path) -> Path | None:
    """Which of some places a path is, or lies in; what lies in the study folder is not for that part of the results."""
    if path is None:
        return None
    return next((one for one in places if one == path or (one in path.parents and one != study)), None)


def _called(text: str) -> str:
    return "the study" if text == "." else text


def _print(stage: Stage, text: str, key: str, study: Path) -> str:
    path = within(text, study)
    if path is None:
        return "address"
    if stage.command == EXTRACT and key == "sources":
        return recordings.of_sources(path, str(stage.settings.get("purpose", "")))
    if key in _SECRET:
        return prints.of_state(path)
    if text not in map(str, _flat(stage)) and path.is_dir() and key == "model":  # its evaluation: no films
        return prints.of_written(path)
    return prints.of_read(path)


def _evaluation(model: str) -> str:
    return evaluation_folder(Path(model)).as_posix()


def _flat(stage: Stage) -> Iterable[object]:
    for value in stage.settings.values():
        yield from value if isinstance(value, list) else [value]
