"""Fingerprints: by which files, results, vsa and the libraries are known to be the same as at an earlier time."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import vsa
from vsa.errors import InputError
from vsa.study.folder import FAILURES, FEATURES, MANIFEST, is_study
from vsa.study.session_files import LITTER

#: What is not there.
ABSENT = "absent"
#: Of a results folder, beside the sessions.
_TABLES = (MANIFEST, FEATURES, FAILURES)
#: Says when and with which paths a report was made; its pages are what counts.
_OF_THE_MOMENT = ("report.json",)
#: Of a ``session.json``: what differs each time that the same is measured.
_TIMINGS, _MODIFIED = "timings_s", "modified_ns"
#: A bond model (`vsa.bond.store`), and the list of its parts.
_MODEL, _MODEL_ORDER = ".skops", "schema.json"
#: Of these requirements of vsa no result depends: they are for those who work on it.
_DEVELOPERS = re.compile(r"extra\s*==\s*['\"]dev['\"]")


def of_read(path: Path) -> str:
    """Of something that a stage reads.

    Of a file and of a results folder it is that of the content. Of another folder, which may hold films, it is that of
    the names, sizes and times of its files.
    """
    if path.is_file():
        return of_file(path)
    if is_study(path) or (path / "session.json").is_file():
        return of_results(path)
    if path.is_dir():
        return joined("listing", (f"{name}\t{_state(one)}" for name, one in _files(path)))
    return ABSENT


def of_written(path: Path) -> str:
    """Of something that a stage wrote: a file, or a folder with all in it."""
    if path.is_file():
        return of_file(path)
    if is_study(path):
        return of_results(path)
    if path.is_dir():
        files = ((name, one) for name, one in _files(path) if one.name not in _OF_THE_MOMENT)
        return joined("folder", (f"{name}\t{of_file(one)}" for name, one in files))
    return ABSENT


def of_results(folder: Path) -> str:
    """Of a results folder, or of one session in it: its tables, and of every session its ``session.json`` and turns.

    The same for the same results: how long they took to make, and when files were copied, is left out.
    """
    tables = [folder / name for name in _TABLES if (folder / name).is_file()]
    sessions = sorted([*folder.glob("session.json"), *folder.glob("*/session.json")])
    held = [(one, of_file(one)) for one in tables]
    for one in sessions:
        if one.parent.name.startswith("."):
            continue
        held.append((one, _of_session(one)))
        held += [(turns, of_file(turns)) for turns in sorted(one.parent.glob("turns*.rttm"))]
    return joined("results", (f"{one.relative_to(folder).as_posix()}\t{mark}" for one, mark in held))


def sources_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The recordings that a ``session.json`` names."""
    found = [record.get("source"), *_listed(record, "further_sources"), *_listed(record, "sound_files")]
    return [one for one in found if isinstance(one, dict)]


def _listed(record: Mapping[str, Any], key: str) -> list[Any]:
    found = record.get(key)
    return found if isinstance(found, list) else []


def _of_session(path: Path) -> str:
    """Of a ``session.json`` without what differs each time that the same is measured."""
    try:
        record = json.loads(path.read_bytes())
        record.pop(_TIMINGS, None)
        for source in sources_of(record):
            source.pop(_MODIFIED, None)
        return joined("session", [json.dumps(record, sort_keys=True)])
    except (OSError, ValueError, AttributeError, RecursionError):  # damaged
        return of_file(path)


def of_file(path: Path) -> str:
    """Of a file's bytes; of a bond model, of what it holds.

    Raises
    ------
    InputError
        When it can't be read.
    """
    try:
        if path.suffix == _MODEL and zipfile.is_zipfile(path):
            return _of_model(path)
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise InputError(
            f"{path} can't be read ({error.strerror or error}).", "Check that you may read it."
        ) from None


def _of_model(path: Path) -> str:
    """The same for the same training. In the file, parts are called after places in memory, and those differ.

    ``vsa.json`` has the numbers that the model gives for given signals, so other parts need no order.
    """
    with zipfile.ZipFile(path) as held:
        parts = [one for one in held.infolist() if one.filename != _MODEL_ORDER]
        named = {one: one.filename for one in parts if not one.filename.removesuffix(".npy").isdecimal()}
        return joined("model", sorted(f"{named.get(one, '')}\t{one.CRC}\t{one.file_size}" for one in parts))


def of_state(path: Path) -> str:
    """Of a file whose content shall leave no trace: its size and time."""
    return f"state:{_state(path)}" if path.is_file() else ABSENT


@cache
def code() -> str:
    """Of all that vsa consists of, but for what ships beside it."""
    package = Path(vsa.__file__).parent
    files = ((name, one) for name, one in _files(package) if not name.startswith("_data/"))
    return joined("code", (f"{name}\t{of_file(one)}" for name, one in files if "__pycache__" not in name))


@cache
def versions() -> Mapping[str, str]:
    """Of vsa, Python, and the libraries that vsa requires and that are there."""
    try:
        required = importlib.metadata.requires("vsa") or ()
    except importlib.metadata.PackageNotFoundError:
        required = ()
    names = {re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in required if not _DEVELOPERS.search(one)}
    return {"vsa": vsa.__version__, "python": platform.python_version(), **dict(_installed(names))}


def _installed(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in sorted(names):
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files at any depth, by their path in the folder, in its order; what systems put there is left out."""
    found = (one for one in folder.rglob("*") if one.is_file() and one.name not in LITTER)
    yield from sorted((one.relative_to(folder).as_posix(), one) for one in found)


def _state(path: Path) -> str:
    state = path.stat()
    return f"{state.st_size}\t{state.st_mtime_ns}"


def joined(kind: str, lines: Iterable[str]) -> str:
    """One fingerprint of several lines."""
    return f"{kind}:{hashlib.sha256(chr(10).join(lines).encode('utf-8', 'surrogateescape')).hexdigest()}"
