"""What a session is made of: recordings, roles and tiles, from a manifest or from bare media files."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vsa.errors import InputError
from vsa.study.addresses import Place
from vsa.study.cells import shown
from vsa.study.consent import Consent
from vsa.study.folder import TAKEN

#: ``left``, ``right``, a place in reading order, or a rectangle x, y, w, h in px.
TileHint = str | int | tuple[int, int, int, int]

#: What an id may hold besides letters, digits and underscores: what call programs and file managers put into names.
_MARKS = " .-@+=()[],'&#!~"
#: In characters, and in bytes as a disk counts them (255 at most, with what a folder in the making adds).
_LONGEST_ID, _LONGEST_ID_BYTES = 120, 200


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

    path: Place
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
    audio
        Role to that participant's own sound file.
    consent
        What was agreed to; None: nobody wrote it down.
    """

    session_id: str
    videos: tuple[Video, ...]
    tiles: Mapping[str, TileHint] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    audio: Mapping[str, Place] = field(default_factory=dict)
    consent: Consent | None = None

    def hints(self) -> dict[str, str | int | list[int]]:
        """`tiles` as ``session.json`` has them."""
        return {role: list(hint) if isinstance(hint, tuple) else hint for role, hint in self.tiles.items()}


def from_media(paths: Sequence[Place]) -> list[SessionPlan]:
    """Sessions for bare media files: each is called after its file.

    Raises
    ------
    InputError
        When two files have the same name, or a name can't be a folder's.
    """
    plans: dict[str, SessionPlan] = {}
    for path in dict.fromkeys(path.absolute() for path in paths):
        name = normal_id(path.stem)
        if fault := id_fault(name):
            raise InputError(
                f"{shown(str(path), 300)}: '{shown(name)}' can't name a session: {fault}.",
                "Rename the file, or give it a session_id in a manifest.",
            )
        if other := plans.get(name.casefold()):
            raise InputError(
                f"{other.videos[0].path} and {path} would both be session '{other.session_id}'.",
                "Rename one, or list them in a manifest with a session_id each.",
            )
        plans[name.casefold()] = SessionPlan(name, (Video(path),))
    return list(plans.values())


def normal_id(text: str) -> str:
    """An id in one spelling: some systems store an accented letter as two characters, others as one."""
    return unicodedata.normalize("NFC", text)


def id_fault(session_id: str) -> str:
    """Why a session can't be called so; empty if it can. The id is the name of a folder."""
    if not session_id:
        return "it is empty"
    if len(session_id) > _LONGEST_ID or len(session_id.encode("utf-8", "replace")) > _LONGEST_ID_BYTES:
        return f"it has more than {_LONGEST_ID} characters (or {_LONGEST_ID_BYTES} bytes)"
    first = session_id[0]
    if not (_is_word(first) and not unicodedata.category(first).startswith("M")):
        return "it must begin with a letter or digit"
    if wrong := {c for c in session_id if not _is_word(c) and c not in _MARKS}:
        return f"it may hold letters, digits, spaces and _{_MARKS.strip()}, and not {shown(''.join(sorted(wrong)))}"
    if session_id.endswith((" ", ".")):
        return "it may not end in a dot or space"
    if session_id.casefold() in map(str.casefold, TAKEN):
        return "a file of the study folder has that name"
    return ""


def _is_word(character: str) -> bool:
    """A letter, a mark on one (accents, vowels of Indic scripts), a digit or an underscore."""
    return character == "_" or unicodedata.category(character)[0] in "LMN"


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
