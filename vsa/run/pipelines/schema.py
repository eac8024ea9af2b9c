"""Settings of stages: what the commands themselves take, so that nothing is written down twice."""

from __future__ import annotations

import difflib
import importlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click

from vsa.commands.places import local_path, place
from vsa.errors import VsaError
from vsa.run.pipelines.values import together_faults, value_fault

#: Commands that can be stages, each with its arguments in order and what they are where the file is silent: the study
#: folder, or nothing.
COMMANDS: Mapping[str, Mapping[str, str]] = {
    "extract": {"sources": "."},
    "score": {"answers": ""},
    "sync": {"file": ".", "file2": ""},
    "train": {"study": "."},
    "evaluate": {"model": "", "study": "."},
    "flag": {"model": "", "study": "."},
    "compare": {"study": "."},
    "report": {"study": "."},
}
#: Needed though click lets them be absent: the command asks for them itself, and late.
_NEEDED = {"score": ("answers", "instrument", "out")}
#: Not for files: how a command speaks, and what it only shows.
_HIDDEN = ("json", "list", "help")
#: Settings that name what a command writes; other paths are read.
WRITTEN = ("out", "report", "overlay", "export")
#: Paths whose type in the command is text, since they may be something else too.
_TEXT_PATHS = {"extract": ("sources", "out", "cluster"), "score": ("instrument",), "flag": ("model", "study")}
#: Bytes of a file's name, on any common system.
_LONGEST_NAME = 255
#: Of texts that may be paths, the files.
_FILE_ENDS = {"instrument": ".toml", "cluster": ".toml"}


@cache
def command_of(name: str) -> click.Command:
    """The command of that name."""
    command: click.Command = getattr(importlib.import_module(f"vsa.commands.{name}"), name)
    return command


@cache
def parameters(command: str) -> Mapping[str, click.Parameter]:
    """What may be set, by its name: arguments under theirs, options as they are written, without the hyphens."""
    found = dict[str, click.Parameter]()
    for param in command_of(command).params:
        if isinstance(param, click.Argument):
            found |= dict.fromkeys(COMMANDS[command] if param.nargs == -1 else (str(param.name),), param)
        else:
            key = max(param.opts, key=len).lstrip("-")
            found |= {} if key in _HIDDEN else {key: param}
    return found


def setting_faults(command: str, settings: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong in a stage's settings: each with its name, and what would be right."""
    known = parameters(command)
    context = click.Context(command_of(command), info_name=command)
    for key, value in settings.items():
        if key not in known:
            said = nearest(key, known) or f" 'vsa {command}' takes: {', '.join(known)}."
            yield f"{key}: no such setting.{said}"
        elif fault := _value_fault(context, known[key], value):
            yield f"{key}: {fault}"
        else:
            wrong = (value_fault(command, key, one) for one in _listed(value))
            yield from (f"{key}: {fault}" for fault in wrong if fault)
    for key, param in known.items():
        needed = param.required and not COMMANDS[command].get(key) and param.nargs != -1
        if key not in settings and (needed or key in _NEEDED.get(command, ())):
            yield f"{key}: missing; 'vsa {command}' needs it."
    yield from together_faults(command, settings)


def arguments(command: str, settings: Mapping[str, Any], study: Path) -> list[str]:
    """What is to be written behind ``vsa`` to run a stage.

    Parameters
    ----------
    command, settings
        Of the stage; without faults.
    study
        Paths are relative to this folder.
    """
    known, options, places = parameters(command), list[str](), list[str]()
    for key, default in COMMANDS[command].items():
        value = settings.get(key, default)
        places += [_spelled(command, key, one, study) for one in _listed(value) if one != ""]
    for key, value in settings.items():
        if key in COMMANDS[command]:
            continue
        if _is_flag(known[key]):
            options += [f"--{key}"] if value else []
            continue
        texts = [_spelled(command, key, one, study) for one in _listed(value)]
        for text in texts if known[key].multiple else [",".join(texts)]:
            options += [f"--{key}={text}"] if text.startswith("-") else [f"--{key}", text]
    guard = ["--"] if any(one.startswith("-") for one in places) else []
    return [command, *options, *guard, *places]


def paths(command: str, settings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The settings that are paths, each with its text, and arguments that the file leaves to be the study folder."""
    for key in parameters(command):
        for value in _listed(settings.get(key, COMMANDS[command].get(key, ""))):
            if value != "" and _is_path(command, key, value):
                yield key, str(value)


def seed_of(command: str, settings: Mapping[str, Any]) -> int | None:
    """The seed that a stage draws with; None if it draws nothing."""
    param = parameters(command).get("seed")
    return None if param is None else int(settings.get("seed", param.default))


def within(text: str, study: Path) -> Path | None:
    """A path of a setting, in its study; None if it is an address."""
    found = place(text)
    return study / found.expanduser() if isinstance(found, Path) else None


def nearest(name: str, known: Iterable[str]) -> str:
    """A question to put behind what is not known; empty if nothing is like it."""
    found = difflib.get_close_matches(name.replace("_", "-"), list(known), 1)
    return f" Did you mean {found[0]}?" if found else ""


def _spelled(command: str, key: str, value: object, study: Path) -> str:
    text = str(value)
    if not _is_path(command, key, text):
        return text
    path = within(text, study)
    return text if path is None else str(path)


def _is_path(command: str, key: str, value: object) -> bool:
    if key in _TEXT_PATHS.get(command, ()):
        return str(value).endswith(_FILE_ENDS.get(key, ""))
    return getattr(parameters(command)[key].type, "func", None) in (local_path, place)


def _path_fault(text: str) -> str:
    """What no system takes as a path; texts that are none hardly look so."""
    if max(map(len, text.encode("utf-8", "surrogateescape").split(b"/")), default=0) > _LONGEST_NAME:
        return f"{text[:40]}… is too long."
    if text.startswith("~"):
        try:
            Path(text).expanduser()
        except RuntimeError:
            return f"{text}: there is no such user."
    return ""


def _is_flag(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and param.is_flag


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _value_fault(context: click.Context, param: click.Parameter, value: object) -> str:
    """What is wrong with one value; empty if nothing is."""
    if _is_flag(param):
        return "" if isinstance(value, bool) else "takes true or false."
    several = param.multiple or (param.nargs == -1 and param.name == "sources")
    if isinstance(value, list) and not several and "," not in (param.metavar or ""):
        return "takes one value, and no list."
    for one in _listed(value):
        if isinstance(one, bool) or not isinstance(one, str | int | float):
            return "takes a text or a number" + (", or a list of them." if several else ".")
        if isinstance(one, float) and not math.isfinite(one):
            return f"{one} is no number."
        if one == "":
            return "is empty; leave it out instead."
        if isinstance(one, str) and (fault := _path_fault(one)):
            return fault
    texts = tuple(map(str, _listed(value)))
    try:
        param.process_value(context, texts if param.multiple or param.nargs == -1 else ",".join(texts))
    except click.BadParameter as error:
        return error.message
    except VsaError as error:
        return str(error)
    return ""
