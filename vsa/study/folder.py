"""A study folder: the manifest, the results of its sessions, and what was done with them, in one place."""

from __future__ import annotations

import os
from pathlib import Path

from vsa.errors import InputError
from vsa.study.addresses import Address, Place

#: Of its files. Sessions lie beside them, each in a folder of its own.
MANIFEST = "manifest.csv"
LOG = "log.jsonl"
README = "README.md"
FEATURES = "features.parquet"
FAILURES = "failures.csv"
#: Makes a folder that of one session, and none of a study.
SESSION = "session.json"
#: No session may be called like one of these.
TAKEN = (MANIFEST, LOG, README, FEATURES, FAILURES)

#: Folders up to here around a path may be its study by a log or results alone.
_NEAR = 2
#: Bytes of a manifest in which its header is.
_TOP = 1 << 16


def is_study(folder: Path) -> bool:
    """Whether a folder is one: it holds a manifest, or results or a log without being a session."""
    if (folder / MANIFEST).is_file():
        return True
    return not is_session(folder) and any((folder / name).is_file() for name in (LOG, FEATURES))


def is_session(folder: Path) -> bool:
    """Whether a folder is that of one session: the study is the folder around it."""
    return (folder / SESSION).is_file() and not (folder / MANIFEST).is_file()


def study_of(path: Place) -> Path | None:
    """The study folder that a path is, or lies in; None if it is in none, or the place is an address.

    Links are followed: what they lead to counts. Of folders further up than two, only those with a manifest of sessions
    count: a home folder that holds a log by chance is no study.
    """
    if isinstance(path, Address):
        return None
    named, real = path.absolute(), Path(os.path.realpath(path))
    for start in dict.fromkeys((real, named)):
        around = (start, *start.parents)
        for up, folder in enumerate(around):
            if names_sessions(folder) if up > _NEAR else is_study(folder):
                same = os.path.realpath(folder)
                return next(
                    (one for one in (path, *named.parents) if os.path.realpath(one) == same), folder
                )  # as it was called
    return None


def manifest_of(study: Path) -> Path | None:
    """The manifest that says what a study's sessions may be used for: its own, or that of a study around it."""
    if (study / MANIFEST).is_file():
        return study / MANIFEST
    return next(
        (folder / MANIFEST for folder in Path(os.path.realpath(study)).parents if names_sessions(folder)),
        None,
    )


def names_sessions(folder: Path) -> bool:
    """Whether a folder holds a manifest, and not another file of that name."""
    path = folder / MANIFEST
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return b"session_id" in file.read(_TOP).replace(b"\0", b"").lower()
    except OSError:
        return False


def study_folder(path: Path) -> Path:
    """Check that a path is a study folder.

    Raises
    ------
    InputError
        When it is none.
    """
    if is_session(path):
        raise InputError(f"{path} is one session, and no study folder.", "Give the folder around it.")
    if not is_study(path):
        raise InputError(
            f"{path} is no study folder: there is no {MANIFEST}, {FEATURES} or {LOG} in it.",
            "Give the folder that 'vsa init' made or that 'vsa extract --out' wrote into.",
        )
    return path
