"""What a session is made of: recordings, roles and tiles, from a manifest or from bare media files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vsa.errors import InputError

#: ``left``, ``right``, a place in reading order, or a rectangle x, y, w, h in px.
TileHint = str | int | tuple[int, int, int, int]

_ID = re.compile(r"[^\W_][\w .@+=-]*", re.UNICODE)
_LONGEST_ID = 120


@dataclass(frozen=True)
class Video:
    """One recording of a session.

    Attributes
    ----------
    path
        Where it is.
    role
        Whose camera it shows, if the recording is one participant's own.
    """

    path: Path
    role: str | None = None


@dataclass(frozen=True)
class SessionPlan:
    """One session to be analysed.

    Attributes
    ----------
    session_id
        Names its folder.
    videos
        One recording of the call, or one per participant.
    tiles
        Role to where it is in the recording, as the manifest says.
    facts
        Further columns of the manifest: covariates, dates, scores.
    """

    session_id: str
    videos: tuple[Video, ...]
    tiles: Mapping[str, TileHint] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def from_media(paths: Sequence[Path]) -> list[SessionPlan]:
    """Sessions for bare media files: each is called after its file.

    Raises
    ------
    InputError
        When two files have the same name, or a name can't be a folder's.
    """
    plans: dict[str, SessionPlan] = {}
    for path in dict.fromkeys(path.absolute() for path in paths):
        name = path.stem
        if fault := id_fault(name):
            raise InputError(
                f"{path}: '{name}' can't name a session: {fault}.",
                "Rename the file, or give it a session_id in a manifest.",
            )
        if name in plans:
            other = plans[name].videos[0].path
            raise InputError(
                f"{other} and {path} would both be session '{name}'.",
                "Rename one, or list them in a manifest with a session_id each.",
            )
        plans[name] = SessionPlan(name, (Video(path),))
    return list(plans.values())


def id_fault(session_id: str) -> str:
    """Why a session can't be called so; empty if it can. The id is a folder's name on any system."""
    if not session_id:
        return "it is empty"
    if len(session_id) > _LONGEST_ID:
        return f"it has more than {_LONGEST_ID} characters"
    if not _ID.fullmatch(session_id) or session_id.endswith((" ", ".")):
        return "it may hold letters, digits, spaces and . _ - @ + =, and begins with a letter or digit"
    return ""


def parse_tile(text: str) -> TileHint:
    """Read a tile hint: ``left``, ``right``, ``1`` to ``n``, or ``x,y,w,h`` in px.

    Raises
    ------
    ValueError
        When it is none of these; the message says what would be right.
    """
    text = text.strip().lower()
    if text in ("left", "right"):
        return text
    numbers = text.replace(";", ",").split(",")
    try:
        values = [int(number) for number in numbers]
    except ValueError:
        values = []
    if len(values) == 1 and values[0] >= 1:
        return values[0]
    if len(values) == 4 and min(values[:2]) >= 0 and min(values[2:]) >= 32:
        x, y, w, h = values
        return x, y, w, h
    raise ValueError(
        "must be left, right, a number from 1 on, or x,y,w,h in px with a width and height of 32 or more"
    )
