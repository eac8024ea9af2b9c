"""Where results are kept: a folder per session that is complete or absent, and two tables beside them."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import re
import shutil
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.errors import InputError, SessionError
from vsa.study.disk import carry, runs, to_disk, why_not_written
from vsa.study.failures import Failure, brought_up_to_date, read_failures, write_failures
from vsa.study.gathering import LeftOut, gathered, one_table
from vsa.study.parquet import write_table
from vsa.study.session_files import LITTER, PARQUET_END, TABLES, has_links, is_finished
from vsa.study.session_files import SESSION_FILES as SESSION_FILES
from vsa.study.session_files import in_the_way as in_the_way
from vsa.study.session_files import write_json as write_json

if TYPE_CHECKING:
    import pyarrow as pa

#: This machine, in the names of what is in the making: another's processes are not known here.
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
#: In the making: ``.<name>.<host>-<process>-<random>.part``; ``.old.part`` is what it takes the place of.
_PART = re.compile(r"\.(?P<name>.+)\.(?P<host>[0-9a-f]{6})-(?P<process>\d+)-[0-9a-f]{8}(?P<old>\.old)?\.part")
#: What another machine left, or a process whose number is in use again, goes when it has not been touched so long, s.
_STALE_S = 7 * 24 * 3600
#: Others that finish the same session at the same time can be in the way this often.
_TRIES = 100


class Results:
    """A results folder.

    Parameters
    ----------
    folder
        It need not be there; `prepare` makes it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder ready to be written into, and remove what a killed run left.

        Raises
        ------
        InputError
            When it can't be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe = self._part("probe")
            probe.mkdir()
            probe.rmdir()
            self._sweep()
        except OSError as error:
            raise InputError(
                f"The output folder {self.folder} can't be written ({error.strerror or error}).",
                "Give another one with --out, or make room.",
            ) from None

    def session(self, session_id: str) -> Path:
        """Where a session is, finished or not."""
        return self.folder / session_id

    def finished(self, session_id: str) -> dict[str, Any] | None:
        """The ``session.json`` of a finished session; None if it or a table is not there or can't be read."""
        folder = self.session(session_id)
        if Path(session_id).name != session_id or session_id == ".." or has_links(folder):
            return None  # what lies elsewhere is no result of this folder
        try:
            record = json.loads((folder / "session.json").read_text("utf-8"))
            whole = all(_ends_well(folder / name) for name in TABLES)
        except (OSError, ValueError, RecursionError):
            return None
        return record if whole and is_finished(record) else None

    def strangers(self, session_id: str) -> list[str]:
        """What lies where a session goes and is not vsa's, by name: such a folder is never replaced."""
        folder = self.session(session_id)
        if not self.folder.is_dir():
            return []  # nothing lies there; `prepare` says what is wrong with it
        if folder.is_symlink():
            return [folder.name]
        try:
            inside = list(folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError:  # a file, or a folder that can't be read
            return [folder.name]
        own = (*SESSION_FILES, *LITTER)
        return sorted(p.name for p in inside if p.name not in own or p.is_dir() or p.is_symlink())

    @contextmanager
    def local(self, session_id: str, names: Collection[str] = SESSION_FILES) -> Iterator[Path]:
        """Where a session's files are on this machine while the block lasts; of those at an address, `names` only."""
        yield self.session(session_id)

    @contextmanager
    def writing(self, session_id: str) -> Iterator[Path]:
        """Give a folder to write a session into; it gets its name when the block ends well, else it is removed.

        Raises
        ------
        SessionError
            Stage ``write``, when the disk is full or the folder can't be written. Any `OSError` of the block counts
            as one: what else can raise it in there must be said there.
        """
        part = self._part(session_id)
        try:
            part.mkdir()
            yield part
            for path in (*part.iterdir(), part):
                to_disk(path)
            self._replace(part, session_id)
            to_disk(self.folder)
        except BrokenPipeError:  # nobody reads what is printed any more
            raise
        except OSError as error:
            raise SessionError("write", *why_not_written(error, self.folder)) from None
        finally:
            shutil.rmtree(part, ignore_errors=True)

    @contextmanager
    def revising(self, session_id: str, changing: Collection[str]) -> Iterator[Path]:
        """Give a copy of a finished session to change; it takes the session's place when the block ends well.

        Parameters
        ----------
        session_id
            The session.
        changing
            Names of the files that the block may write into. The others may be links to those of the session: to
            write into one would change both.

        Raises
        ------
        SessionError
            Stage ``write``: as `writing`; also when something in the folder is not vsa's, or another run replaced the
            session meanwhile.
        """
        session = self.session(session_id)
        if strangers := self.strangers(session_id):
            raise SessionError("write", in_the_way(session, strangers)[0], "Move that away.")
        with self.writing(session_id) as part:
            before = _state(session)
            try:
                for path in session.iterdir():
                    if path.name in SESSION_FILES:
                        carry(path, part / path.name, link=path.name not in changing)
            except FileNotFoundError:
                before = None
            else:
                yield part
            if before is None or _state(session) != before:
                raise SessionError(
                    "write", f"{session} was changed by another run meanwhile.", "Run the same command again."
                )

    def amend(self, session_id: str, record: Mapping[str, Any]) -> None:
        """Replace the ``session.json`` of a finished session."""
        with self._whole(f"{session_id}/session.json") as part:
            write_json(part, record)

    def sessions(self) -> list[str]:
        """Ids of the finished sessions, sorted."""
        names = (path.parent.name for path in self.folder.glob("*/session.json"))
        return sorted(name for name in names if not name.startswith(".") and self.finished(name))

    def gather_features(self, left_out: LeftOut = lambda session_id, why: None) -> int:
        """Write ``features.parquet``, one row per finished session in order of id; how many there are.

        `left_out` is told of those whose own file doesn't hold their row, and why.
        """
        names = self.sessions()
        files = (self.session(name) / "features.parquet" for name in names)
        table = one_table((path.read_bytes for path in files), self._gathered(), names, left_out)
        with self._whole("features.parquet") as part:
            write_table(table, part)
        return int(table.num_rows)

    def failures(self) -> list[Failure]:
        """What ``failures.csv`` says."""
        return read_failures(self.folder / "failures.csv")

    def note_failures(self, failed: Iterable[Failure], tried: Iterable[str]) -> None:
        """Bring ``failures.csv`` up to date: `tried` sessions leave it unless they are among the `failed`."""
        now = brought_up_to_date(self.failures(), failed, tried)
        with self._whole("failures.csv") as part:
            write_failures(part, now)

    def _gathered(self) -> pa.Table | None:
        """The table that `gather_features` wrote; None if there is none that can be read."""
        path = self.folder / "features.parquet"
        try:
            return None if path.is_symlink() else gathered(path.read_bytes())
        except (OSError, ValueError):
            return None

    def _part(self, name: str, old: str = "") -> Path:
        return self.folder / f".{name}.{_HOST}-{os.getpid()}-{uuid.uuid4().hex[:8]}{old}.part"

    def _replace(self, part: Path, session_id: str) -> None:
        """Rename a folder into place; an older one there goes away first, to the side."""
        target = self.session(session_id)
        for _ in range(_TRIES):
            try:
                part.rename(target)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            if strangers := self.strangers(session_id):
                raise SessionError("write", *in_the_way(target, strangers))
            old = self._part(session_id, ".old")
            try:
                target.rename(old)
            except FileNotFoundError:  # another run has it in hand
                continue
            try:
                part.rename(target)
            except BaseException as error:
                with suppress(OSError):  # put it back; where another run was faster, that fails and is right
                    old.rename(target)
                if target.exists():
                    shutil.rmtree(old, ignore_errors=True)
                if not isinstance(error, OSError) or error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                shutil.rmtree(old, ignore_errors=True)
                return
        raise OSError(errno.EBUSY, "another run is writing the same session")

    @contextmanager
    def _whole(self, name: str) -> Iterator[Path]:
        """A file to write that takes its name when the block ends well."""
        part = self._part(name.replace("/", "."))
        try:
            yield part
            to_disk(part)
            os.replace(part, self.folder / name)
        except OSError as error:
            raise SessionError("write", *why_not_written(error, self.folder)) from None
        finally:
            part.unlink(missing_ok=True)

    def _sweep(self) -> None:
        """Remove what a killed run left, and put back a session that it had moved aside."""
        for path in self.folder.glob(".*.part"):
            found = _PART.fullmatch(path.name)
            if found is None:
                continue
            mine = found["host"] == _HOST and not runs(int(found["process"]))
            with suppress(OSError):
                if not mine and time.time() - path.stat().st_mtime < _STALE_S:
                    continue
                if found["old"] and not self.session(found["name"]).exists():
                    path.rename(self.session(found["name"]))
                elif path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def _state(session: Path) -> tuple[int, int] | None:
    """Another one after anything in a session was changed: every change writes ``session.json`` anew."""
    try:
        found = (session / "session.json").stat()
    except FileNotFoundError:  # another run is putting it in place
        return None
    return found.st_ino, found.st_mtime_ns


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(PARQUET_END)))
        return file.read() == PARQUET_END
