"""The pages of sessions, several processes at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vsa.report.pages.session import session_context
from vsa.report.pages.site import SESSIONS, SHEETS, Site
from vsa.run.reporting.session_view import Row, session_view

if TYPE_CHECKING:
    from vsa.report.pages.norms import Norms
    from vsa.report.pages.view import Frame, Recording, SessionView
    from vsa.run.reporting.names import Names

#: Sessions that a process works on between two words of progress.
_AT_A_TIME = 4


@dataclass(frozen=True, eq=False)
class Pages:
    """What all sessions' pages are made with; `scale` and `weak_cut` as in `CohortView`."""

    folder: Path
    frame: Frame
    names: Names
    norms: Norms
    scale: tuple[float, float] | None
    weak_cut: float


@dataclass(frozen=True, eq=False)
class Task:
    """One session: its row, its recording, and the pages before and after it in the list (empty at the ends)."""

    row: Row
    recording: Recording
    before: str
    after: str


def write_pages(
    made_with: Pages, tasks: Sequence[Task], jobs: int, progress: Callable[[int, int], None]
) -> dict[str, SessionView]:
    """Write the pages and sheets of sessions.

    Parameters
    ----------
    made_with
        The same for all.
    tasks
        The sessions.
    jobs
        Processes; 0: one a core.
    progress
        Is told how many of how many are written.

    Returns
    -------
    Session, as in the study, to its view, without what only its page needs.
    """
    done: dict[str, SessionView] = {}
    for some in _worked(made_with, tasks, jobs):
        done |= some
        progress(len(done), len(tasks))
    return done


def _worked(made_with: Pages, tasks: Sequence[Task], jobs: int) -> Iterator[Mapping[str, SessionView]]:
    from joblib import Parallel, delayed

    parts = [tasks[k : k + _AT_A_TIME] for k in range(0, len(tasks), _AT_A_TIME)]
    if jobs == 1 or len(parts) < 2:
        yield from (_write(made_with, part) for part in parts)
        return
    # processes: a page is mostly Python's own work, which threads would do in turn
    parallel = Parallel(n_jobs=jobs or -1, return_as="generator_unordered")
    yield from parallel(delayed(_write)(made_with, part) for part in parts)


def _write(made_with: Pages, tasks: Sequence[Task]) -> dict[str, SessionView]:
    site = Site(made_with.folder, made_with.frame)
    done = {}
    for task in tasks:
        view, sheet = session_view(task.row, made_with.names, made_with.norms, task.recording)
        context = session_context(
            view,
            made_with.norms,
            made_with.frame,
            (task.before, task.after),
            scale=made_with.scale,
            weak_cut=made_with.weak_cut,
        )
        site.write(f"{SESSIONS}/{view.page}", "session.html", **context)
        if sheet is not None:
            site.write(f"{SHEETS}/{view.sheet}", "sheet.html", view=view, sheet=sheet)
        done[task.row.session_id] = replace(view, timeline=None, values={}, missing={})
    return done
