"""Where the recordings of a report's sessions lie, so that pages can play them from there: nothing is copied."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vsa.errors import InputError
from vsa.report.pages.site import SESSIONS
from vsa.report.pages.view import Recording
from vsa.study.addresses import Address, Place, place_of
from vsa.study.cells import shown
from vsa.study.folder import MANIFEST
from vsa.study.manifest_header import columns
from vsa.study.manifest_table import read_rows
from vsa.study.plan import normal_id

if TYPE_CHECKING:
    from vsa.run.reporting.request import Request
    from vsa.run.reporting.session_view import Row

_NOT_ASKED = "The recording is not linked; 'vsa report --link-media' does that."
_HIDDEN = "Recordings are not linked where ids are pseudonyms: their names would tell whose they are."
_NO_RECORD = "It is not known which recording this session is of."
_SIMULATED = "The session is simulated: there is no recording."

#: Role (empty: of all) to the manifest's cell, and the place that it names.
Named = Mapping[str, tuple[str, Place]]


def recordings_of(asked: Request, rows: Sequence[Row]) -> dict[str, Recording]:
    """Look for the recordings of sessions, if that was asked for; by id."""
    if not asked.link_media or asked.pseudonymize is not None:
        why = _NOT_ASKED if asked.pseudonymize is None else _HIDDEN
        return {row.session_id: Recording("", 0.0, why) for row in rows}
    named = manifest_videos(asked.study) if isinstance(asked.study, Path) else {}
    pages = asked.out / SESSIONS
    return {
        row.session_id: recording_of(
            row.record or {}, named.get(row.session_id.casefold(), {}), asked.media, pages
        )
        for row in rows
    }


def manifest_videos(study: Path) -> dict[str, Named]:
    """Recordings that the manifest in a study, or in the folder that it lies in, names: by id in lower case.

    Whatever else is wrong with a manifest, or that it can't be read, keeps no report from being made.
    """
    found = dict[str, Named]()
    for path in (study / MANIFEST, study.absolute().parent / MANIFEST):
        try:
            table = read_rows(path)
        except InputError:
            continue
        for _, cells in table.rows:
            row = dict(zip(table.header, cells, strict=False))
            session = normal_id(row.get("session_id", "")).casefold()
            videos = {name.partition(":")[2]: row[name] for name in columns(row, "video") if row[name]}
            named = {role: (cell, place_of(cell, path.parent)) for role, cell in videos.items()}
            found.setdefault(session, named)
    return found


def recording_of(
    record: Mapping[str, Any], named: Named, media_folders: Sequence[Path], page_folder: Path
) -> Recording:
    """Find a session's recording. Of several, one per participant, it is the first: the session's time is its time.

    Parameters
    ----------
    record
        Its ``session.json``.
    named
        What the manifest names.
    media_folders
        To look in for a file of the recorded name.
    page_folder
        Of the page that plays it.

    Returns
    -------
    The address of a file of the recorded size, or why there is none. With it goes the time of the first picture: there
    begins the clock of some players (Firefox); others keep the file's own times, as the HTML standard has it
    (Chromium).
    """
    source = record.get("source") or {}
    if not source.get("name"):
        return Recording("", 0.0, _NO_RECORD)
    if record.get("simulated") and source.get("sha256") is None:
        return Recording("", 0.0, _SIMULATED)
    name, why = PurePath(str(source["name"])).name, list[str]()
    for said, place in _candidates(name, source.get("role"), named, media_folders):
        if isinstance(place, Address):
            why.append(f"{place} is no file of this machine, and pages play such files alone.")
        elif fault := _fault(place, source.get("bytes")):
            why.append(f"{shown(said)} {fault}.")
        else:
            return Recording(
                address_of(place, page_folder), float(source.get("start_s") or 0.0), _others(record)
            )
    if not why:
        why.append(f"It is not known where {shown(name)} lies: no manifest of the study names it.")
    return Recording("", 0.0, f"{' '.join(why)} Where it lies can be told with --media FOLDER.")


def address_of(file: PurePath, page_folder: PurePath) -> str:
    """The address of a file for a link from a page: relative, or absolute if it is on another drive.

    Examples
    --------
    >>> address_of(PurePath("/study/calls/a b#1.mp4"), PurePath("/study/report/sessions"))
    '../../calls/a%20b%231.mp4'
    """
    if isinstance(file, Path):
        file, page_folder = _plain(file), Path(os.path.abspath(page_folder))
    common = next((one for one in file.parents if page_folder.is_relative_to(one)), None)
    if common is None:
        return file.as_uri()
    ups = [".."] * (len(page_folder.parts) - len(common.parts))
    parts = (*ups, *file.relative_to(common).parts)
    return "/".join(quote(part, safe="", errors="surrogateescape") for part in parts)


def _plain(file: Path) -> Path:
    """The path without ``..``: browsers take these out of addresses, and know of no links."""
    plain = Path(os.path.abspath(file))
    same = plain.exists() and plain.samefile(file)
    return plain if same or not file.exists() else file.parent.resolve() / file.name


def _candidates(
    name: str, role: str | None, named: Named, media_folders: Sequence[Path]
) -> Iterator[tuple[str, Place]]:
    """Where it may be, with how to call it: as the manifest has it, then in the folders."""
    first = named.get(role or "") or next(iter(named.values()), None)
    if first is not None:
        yield first
    for folder in media_folders:
        yield f"{folder.name}/{name}", folder / name


def _fault(path: Path, size: int | None) -> str:
    """Why a file is not the recording, to follow its name; empty if it is."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "is not there"
    except (OSError, ValueError) as error:
        return f"can't be read ({getattr(error, 'strerror', None) or error})"
    if not stat.S_ISREG(found.st_mode):
        return "is no file"
    # its bytes would say for sure, and reading those of a whole study takes hours
    return "is not the file that was analysed (its size differs)" if size not in (None, found.st_size) else ""


def _others(record: Mapping[str, Any]) -> str:
    """What is said where further recordings are not linked."""
    if not record.get("further_sources"):
        return ""
    role = record["source"].get("role")
    whose = f", that of the {shown(str(role), 40)}," if role else ""
    return f"Only the first recording{whose} is linked: its time is the session's."
