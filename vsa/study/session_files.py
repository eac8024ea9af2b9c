"""The files of a session's results, and when a session counts as finished: the same wherever results are kept."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vsa.errors import InputError
from vsa.study.addresses import AddressError, Place
from vsa.study.record_shape import foreign

#: Of the file formats; it changes when a reader would have to.
SCHEMA = 3
#: What a session's folder may hold. A folder that holds anything else is not vsa's to replace.
SESSION_FILES = (
    "session.json",
    "face.parquet",
    "landmarks.npz",
    "voice.parquet",
    "turns.parquet",
    "turns.rttm",
    "turns.corrected.rttm",
    "features.parquet",
)
#: File managers put these into any folder.
LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")
#: Without these a session is not finished.
TABLES = ("face.parquet", "voice.parquet", "turns.parquet", "features.parquet")
#: What a table of a finished session ends with.
PARQUET_END = b"PAR1"


def has_links(session: Path) -> bool:
    """Whether a session's folder, or a file of it, is a link: what it shows is another's, and not to be changed."""
    return session.is_symlink() or any((session / name).is_symlink() for name in SESSION_FILES)


def read_record(session: Place) -> dict[str, Any] | None:
    """The ``session.json`` of a session's folder; None if it is not there, is damaged or lies elsewhere.

    Raises
    ------
    InputError
        When its store can't be reached.
    """
    if isinstance(session, Path) and has_links(session):
        return None
    try:
        record = json.loads((session / "session.json").read_bytes().decode("utf-8"))
    except AddressError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise InputError(f"{session}: {error}.", error.hint) from None
    except (OSError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def is_finished(record: Any) -> bool:
    """Whether a ``session.json`` says that its session is finished, and holds what vsa writes."""
    return (
        isinstance(record, dict) and record.get("status") in ("complete", "partial") and not foreign(record)
    )


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a JSON file for people and machines."""
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def in_the_way(folder: object, names: list[str]) -> tuple[str, str]:
    """What to say of a folder that holds what vsa did not write."""
    listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return (
        f"{folder} is there and holds what is no result of vsa ({listed}); it is not replaced.",
        "Give another folder with --out, or move that away.",
    )
