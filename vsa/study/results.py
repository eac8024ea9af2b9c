"""Where results are kept: a folder per session that is complete or absent, and two tables beside them."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsa.errors import InputError, SessionError

#: Folders of sessions in the making: ``.<session_id>.<process>-<random>.part``.
_PART = ".part"
FAILURE_COLUMNS = ("session_id", "stage", "error", "hint")


@dataclass(frozen=True)
class Failure:
    """Why a session is not there."""

    session_id: str
    stage: str
    error: str
    hint: str


class Results:
    """A results folder.

    Parameters
    ----------
    folder
        Made if it is not there.

    Raises
    ------
    InputError
        When it can't be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / f".{uuid.uuid4().hex}{_PART}"
            probe.mkdir()
            probe.rmdir()
            self._sweep()
        except OSError as error:
            raise InputError(
                f"The output folder {folder} can't be written ({error.strerror or error}).",
                "Give another one with --out, or make room.",
            ) from None

    def session(self, session_id: str) -> Path:
        """Where a session is, finished or not."""
        return self.folder / session_id

    def finished(self, session_id: str) -> dict[str, Any] | None:
        """The ``session.json`` of a finished session; None if it is not there or can't be read."""
        try:
            record = json.loads((self.session(session_id) / "session.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return (
            record if isinstance(record, dict) and record.get("status") in ("complete", "partial") else None
        )

    @contextmanager
    def writing(self, session_id: str) -> Iterator[Path]:
        """Give a folder to write a session into; it gets its name when the block ends well, else it is removed.

        Raises
        ------
        SessionError
            Stage ``write``, when the disk is full or the folder can't be written.
        """
        part = self.folder / f".{session_id}.{os.getpid()}-{uuid.uuid4().hex[:8]}{_PART}"
        try:
            part.mkdir()
            yield part
            for name in part.iterdir():
                _to_disk(name)
            _replace(part, self.session(session_id))
        except OSError as error:
            raise SessionError("write", *_why_not_written(error, self.folder)) from None
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def sessions(self) -> list[str]:
        """Ids of the finished sessions, sorted."""
        names = (path.parent.name for path in self.folder.glob("*/session.json"))
        return sorted(name for name in names if not name.startswith(".") and self.finished(name))

    def gather_features(self) -> int:
        """Write ``features.parquet``, one row per finished session; how many there are."""
        import pandas as pd

        rows = [
            pd.read_parquet(path)
            for name in self.sessions()
            if (path := self.session(name) / "features.parquet").exists()
        ]
        with self._whole("features.parquet") as part:
            table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame({"session_id": []})
            table.to_parquet(part, index=False)
        return len(rows)

    def failures(self) -> list[Failure]:
        """What ``failures.csv`` says."""
        path = self.folder / "failures.csv"
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            return [
                Failure(*(row.get(name) or "" for name in FAILURE_COLUMNS)) for row in csv.DictReader(file)
            ]

    def note_failures(self, failed: Iterable[Failure], tried: Iterable[str]) -> None:
        """Bring ``failures.csv`` up to date: `tried` sessions leave it unless they are among the `failed`."""
        left = [f for f in self.failures() if f.session_id not in set(tried)]
        with self._whole("failures.csv") as part, part.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(FAILURE_COLUMNS)
            for f in sorted([*left, *failed], key=lambda f: f.session_id):
                out.writerow([f.session_id, f.stage, f.error, f.hint])

    @contextmanager
    def _whole(self, name: str) -> Iterator[Path]:
        part = self.folder / f".{name}.{os.getpid()}{_PART}"
        try:
            yield part
            os.replace(part, self.folder / name)
        except OSError as error:
            raise SessionError("write", *_why_not_written(error, self.folder)) from None
        finally:
            part.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what a killed run of this machine left."""
        for path in self.folder.glob(f".*{_PART}"):
            process = path.name.removesuffix(_PART).rpartition(".")[2].partition("-")[0]
            if process.isdigit() and not _runs(int(process)):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a JSON file for people and machines."""
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def _replace(part: Path, target: Path) -> None:
    """Rename a folder into place; an older one there goes away first, to the side."""
    if target.exists():
        old = part.with_name(part.name.removesuffix(_PART) + ".old" + _PART)
        target.rename(old)
        part.rename(target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        part.rename(target)


def _to_disk(path: Path) -> None:
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _why_not_written(error: OSError, folder: Path) -> tuple[str, str]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk that holds {folder} is full.",
            "Make room and run the same command again: it goes on.",
        )
    return f"{folder} can't be written ({error.strerror or error}).", "Check the folder and its permissions."
