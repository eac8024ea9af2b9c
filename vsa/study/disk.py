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


def why_not_written(error: OSError, folder: Path) -> tuple[str, str]:
    """What to say of an error while something was written into a folder, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or (error.errno is None and _is_full(folder)):
        return (
            f"The disk that holds {folder} is full.",
            "Make room and run the same command again: it goes on.",
        )
    return f"{folder} can't be written ({error.strerror or error}).", "Check the folder and its permissions."


def _is_full(folder: Path) -> bool:
    """NumPy says that it wrote less than it should, and not why."""
    try:
        return shutil.disk_usage(folder).free < 1 << 20
    except OSError:
        return False
