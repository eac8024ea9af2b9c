"""A study folder: the manifest, the results of its sessions, and what was done with them, in one place."""

from __future__ import annotations

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


def is_study(folder: Path) -> bool:
    """Whether a folder is one: it holds a manifest, or results or a log without being a session."""
    if (folder / MANIFEST).is_file():
        return True
    return not is_session(folder) and any((folder / name).is_file() for name in (LOG, FEATURES))


def is_session(folder: Path) -> bool:
    """Whether a folder is that of one session: the study is the folder around it."""
    return (folder / SESSION).is_file() and not (folder / MANIFEST).is_file()


def study_of(path: Place) -> Path | None:
    """The study folder that a path is, or lies in; None if it is in none, or the place is an address."""
    if isinstance(path, Address):
        return None
    return next((folder for folder in (path, *path.absolute().parents[:2]) if is_study(folder)), None)


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
