"""What lies in a study folder: folders of sessions, what is in the making, and files beside them.

Places outside of it, as addresses of fsspec (`place_of`, `fault_of`), are in `vsa.study.addresses`.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: A folder with any of these is a session's.
_OF_SESSIONS = ("session.json", "face.parquet", "voice.parquet", "turns.parquet", "turns.corrected.rttm")
#: As `vsa.study.results` and `vsa.whole_file` name what is in the making.
_PART = re.compile(
    r"\.(?P<name>.+?)(?:\.session\.json)?\.[0-9a-f]{6}-(?P<process>\d+)-[0-9a-f]{8}(\.old)?\.part"
)
_WHOLE_PART = re.compile(r"\..+\.(?P<process>\d+)\.part")


@dataclass(frozen=True)
class Places:
    """What lies in a study folder.

    Attributes
    ----------
    sessions
        Folders of sessions, with the ids that they may have: of ``session.json``, and their name.
    making
        What is in the making, or was left by a killed run: path to name, and the number of the process.
    files
        All others, links left out.
    links
        Links to elsewhere.
    """

    sessions: Mapping[Path, tuple[str, ...]]
    making: Mapping[Path, tuple[str, int]]
    files: tuple[Path, ...]
    links: tuple[Path, ...]


def look(study: Path) -> Places:
    """List what lies in a study folder, at any depth; sessions' folders are not looked into."""
    sessions, making = dict[Path, tuple[str, ...]](), dict[Path, tuple[str, int]]()
    files, links = list[Path](), list[Path]()
    for at, folders, names in os.walk(study):
        here = Path(at)
        for name in sorted(folders):
            path = here / name
            if part := _PART.fullmatch(name):
                making[path] = part["name"], int(part["process"])
            elif path.is_symlink():  # also to a session: what it shows lies elsewhere
                links.append(path)
            elif ids := _session_ids(path):
                sessions[path] = ids
            else:
                continue
            folders.remove(name)
        for name in sorted(names):
            path = here / name
            if part := _PART.fullmatch(name) or _WHOLE_PART.fullmatch(name):
                making[path] = part.groupdict().get("name") or "", int(part["process"])
            elif path.is_symlink():
                links.append(path)
            else:
                files.append(path)
    return Places(sessions, making, tuple(files), tuple(links))


def session_record(folder: Path) -> dict[str, Any]:
    """What ``session.json`` says; empty if it is not there or can't be read."""
    try:
        record = json.loads((folder / "session.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _session_ids(folder: Path) -> tuple[str, ...]:
    """Ids that a session's folder may have; none if it is no session's."""
    if not any((folder / name).exists() for name in _OF_SESSIONS):
        return ()
    said = str(session_record(folder).get("session_id") or folder.name)
    return tuple(dict.fromkeys([said, folder.name]))
