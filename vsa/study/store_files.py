"""Files of a store: listed, copied to it and from it, and removed. All raise `AddressError`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vsa.study.addresses import Address


def inside(folder: Address, *, folders: bool = False) -> list[Address]:
    """What lies in a folder, nothing if it is not there; with `folders` only these."""
    fs, path = folder.store()

    def listed() -> list[dict[str, Any]]:
        fs.invalidate_cache(path)
        try:
            return list(fs.ls(path, detail=True))
        except (FileNotFoundError, NotADirectoryError):
            return []

    names = [
        str(info["name"]).rstrip("/").rsplit("/", 1)[-1]
        for info in folder.told(listed)
        if str(info["name"]).strip("/") != path.strip("/")  # some stores list the folder itself
        and (not folders or info.get("type") == "directory")
    ]
    return [folder / name for name in names]


def make(folder: Address) -> None:
    """Make a folder, but not the first of its path: that may be a mistyped bucket."""
    fs, path = folder.store()
    root = path[: len(path) - len(path.lstrip("/"))] + path.lstrip("/").partition("/")[0]
    if not folder.told(lambda: fs.exists(root)):
        raise folder.error(FileNotFoundError(root))
    folder.told(lambda: fs.makedirs(path, exist_ok=True))


def put(address: Address, content: bytes) -> None:
    """Write a small file."""
    fs, path = address.store()
    address.told(lambda: fs.pipe_file(path, content))


def send(local: Path, address: Address) -> None:
    """Copy a file to the store."""
    fs, path = address.store()
    address.told(lambda: fs.put_file(str(local), path))


def fetch(address: Address, local: Path) -> None:
    """Copy a file from the store."""
    fs, path = address.store()
    address.told(lambda: fs.get_file(path, str(local)))


def remove(address: Address) -> None:
    """Remove a file."""
    fs, path = address.store()
    address.told(lambda: fs.rm_file(path))


def ends(addresses: list[Address], size: int) -> list[bytes]:
    """The last bytes of files of one store, asked for at once."""
    if not addresses:
        return []
    first = addresses[0]
    fs = first.store()[0]
    paths = [address.store()[1] for address in addresses]
    pieces = first.told(lambda: fs.cat_ranges(paths, [-size] * len(paths), [None] * len(paths)))
    for piece in pieces:
        if isinstance(piece, Exception):  # so fsspec hands them over
            raise first.error(piece)
    return [bytes(piece) for piece in pieces]
