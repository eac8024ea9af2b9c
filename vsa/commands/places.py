"""Types of arguments that are paths or addresses: `click.Path` would make ``s3:/a`` of ``s3://a``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vsa.study.addresses import Place


def place(text: str) -> Place:
    """A path, or an address of fsspec."""
    from vsa.study.addresses import place_of

    return place_of(text)


def local_path(text: str) -> Path:
    """A path; an address is refused, and no file called after it is made.

    Raises
    ------
    InputError
        When it is an address, or empty: a shell puts nothing where a variable is not set.
    """
    from vsa.errors import InputError

    if not text.strip():
        raise InputError("A path is empty.", "Give one; . is the folder that you are in.")
    found = place(text)
    if not isinstance(found, Path):
        raise InputError(
            f"{found}: an address can't be used here.",
            "Give a path of this machine, and copy the file from or to there.",
        )
    return found
