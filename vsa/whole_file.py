"""Writing a file completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vsa.errors import InputError


@contextmanager
def replacing(path: Path, hint: str = "Give another place with --out.") -> Iterator[Path]:
    """Give a path beside `path` to write to; it gets its name when the block ends well, else it is removed.

    Parameters
    ----------
    path
        The file.
    hint
        What to do when it can't be written.

    Raises
    ------
    InputError
        When the file can't be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)  # a link there would lead elsewhere
        yield part
        os.replace(part, path)
    except OSError as error:
        raise InputError(f"{path} can't be written ({error.strerror or error}).", hint) from None
    finally:
        with suppress(OSError):
            part.unlink()
