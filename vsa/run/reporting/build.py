"""From a study to its report: pages that open from disk."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.errors import InputError
from vsa.report.pages.cohort import cohort_context
from vsa.report.pages.norms import Norms
from vsa.report.pages.site import INDEX, Site, link, page_name
from vsa.run.reporting.cohort_view import cohort_view
from vsa.run.reporting.comparison_view import comparison_view
from vsa.run.reporting.frame import frame_of
from vsa.run.reporting.listing import Listing, listing
from vsa.run.reporting.media import recordings_of
from vsa.run.reporting.model_view import model_view
from vsa.run.reporting.names import Names
from vsa.run.reporting.pages import Pages, Task, write_pages
from vsa.run.reporting.place import report_folder, write_record
from vsa.run.reporting.request import Request
from vsa.run.reporting.session_view import Row, plain_view
from vsa.study.addresses import name_of
from vsa.study.pseudonyms import Pseudonyms
from vsa.study.results import Results

if TYPE_CHECKING:
    from vsa.bond.model import BondModel, ModelInfo
    from vsa.report.pages.view import Frame, Recording
    from vsa.study.failures import Failure


@dataclass(frozen=True)
class Report:
    """What was made.

    Attributes
    ----------
    index
        The cohort page.
    ids
        Sessions whose pages were written, as in the study.
    sheets
        Of which there is a practitioner's sheet.
    counts
        Sessions by verdict; empty without a list.
    notes
        What to tell.
    """

    index: Path
    ids: tuple[str, ...]
    sheets: int
    counts: dict[str, int]
    notes: tuple[str, ...]


def build(asked: Request, progress: Callable[[int, int], None] = lambda done, of: None) -> Report:
    """Write the report.

    Parameters
    ----------
    asked
        What of, and where to.
    progress
        Is told how many of how many sessions have their pages.

    Raises
    ------
    InputError
        When something that was given can't be read or does not fit, or `out` can't be written. An earlier report is
        then as it was.
    SessionError
        Stage ``write``, when the disk is full or the like.
    """
    model = _model(asked)
    found = listing(asked, model)
    info = None if model is None else model.info
    failures = _failures(asked)
    key = None if asked.pseudonymize is None else Pseudonyms.read(asked.pseudonymize)
    names = _names(asked, found, failures, key)
    chosen = _chosen(found, asked.only)
    frame = frame_of(asked, found, info)
    recordings = recordings_of(asked, chosen)
    with report_folder(asked.out) as folder:
        site = Site(folder, frame)
        site.write_assets()
        norms = Norms(found.table, found.features)
        done = write_pages(
            Pages(folder, frame, names, norms, *_points(info)),
            _tasks(chosen, names, recordings),
            asked.jobs,
            progress,
        )
        shown = None if info is None or asked.model is None else model_view(info, asked.model, folder)
        views = [done.get(row.session_id) or plain_view(row, names) for row in found.rows]
        view = cohort_view(
            found,
            views,
            names,
            info,
            shown,
            comparison_view(found.table, asked, names, folder),
            failures,
            asked.purpose,
            frozenset(names.session(name) for name in done),
            _points(info),
        )
        site.write(INDEX, "cohort.html", **cohort_context(view, frame))
        sheets = sum(1 for one in done.values() if one.sheet)
        write_record(folder, _record(frame, asked, len(done), sheets))
    notes = (
        *(() if key is None else key.notes),
        *_unlinked(asked, recordings),
        *(() if shown is None else shown.left_out),
        *found.notes,
    )
    counts = {} if found.flags is None else found.flags.counts
    return Report(asked.out / INDEX, tuple(done), sheets, counts, notes)


def _model(asked: Request) -> BondModel | None:
    from vsa.bond import store

    return None if asked.model is None else store.load(asked.model)


def _failures(asked: Request) -> tuple[Failure, ...]:
    if isinstance(asked.study, Path) and asked.study.is_dir():
        return tuple(Results(asked.study).failures())
    return ()


def _names(asked: Request, found: Listing, failures: Sequence[Failure], key: Pseudonyms | None) -> Names:
    """Pseudonyms of everybody that a page may name, also in notes."""
    sessions = (
        [row.session_id for row in found.rows] + [*found.left_out] + [one.session_id for one in failures]
    )
    files = [str(source["name"]) for row in found.rows for source in _sources(row) if source.get("name")]
    people = {
        column: [row.facts[column] for row in found.rows if row.facts.get(column)]
        for column in ("client_id", "therapist_id")
    }
    study = [str(asked.study), name_of(asked.study), str(found.table.attrs.get("source", ""))]
    study += dict.fromkeys(found.table.attrs.get("from", {}).values())
    return Names.of(key, sessions, people["client_id"], people["therapist_id"], files, filter(None, study))


def _sources(row: Row) -> list[Mapping[str, Any]]:
    record = row.record or {}
    own = [record["source"]] if record.get("source") else []
    return [*own, *(record.get("further_sources") or []), *(record.get("sound_files") or [])]


def _chosen(found: Listing, only: Sequence[str]) -> list[Row]:
    """The sessions whose pages are written."""
    if not only:
        return list(found.rows)
    there = {row.session_id: row for row in found.rows}
    if unknown := [name for name in only if name not in there]:
        raise InputError(
            f"There is no session {', '.join(unknown[:3])} on the list.",
            "It may have failed, or lack consent; the cohort page says so of each.",
        )
    return [there[name] for name in dict.fromkeys(only)]


def _points(info: ModelInfo | None) -> tuple[tuple[float, float] | None, float]:
    """Lowest and highest score of the questionnaire, and the bond below which it counts as weak, where there is one."""
    if info is None:
        return None, math.nan
    return info.scale, math.nan if info.weak.kind == "drop" else info.weak_cut


def _tasks(rows: Sequence[Row], names: Names, recordings: Mapping[str, Recording]) -> list[Task]:
    pages = ["", *(link(page_name(names.session(row.session_id))) for row in rows), ""]
    return [Task(row, recordings[row.session_id], pages[k], pages[k + 2]) for k, row in enumerate(rows)]


def _unlinked(asked: Request, recordings: Mapping[str, Recording]) -> list[str]:
    """How many recordings could not be linked, and why the first one could not."""
    if not asked.link_media:
        return []
    without = {name: one.why_none for name, one in recordings.items() if not one.address}
    if not without:
        return []
    first = next(iter(without))
    return [f"{len(without)} of {len(recordings)} recordings are not linked; {first}: {without[first]}"]


def _record(frame: Frame, asked: Request, pages: int, sheets: int) -> dict[str, Any]:
    return {
        "made": frame.made,
        "vsa": frame.version,
        "list": frame.model,
        "model_print": frame.model_print,
        "budget": None if asked.threshold is not None else asked.budget,
        "threshold": asked.threshold,
        "purpose": asked.purpose,
        "pseudonyms": frame.pseudonyms,
        "linked_media": asked.link_media,
        "simulated": {"sessions": frame.simulated_data, "model": frame.simulated_model},
        "pages": pages,
        "sheets": sheets,
    }
