"""The study's log: who ran what on which sessions, and no content. Each entry holds the fingerprint of the one before.

One JSON object a line. The chain shows what was changed, removed, put in or moved. It can't show that its end was cut
off, or that all of it was written anew: for that, somebody keeps the last fingerprint elsewhere (``vsa doctor STUDY``
shows it, ``--expect`` looks for it). It is no protection against who may write the file and knows how it is made.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import vsa
from vsa.errors import SessionError
from vsa.study.disk import to_disk, why_not_written
from vsa.study.folder import LOG, study_of

#: What the first entry has for the fingerprint of the one before.
NOTHING = "0" * 64
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    Attributes
    ----------
    number
        From 1 on.
    time
        UTC, ISO 8601.
    who
        Login name of the machine's user.
    command
        Of vsa.
    vsa
        Its version.
    ids
        Sessions that it worked on, sorted.
    outcome
        What came of it: counts, and names of files that are no recordings.
    torn
        Fingerprint of what lies between this line and the entry before: what a process wrote that was killed
        meanwhile. Empty if nothing does.
    previous
        `sha256` of the entry before.
    sha256
        Of this entry: of its canonical JSON (UTF-8, keys sorted, no spaces) without this key.
    """

    number: int
    time: str
    who: str
    command: str
    vsa: str
    ids: tuple[str, ...]
    outcome: Mapping[str, int | str]
    torn: str
    previous: str
    sha256: str

    def fingerprint(self) -> str:
        """What `sha256` must be."""
        content = {name: value for name, value in asdict(self).items() if name != "sha256"}
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return sha256(text.encode("utf-8", "surrogatepass"))

    def line(self) -> bytes:
        """As it stands in the file, without the end of the line."""
        return json.dumps(asdict(self)).encode("ascii")


_TYPES = {"number": int, "ids": list, "outcome": dict}
_NAMES = tuple(field.name for field in fields(Entry))


def record(study: Path, command: str, ids: Iterable[str], outcome: Mapping[str, int | str]) -> None:
    """Log what a command has done. If that can't be, it is said on standard error: the work itself is done.

    Parameters
    ----------
    study
        The study folder; see `vsa.study.folder.study_of`.
    command
        As it is called, such as ``turns import``.
    ids
        Sessions that it worked on.
    outcome
        Counts, and names of files that are no recordings; no content.
    """
    try:
        append(study, command, ids, outcome)
    except SessionError as error:
        print(f"Warning: '{command}' is not in the log. {error}", file=sys.stderr)


def record_near(path: Path, command: str, ids: Iterable[str], outcome: Mapping[str, int | str]) -> None:
    """The same in the study that a path is, or lies in; nothing if it is in none."""
    if study := study_of(path):
        record(study, command, ids, outcome)


def append(study: Path, command: str, ids: Iterable[str], outcome: Mapping[str, int | str]) -> Entry:
    """Write an entry at the end of the log and wait until it is on the disk; see `record`.

    Raises
    ------
    SessionError
        Stage ``write``, when it can't be written. The log is as it was.
    """
    path = study / LOG
    try:
        with _locked(path) as handle:
            before = _read_all(handle)
            last, rest = _end(before)
            entry = _chained(last, rest, command, ids, outcome)
            begin = b"\n" if before and not before.endswith(b"\n") else b""
            try:
                _write_all(handle, begin + entry.line() + b"\n")
                os.fsync(handle)
            except OSError:
                with suppress(OSError):  # half a line of ours
                    os.ftruncate(handle, len(before))
                raise
        if not before:
            to_disk(study)
    except OSError as error:
        raise SessionError("write", *why_not_written(error, path)) from None
    return entry


def sha256(content: bytes) -> str:
    """Fingerprint of bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def parse(line: bytes) -> Entry | None:
    """Read a line; None if it is no entry. Whether it is as it was written is another question."""
    try:
        held = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(held, dict) or set(held) != set(_NAMES):
        return None
    if not all(type(held[name]) is _TYPES.get(name, str) for name in _NAMES):
        return None
    ids: list[Any] = held["ids"]
    if not all(isinstance(one, str) for one in ids):
        return None
    return Entry(**{**held, "ids": tuple(ids)})


def lines(log: bytes) -> list[tuple[int, bytes, Entry | None]]:
    """Lines of a log that are not empty: number (from 1 on), the line, and the entry that it is."""
    return [(n, line, parse(line)) for n, line in enumerate(log.split(b"\n"), 1) if line.strip()]


def entries(study: Path) -> list[Entry]:
    """The entries that can be read, in their order in the file; empty without a log.

    Raises
    ------
    SessionError
        Stage ``read``, when there is one and it can't be read.
    """
    return [entry for _, _, entry in lines(read(study)) if entry is not None]


def read(study: Path) -> bytes:
    """The bytes of a log; empty without one. Raises as `entries`."""
    try:
        return (study / LOG).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise SessionError(
            "read", f"{study / LOG} can't be read ({error.strerror}).", "Check its permissions."
        ) from None


def _chained(
    last: Entry | None, rest: bytes, command: str, ids: Iterable[str], outcome: Mapping[str, int | str]
) -> Entry:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    unsigned = Entry(
        number=last.number + 1 if last else 1,
        time=now,
        who=_user(),
        command=command,
        vsa=vsa.__version__,
        ids=tuple(sorted({*ids})),
        outcome={name: value if isinstance(value, str) else int(value) for name, value in outcome.items()},
        torn=sha256(rest) if rest else "",
        previous=last.sha256 if last else NOTHING,
        sha256="",
    )
    return Entry(**{**unsigned.__dict__, "sha256": unsigned.fingerprint()})


def _end(log: bytes) -> tuple[Entry | None, bytes]:
    """The last entry, and the lines after it: what processes wrote that were killed meanwhile."""
    rest: list[bytes] = []
    for line in reversed(log.split(b"\n")):
        if entry := parse(line):
            return entry, b"\n".join(rest[::-1])
        if line.strip():
            rest.append(line)
    return None, b"\n".join(rest[::-1])


def _user() -> str:
    """Not from the environment, where everybody can call himself as he likes."""
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name or UNKNOWN
    except (ImportError, KeyError, AttributeError):
        return UNKNOWN


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a log to append to, alone. It is never replaced by another file, so it can be the lock itself."""
    # no link: a line at the end of another file, such as one that a shell reads, is not for whoever made the link
    alone = getattr(os, "O_NOFOLLOW", 0)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | alone, 0o666)
    try:
        _lock(handle)
        yield handle
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL):  # disks that know none
            raise


def _read_all(handle: int) -> bytes:
    os.lseek(handle, 0, os.SEEK_SET)
    blocks = []
    while block := os.read(handle, 1 << 20):
        blocks.append(block)
    return b"".join(blocks)


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]
