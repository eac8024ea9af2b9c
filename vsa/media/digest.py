"""The fingerprint by which a session's files are known again."""

from __future__ import annotations

import hashlib

from vsa.errors import SessionError
from vsa.media.stream import said_of
from vsa.study.addresses import Address, AddressError, Place
from vsa.study.blocks import BLOCK_BYTES


def sha256_of_file(path: Place) -> str:
    """SHA-256 of a file's bytes as 64 hexadecimal digits; reads in small pieces, however large the file.

    Raises
    ------
    SessionError
        Stage ``media``: the file can't be read.
    """
    if isinstance(path, Address):
        try:
            return _sha256_at(path)
        except AddressError as error:
            raise said_of(path, error) from None
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SessionError(
            "media",
            f"{path.name}: can't be read ({error.strerror}).",
            "Check that the file is still there and that you may read it.",
        ) from None


def _sha256_at(address: Address) -> str:
    digest = hashlib.sha256()
    with address.open() as file:
        while piece := address.told(lambda: file.read(BLOCK_BYTES)):
            digest.update(piece)
    return digest.hexdigest()
