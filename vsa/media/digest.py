"""The fingerprint by which a session's files are known again."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vsa.errors import SessionError


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes as 64 hexadecimal digits; reads in small pieces, however large the file.

    Raises
    ------
    SessionError
        Stage ``media``: the file can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SessionError(
            "media",
            f"{path.name}: can't be read ({error.strerror}).",
            "Check that the file is still there and that you may read it.",
        ) from None
