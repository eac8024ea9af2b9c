"""A folder that is made whole: it is there in the end with all that belongs in it, or as it was."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vsa.errors import InputError, SessionError

_LITTER = (".DS_Store", "Thumbs.db", "desktop.ini")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a folder to fill; it takes the name `out` when the block ends well, and is gone otherwise.

    Raises
    ------
    InputError
        When there is something in `out`, or it can't be made.
    SessionError
        Stage ``write``, when the disk is full or the like.
    """
    part = _prepared(out)
    try:
        yield part
        if out.exists():
            for path in part.iterdir():
                path.replace(out / path.name)
        else:
            part.replace(out)
    except OSError as error:
        raise SessionError("write", f"{out} can't be written ({error.strerror or error}).") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _prepared(out: Path) -> Path:
    """A folder beside `out` to write into, once it is sure that `out` is free."""
    try:
        inside = out.iterdir() if out.exists() else ()
        there = sorted(path.name for path in inside if path.name not in _LITTER)
        if there:
            raise InputError(
                f"{out} is not empty: it holds {', '.join(there[:3])}{', …' if len(there) > 3 else ''}.",
                "Give a new folder: simulated and other material are kept apart.",
            )
        part = out.absolute().with_name(f".{out.absolute().name}.{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"{out} can't be written ({error.strerror or error}).", "Give another folder."
        ) from None
    return part
