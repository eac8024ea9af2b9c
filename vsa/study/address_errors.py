"""What stores and their drivers raise, in plain words and without the secrets of an address."""

from __future__ import annotations

import errno
from difflib import get_close_matches

from vsa.study.address_text import driver_of, parts_of, scrubbed


class AddressError(OSError):
    """What a store, its driver or the way to it says, in one line without passwords; `errno` as a disk would give it.

    Attributes
    ----------
    hint
        What to do.
    """

    def __init__(self, number: int, why: str, hint: str) -> None:
        super().__init__(number, why)
        self.hint = hint

    def __str__(self) -> str:
        return str(self.strerror)


def address_error(error: Exception, url: str) -> AddressError:
    """What a driver's error comes to, whatever its kind: drivers share no base for theirs."""
    from fsspec import available_protocols

    scheme = parts_of(url).scheme
    if isinstance(error, AddressError):
        return error
    if isinstance(error, ImportError):
        scheme, package = driver_of(url)
        hint = f"pip install {package}" if package else scrubbed(error, url)
        return AddressError(errno.ENOSYS, f"no driver for {scheme}:// is installed", hint)
    if isinstance(error, ValueError) and "rotocol not known" in str(error):
        alike = get_close_matches(scheme, available_protocols(), 1)
        return AddressError(
            errno.ENOSYS,
            f"{scheme}:// is no protocol that is known",
            f"Is it {alike[0]}://?" if alike else "Give a path, or an address of fsspec as s3://…",
        )
    if isinstance(error, FileNotFoundError):
        return AddressError(errno.ENOENT, "does not exist", "Check the address.")
    if isinstance(error, PermissionError) or "redential" in type(error).__name__:
        return AddressError(
            errno.EACCES,
            "may not be used by you",
            "Check the name, the password or the key of the store.",
        )
    if isinstance(error, IsADirectoryError):
        return AddressError(errno.EISDIR, "is a folder", "Give a file in it.")
    number = error.errno if isinstance(error, OSError) and error.errno else errno.EIO
    return AddressError(
        number,
        f"can't be reached ({scrubbed(error, url)})",
        "Check the address and the connection, then run the same command again.",
    )
