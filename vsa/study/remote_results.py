"""Results at an address: a store has no folders to rename, so ``session.json`` comes last and goes first.

A session is written on this machine, into a folder for temporary files, and copied when it is complete. There is no
lock: two runs that write the same session at the same time may leave its files mixed.
"""

from __future__ import annotations

import errno
import json
import tempfile
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.errors import InputError, SessionError
from vsa.study import store_files
from vsa.study.addresses import Address, AddressError, Place
from vsa.study.disk import is_full, why_not_written
from vsa.study.failures import Failure, brought_up_to_date, read_failures, write_failures
from vsa.study.gathering import LeftOut, gathered, one_table
from vsa.study.parquet import write_table
from vsa.study.results import Results
from vsa.study.session_files import (
    LITTER,
    PARQUET_END,
    SESSION_FILES,
    TABLES,
    in_the_way,
    is_finished,
    write_json,
)

if TYPE_CHECKING:
    import pyarrow as pa

_RECORD = "session.json"
_AGAIN = "Make room and run the same command again: it goes on."


class RemoteResults:
    """A results folder at an address; asked like `Results`.

    Parameters
    ----------
    folder
        Of the store. It need not be there; `prepare` sees to it.
    """

    def __init__(self, folder: Address) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make sure that it can be written into.

        Raises
        ------
        InputError
            When it can't.
        """
        probe = self.folder / f".{uuid.uuid4().hex[:8]}.part"
        try:
            try:
                store_files.put(probe, b"")
            except AddressError as error:
                if error.errno != errno.ENOENT:
                    raise
                store_files.make(self.folder)
                store_files.put(probe, b"")
            store_files.remove(probe)
        except AddressError as error:
            raise InputError(
                f"The output folder {self.folder} can't be written: {error}.",
                f"{error.hint} Or give another one with --out.",
            ) from None

    def session(self, session_id: str) -> Address:
        """Where a session is, finished or not."""
        return self.folder / session_id

    @contextmanager
    def local(self, session_id: str, names: Collection[str] = SESSION_FILES) -> Iterator[Path]:
        """A session's files, or some of them, in a folder of this machine while the block lasts.

        Raises
        ------
        SessionError
            Stage ``write``.
        """
        session = self.session(session_id)
        with self._writing(), tempfile.TemporaryDirectory(prefix="vsa-") as made:
            for address in store_files.inside(session):
                if address.name in names:
                    store_files.fetch(address, Path(made) / address.name)
            yield Path(made)

    def finished(self, session_id: str) -> dict[str, Any] | None:
        """The ``session.json`` of a finished session; None if it or a table is not there or can't be read.

        Raises
        ------
        InputError
            When the store can't be reached.
        """
        with self._reading():
            return self._finished(session_id)

    def strangers(self, session_id: str) -> list[str]:
        """What lies where a session goes and is not vsa's, by name: it is never replaced.

        Raises
        ------
        InputError
            When the store can't be reached.
        """
        with self._reading():
            return self._strangers(session_id)

    @contextmanager
    def writing(self, session_id: str) -> Iterator[Path]:
        """Give a folder of this machine to write a session into; when the block ends well, it is copied to the store.

        Raises
        ------
        SessionError
            Stage ``write``, when the disk of this machine is full, or the store is, or it can't be reached.
        """
        with self._writing(), tempfile.TemporaryDirectory(prefix="vsa-") as made:
            yield Path(made)
            self._replace(Path(made), session_id)

    def amend(self, session_id: str, record: Mapping[str, Any]) -> None:
        """Replace the ``session.json`` of a finished session."""
        with self._whole(f"{session_id}/{_RECORD}") as part:
            write_json(part, record)

    def sessions(self) -> list[str]:
        """Ids of the finished sessions, sorted.

        Raises
        ------
        InputError
            When the store can't be reached.
        """
        with self._reading():
            return self._sessions()

    def gather_features(self, left_out: LeftOut = lambda session_id, why: None) -> int:
        """Write ``features.parquet``, one row per finished session in order of id; how many there are.

        `left_out` is told of those whose own file doesn't hold their row, and why.

        Raises
        ------
        SessionError
            Stage ``write``.
        """
        with self._writing(), self._whole("features.parquet") as part:
            names = self._sessions()
            files = (self.session(name) / "features.parquet" for name in names)
            table = one_table(
                (partial(self._table, path) for path in files), self._gathered(), names, left_out
            )
            write_table(table, part)
        return int(table.num_rows)

    def failures(self) -> list[Failure]:
        """What ``failures.csv`` says."""
        with self._reading(), tempfile.TemporaryDirectory(prefix="vsa-") as made:
            local = Path(made) / "failures.csv"
            try:
                local.write_bytes((self.folder / local.name).read_bytes())
            except AddressError as error:
                if error.errno != errno.ENOENT:
                    raise
            return read_failures(local)

    def note_failures(self, failed: Iterable[Failure], tried: Iterable[str]) -> None:
        """Bring ``failures.csv`` up to date: `tried` sessions leave it unless they are among the `failed`."""
        now = brought_up_to_date(self.failures(), failed, tried)
        with self._whole("failures.csv") as part:
            write_failures(part, now)

    def _replace(self, made: Path, session_id: str) -> None:
        session = self.session(session_id)
        if strangers := self._strangers(session_id):
            raise SessionError("write", *in_the_way(session, strangers))
        files = sorted(path for path in made.iterdir() if path.name != _RECORD)
        there = {one.name for one in store_files.inside(session)}
        if _RECORD in there:
            store_files.remove(session / _RECORD)
        for path in files:
            store_files.send(path, session / path.name)
        for name in there.intersection(SESSION_FILES) - {path.name for path in files} - {_RECORD}:
            store_files.remove(session / name)
        store_files.send(made / _RECORD, session / _RECORD)

    @contextmanager
    def _whole(self, name: str) -> Iterator[Path]:
        """A file of this machine to write, which is copied to the store when the block ends well."""
        with self._writing(), tempfile.TemporaryDirectory(prefix="vsa-") as made:
            part = Path(made) / Path(name).name
            yield part
            store_files.send(part, self.folder / name)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """What goes wrong with the store is said of the call."""
        try:
            yield
        except AddressError as error:
            raise InputError(f"The results at {self.folder} can't be read: {error}.", error.hint) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """What goes wrong with the store, or with this machine's temporary files, is said of what was written."""
        try:
            yield
        except BrokenPipeError:  # nobody reads what is printed any more
            raise
        except AddressError as error:
            if is_full(error):
                raise SessionError("write", f"The store that holds {self.folder} is full.", _AGAIN) from None
            raise SessionError("write", f"{self.folder} can't be written: {error}.", error.hint) from None
        except OSError as error:
            raise SessionError("write", *why_not_written(error, Path(tempfile.gettempdir()))) from None

    def _finished(self, session_id: str) -> dict[str, Any] | None:
        session = self.session(session_id)
        try:
            record = json.loads((session / _RECORD).read_bytes().decode("utf-8"))
            ends = store_files.ends([session / name for name in TABLES], len(PARQUET_END))
        except AddressError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        except (ValueError, RecursionError):
            return None
        return record if is_finished(record) and all(end == PARQUET_END for end in ends) else None

    def _strangers(self, session_id: str) -> list[str]:
        session = self.session(session_id)
        if session.is_file():
            return [session.name]
        inside = store_files.inside(session)
        return sorted(one.name for one in inside if one.name not in (*SESSION_FILES, *LITTER) or one.is_dir())

    def _sessions(self) -> list[str]:
        names = [one.name for one in store_files.inside(self.folder, folders=True)]
        return sorted(name for name in names if not name.startswith(".") and self._finished(name))

    def _gathered(self) -> pa.Table | None:
        """The table that `gather_features` wrote; None if there is none that can be read."""
        with suppress(AddressError, ValueError):
            return gathered((self.folder / "features.parquet").read_bytes())
        return None

    def _table(self, address: Address) -> bytes:
        try:
            return address.read_bytes()
        except AddressError as error:
            if error.errno == errno.ENOENT:
                raise
            raise SessionError("write", f"{address} can't be read: {error}.", error.hint) from None


#: A results folder, wherever it is.
AnyResults = Results | RemoteResults


def results_at(place: Place) -> AnyResults:
    """The results folder at a place."""
    return RemoteResults(place) if isinstance(place, Address) else Results(place)
