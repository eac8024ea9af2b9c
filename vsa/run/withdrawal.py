"""Taking a person out of a study: what is to go, in which order, and what is left for people to look at.

The log gets the intent, with the sessions, before anything is removed: whatever happens then, the same command run
again finds them there and goes on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vsa.errors import InputError, SessionError
from vsa.run.learned import Model, models
from vsa.run.pseudonymous import under_pseudonyms
from vsa.study import log, remains
from vsa.study.blanked import blanked
from vsa.study.disk import runs, to_disk
from vsa.study.folder import MANIFEST
from vsa.study.places import Places, look
from vsa.study.removal import count_rows, remove_rows
from vsa.study.results import SESSION_FILES, Results
from vsa.study.rows import CSV, PARQUET, whole
from vsa.study.withdrawal import COMMAND, Subject, find

#: Of a session's folder, beside what extraction writes: file managers' litter, and the truth of simulated sessions.
_ALSO_REMOVED = (".DS_Store", "Thumbs.db", "desktop.ini", "events.parquet")


@dataclass(frozen=True)
class Withdrawal:
    """What goes, or went.

    Attributes
    ----------
    subject
        Who.
    folders
        Sessions' folders.
    making
        What killed runs left of these sessions.
    tables
        Tables with rows of theirs, and how many.
    manifest_rows
        Rows of the manifest that are emptied.
    recordings
        Where the recordings of these rows are: they are not vsa's, and stay.
    models
        All that were found or that the log names.
    unread
        Tables that can't be read, with the reason: they may hold rows of theirs.
    named, closed
        Files for people to look at: those whose name or text has an id, and those that vsa can't look into.
    reports, pseudonymous
        Folders of reports under pseudonyms, and other files with pseudonyms: whether they are theirs the key tells.
    failed
        What could not be removed, with the reason.
    """

    subject: Subject
    folders: tuple[Path, ...]
    making: tuple[Path, ...]
    tables: tuple[tuple[Path, int], ...]
    manifest_rows: int
    recordings: tuple[str, ...]
    models: tuple[Model, ...]
    unread: tuple[tuple[Path, str], ...]
    named: tuple[Path, ...] = ()
    closed: tuple[Path, ...] = ()
    reports: tuple[Path, ...] = ()
    pseudonymous: tuple[Path, ...] = ()
    failed: tuple[tuple[Path, str], ...] = ()

    @property
    def learned(self) -> tuple[Model, ...]:
        """Models that learned from them."""
        return tuple(model for model in self.models if model.sessions)

    @property
    def empty(self) -> bool:
        """Whether nothing is there to be removed."""
        return not (self.folders or self.making or self.tables or self.manifest_rows)

    def counts(self) -> dict[str, int]:
        """For the log."""
        return {
            "sessions": len(self.subject.sessions),
            "folders": len(self.folders) + len(self.making),
            "tables": len(self.tables),
            "rows": sum(count for _, count in self.tables),
            "manifest_rows": self.manifest_rows,
            "models": len(self.learned),
        }


def plan(study: Path, subject: Subject) -> Withdrawal:
    """Find what is to go; nothing is changed.

    Raises
    ------
    InputError
        When the manifest can't be read.
    """
    places = look(study)
    tables, unread = list[tuple[Path, int]](), list[tuple[Path, str]]()
    for path in _tables(study, places):
        try:
            if count := count_rows(path, subject.ids):
                tables.append((path, count))
        except (OSError, ValueError) as error:
            unread.append((path, _why(error)))
    folders = tuple(folder for folder, ids in places.sessions.items() if any(map(subject.has, ids)))
    begun = tuple(study / name for name in subject.sessions if _leftover(study / name))
    manifest = blanked(study, subject)
    found = Withdrawal(
        subject,
        tuple(dict.fromkeys([*folders, *begun])),
        _making(places, subject),
        tuple(tables),
        manifest.rows,
        manifest.recordings,
        models(study, places, subject.ids, None),
        tuple(unread),
    )
    handled = {*found.making, *(path for path, _ in tables)}
    named, closed = remains.search(study, places, _names(subject), handled)
    own = (study / MANIFEST,) if manifest.commented else ()
    reports, others = under_pseudonyms(study, places)
    return replace(
        found,
        named=(*own, *named, *_strangers(found.folders)),
        closed=closed,
        reports=reports,
        pseudonymous=others,
    )


def carry_out(study: Path, subject: Subject) -> Withdrawal:
    """Take a person out: the log gets the intent first, then what is found goes, then the log gets the end.

    Raises
    ------
    InputError
        When a run is writing one of the sessions, or the folder can't be written. Nothing was removed.
    SessionError
        Stage ``write``: the log can't be written; when it is the intent that can't, nothing was removed.
    """
    Results(study).prepare()  # what a killed run moved aside comes back, to be found
    subject = find(study, subject.id, subject.kind)
    _check_at_rest(look(study), subject)
    found = plan(study, subject)
    who: dict[str, int | str] = {"as": subject.kind, "person": subject.id}
    begun = log.append(study, COMMAND, subject.sessions, {"step": "begin", **who, **found.counts()})
    failed = list[tuple[Path, str]]()
    for path, step in _steps(study, found):
        try:
            step()
        except (OSError, ValueError) as error:
            failed.append((path, _why(error)))
    places = look(study)
    marked = models(study, places, subject.ids, begun.time)
    failed += [(model.path, model.why) for model in marked if model.sessions and model.why]
    unchanged = {path for path, _ in failed}
    named, closed = remains.search(study, places, _names(subject), unchanged)
    own = [path for path in found.named if path == study / MANIFEST]
    done = replace(found, models=marked, failed=tuple(failed), named=(*own, *named), closed=closed)
    end: dict[str, int | str] = {"step": "unfinished", "failed": len(failed)} if failed else {"step": "end"}
    log.append(study, COMMAND, subject.sessions, {**end, **who, **done.counts()})
    return done


def _steps(study: Path, found: Withdrawal) -> Iterator[tuple[Path, Callable[[], object]]]:
    """What is to be done: the manifest first, so that no run makes anew what is removed."""
    if found.manifest_rows:
        yield study / MANIFEST, partial(_blank, study, found.subject)
    for folder in (*found.folders, *found.making):
        yield folder, partial(_remove, folder)
    for path, _ in found.tables:
        yield path, partial(remove_rows, path, found.subject.ids)


def _tables(study: Path, places: Places) -> list[Path]:
    return [
        path for path in places.files if path.suffix.lower() in (*CSV, *PARQUET) and path != study / MANIFEST
    ]


def _leftover(folder: Path) -> bool:
    """Whether a folder is what a withdrawal that was killed left of a session."""
    names = (*SESSION_FILES, *_ALSO_REMOVED)
    return not folder.is_symlink() and any((folder / name).is_file() for name in names)


def _strangers(folders: Iterable[Path]) -> Iterator[Path]:
    """What is no result of vsa in sessions' folders: it stays."""
    for folder in folders:
        yield from (
            path for path in sorted(folder.iterdir()) if path.name not in (*SESSION_FILES, *_ALSO_REMOVED)
        )


