"""A pipeline file: where it is found, what it says, and every fault in it at once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vsa.data import data_file
from vsa.errors import InputError
from vsa.run.pipelines.schema import COMMANDS, nearest, setting_faults
from vsa.toml_file import parsed

#: What `vsa run` writes begins so; it can be run like the file that it holds.
RECORD = "vsa run"
_FOLDER = "pipelines"
_TOP = ("pipeline", "stage")
_ABOUT = {"name": str, "version": int, "purpose": str}
#: Names become names of files.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True)
class Stage:
    """One command with its settings.

    Attributes
    ----------
    name
        Of the stage; that of the command, where the file says no other.
    command
        Of vsa.
    settings
        Under their names of the command line, as the file has them.
    """

    name: str
    command: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Pipeline:
    """A clean pipeline file.

    Attributes
    ----------
    name, version, purpose
        As it calls itself.
    stages
        In their order.
    file
        Its name, without the folder.
    text
        All of it.
    record
        What an earlier run wrote, if it is this that is run again; else None.
    """

    name: str
    version: int
    purpose: str
    stages: tuple[Stage, ...]
    file: str
    text: str
    record: Mapping[str, Any] | None = None

    @property
    def sha256(self) -> str:
        """Of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def find(name: str) -> Path:
    """Find a pipeline file: a path, or the name of one that ships with vsa.

    Raises
    ------
    InputError
        When there is none.
    """
    path = Path(name)
    with suppress(OSError):  # too long for a name
        if path.is_file():
            return path
    ours = path.suffix in ("", ".toml") and path.parent in (Path(), Path(_FOLDER))
    shipped = {one.stem: one for one in sorted(data_file(_FOLDER).glob("*.toml"))}
    if ours and path.stem in shipped:
        return shipped[path.stem]
    raise InputError(
        f"There is no pipeline file {path}.{nearest(path.stem, shipped)}",
        f"Give the path of one, or one that ships with vsa: {', '.join(shipped)}.",
    )


def read(path: Path) -> Pipeline:
    """Read a pipeline file, or the record of a run, which holds the file that was run.

    Raises
    ------
    InputError
        With every fault found: stage, setting, and what would be right.
    """
    try:
        text = path.read_bytes().decode("utf-8")  # as it is, for its fingerprint
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"{path} can't be read ({why}).", "Give a pipeline file (TOML).") from None
    if path.suffix != ".json":
        return _parsed(text, path.name, str(path))
    try:
        record = json.loads(text)
        if record["what"] != RECORD:
            raise ValueError
        file, content = str(record["pipeline"]["file"]), str(record["pipeline"]["text"])
        sha256, asked = record["pipeline"]["sha256"], record["asked"]
        if not _has_its_kinds(record):
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path} is no record of a run.", "Records lie in runs/ of a study.") from None
    found = _parsed(content, file, f"{path} ({file})")
    stages = {str(one["stage"]) for one in record["stages"]} | {*map(str, asked)}
    if found.sha256 != sha256 or stages - {stage.name for stage in found.stages}:
        raise InputError(
            f"{path} was changed: the file in it is not the one that was run.",
            "Save that file under a name of its own (vsa run RECORD --print > mine.toml), and run it.",
        )
    return replace(found, record=record)


def _has_its_kinds(record: Mapping[str, Any]) -> bool:
    tables = [record["versions"], *record["stages"]]
    tables += [one.get(key, {}) for one in record["stages"] for key in ("settings", "reads", "writes")]
    return isinstance(record["asked"], list) and all(isinstance(one, dict) for one in tables)


def _parsed(text: str, file: str, told: str) -> Pipeline:
    try:
        held = parsed(text.removeprefix("\ufeff"))  # some editors begin files with it
    except ValueError as error:
        raise InputError(f"{told} is no TOML: {error}.", "Mend that place.") from None
    about, tables = held.get("pipeline"), held.get("stage")
    faults = [f"[{one}]: no such table.{nearest(one, _TOP)}" for one in held if one not in _TOP]
    faults += [*_about_faults(about)]
    stages = list[Stage]()
    if not isinstance(tables, dict) or not tables:
        faults.append("no stages: each is a table, as [stage.extract].")
    else:
        for name, table in tables.items():
            stage, wrong = _stage(name, table)
            stages += [stage] if stage else []
            faults += [f"[stage.{name}] {fault}" for fault in wrong]
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults)
        count = f"{len(faults)} fault{'s' * (len(faults) != 1)}"
        raise InputError(f"{told} has {count}:{listed}", "Nothing was started.")
    assert isinstance(about, dict)
    return Pipeline(**{name: about[name] for name in _ABOUT}, stages=tuple(stages), file=file, text=text)


def _about_faults(about: object) -> Iterable[str]:
    if not isinstance(about, dict):
        yield "[pipeline]: missing; it has name, version and purpose."
        return
    for name in about:
        if name not in _ABOUT:
            yield f"[pipeline] {name}: no such key.{nearest(name, _ABOUT)}"
    for name, kind in _ABOUT.items():
        if type(about.get(name)) is not kind:
            yield f"[pipeline] {name}: missing, or not {'a whole number' if kind is int else 'text'}."
        elif name == "name" and not _NAME.fullmatch(about[name]):
            yield f"[pipeline] name: '{about[name]}'; small letters, digits and hyphens, up to 40."


def _stage(name: str, table: object) -> tuple[Stage | None, list[str]]:
    if not isinstance(table, dict):
        return None, ["is no table."]
    command = table.get("command", name)
    if not isinstance(command, str) or command not in COMMANDS:
        key = "command" if "command" in table else "is no command"
        known = ", ".join(COMMANDS)
        return None, [f"{key}: '{command}'.{nearest(str(command), COMMANDS)} Stages can be: {known}."]
    if not _NAME.fullmatch(name):
        return None, ["has a name that is not of small letters, digits and hyphens, up to 40."]
    settings = {key: value for key, value in table.items() if key != "command"}
    return Stage(name, command, settings), [*setting_faults(command, settings)]
