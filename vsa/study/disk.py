"""What disks and processes do: writes that last, links, and errors in words."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path


def carry(path: Path, to: Path, link: bool) -> None:
    """Link a file to another place, or copy it, as on disks that know no links."""
    if link:
        with suppress(OSError):
            os.link(path, to)
            return
    shutil.copy2(path, to)


def to_disk(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks don't for folders
            raise
    finally:
        os.close(handle)


def runs(process: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def is_full(error: OSError) -> bool:
    """Whether there is no room for what was to be written, on a disk or in a store, or for this user."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def why_not_written(error: OSError, folder: Path) -> tuple[str, str]:
    """What to say of an error while something was written into a folder, and what to do."""
    if is_full(error) or (error.errno is None and _none_is_free(folder)):
        return (
            f"The disk that holds {folder} is full.",
            "Make room and run the same command again: it goes on.",
        )
    return f"{folder} can't be written ({error.strerror or error}).", "Check the folder and its permissions."


def _none_is_free(folder: Path) -> bool:
    """NumPy says that it wrote less than it should, and not why."""
    try:
        return shutil.disk_usage(folder).free < 1 << 20
    except OSError:
        return False