def _making(places: Places, subject: Subject) -> tuple[Path, ...]:
    """What is in the making of these sessions, and tables that nobody is making any more."""
    tables = ("", "features.parquet", "failures.csv")
    return tuple(
        path
        for path, (name, process) in places.making.items()
        if subject.has(name) or (name in tables and not runs(process))
    )


def _check_at_rest(places: Places, subject: Subject) -> None:
    for path, (name, process) in places.making.items():
        if subject.has(name) and runs(process):
            raise InputError(
                f"Session {name} is being written by another run (process {process}: {path}).",
                "Stop it, and run this again. Nothing was removed.",
            )


def _blank(study: Path, subject: Subject) -> None:
    with whole(study / MANIFEST) as part:
        part.write_bytes(blanked(study, subject).content)


def _remove(path: Path) -> None:
    """Remove what vsa wrote into a session's folder, and the folder if nothing else is in it."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
    elif path.name.endswith(".part"):
        shutil.rmtree(path)
    else:
        for name in (*SESSION_FILES, *_ALSO_REMOVED):
            (path / name).unlink(missing_ok=True)
        if not any(path.iterdir()):
            path.rmdir()
    to_disk(path.parent)


def _names(subject: Subject) -> tuple[str, ...]:
    return (subject.id, *subject.sessions)


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).split("\n")[0] or type(error).__name__


def check_done(done: Withdrawal) -> None:
    """Say it if something could not be removed.

    Raises
    ------
    SessionError
        Stage ``write``: what, and why.
    """
    if done.failed:
        listed = "".join(f"\n  {path}: {why}" for path, why in done.failed)
        raise SessionError(
            "write",
            f"{len(done.failed)} of what was to go could not be changed:{listed}",
            "Mend that and run the same command again: it goes on.",
        )
