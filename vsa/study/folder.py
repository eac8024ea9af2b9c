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
#: No session may be called like one of these.
TAKEN = (MANIFEST, LOG, README, FEATURES, FAILURES)


def is_study(folder: Path) -> bool:
    """Whether a folder is one: it holds a manifest, results or a log."""
    return folder.is_dir() and any((folder / name).is_file() for name in (MANIFEST, LOG, FEATURES))


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
    if not is_study(path):
        raise InputError(
            f"{path} is no study folder: there is no {MANIFEST}, {FEATURES} or {LOG} in it.",
            "Give the folder that 'vsa init' made or that 'vsa extract --out' wrote into.",
        )
    return path
