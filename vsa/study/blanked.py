"""The manifest of a study, without a person who is withdrawn: what is not of theirs stays byte for byte."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsa.study.folder import MANIFEST
from vsa.study.remains import mentions
from vsa.study.rows import among, read_grid, with_cells
from vsa.study.withdrawal import Subject, unreadable

#: What the manifest has for consent from then on.
WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Blanked:
    """The manifest without a person.

    Attributes
    ----------
    content
        Its bytes.
    rows
        How many differ from before.
    recordings
        Where the recordings of their rows are.
    commented
        Whether comments in it have an id of theirs: they stay.
    """

    content: bytes = b""
    rows: int = 0
    recordings: tuple[str, ...] = ()
    commented: bool = False


def blanked(study: Path, subject: Subject) -> Blanked:
    """Take a person out of the manifest; the file is not changed.

    Raises
    ------
    InputError
        When it can't be read.
    """
    path = study / MANIFEST
    if not path.is_file():
        return Blanked()
    try:
        grid = read_grid(path)
        if grid is None:
            return Blanked(path.read_bytes())
        theirs = among(subject.ids)
        texts = [row.text for row in grid.rows]
        changed, recordings = 0, list[str]()
        for k, record in grid.records():
            if not theirs(record):
                continue
            recordings += [
                _place(study, value)
                for name, value in record.items()
                if value and _kind(name) in ("video", "audio")
            ]
            new = with_cells(grid.rows[k], grid.delimiter, grid.header, _blank)
            changed += new != texts[k]
            texts[k] = new
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    comments = "".join(row.text for row in grid.rows if row.is_comment)
    commented = mentions((subject.id, *subject.sessions), comments.encode("utf-8", "replace"))
    return Blanked(grid.bytes_of(texts), changed, tuple(dict.fromkeys(recordings)), commented)


def _blank(column: str, cell: str) -> str | None:
    kind = _kind(column)
    if kind == "consent":
        return WITHDRAWN
    return None if kind in ("session_id", "video", "audio", "tile", "simulated") else ""


def _kind(column: str) -> str:
    return column.partition(":")[0].strip().lower()


def _place(study: Path, value: str) -> str:
    return value if "://" in value else str(study / value)
