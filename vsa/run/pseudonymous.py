"""What lies in a study under pseudonyms: without the key nobody can tell whether it is about somebody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from vsa.study.folder import MANIFEST
from vsa.study.places import Places
from vsa.study.pseudonyms import looks_like
from vsa.study.rows import CSV, PARQUET, id_columns, key, read_grid


def under_pseudonyms(study: Path, places: Places) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Find reports under pseudonyms, and what names sessions or people as these do.

    Parameters
    ----------
    study, places
        The folder, and what lies in it.

    Returns
    -------
    Folders of reports; and other files: tables of marks, and pages that were taken out of a report.
    """
    reports = tuple(path.parent for path in places.files if _is_report(path))
    known = {*_known(study, places)}
    others = tuple(
        path
        for path in places.files
        if path != study / MANIFEST
        and not any(path.is_relative_to(report) for report in reports)
        and any(looks_like(one) and one.strip().casefold() not in known for one in _ids(path))
    )
    return reports, others


def _is_report(path: Path) -> bool:
    from vsa.run.reporting.place import RECORD, WHAT

    if path.name != RECORD:
        return False
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.get("what") == WHAT and record.get("pseudonyms") is True


def _known(study: Path, places: Places) -> Iterator[str]:
    """Ids of the study itself: one may look like a pseudonym."""
    for names in places.sessions.values():
        yield from (name.casefold() for name in names)
    if (study / MANIFEST).is_file():
        yield from (key("session", one) for one in _of_table(study / MANIFEST))


def _ids(path: Path) -> Iterable[str]:
    """Of the rows of a table, and what the name of a page begins with."""
    yield path.name.partition(".")[0]
    if path.suffix.lower() in (*CSV, *PARQUET):
        yield from _of_table(path)


def _of_table(path: Path) -> Iterator[str]:
    """Ids in a table; none if it can't be read, which is told elsewhere."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() in PARQUET:
            with pq.ParquetFile(path) as file:
                names = [*id_columns(tuple(file.schema_arrow.names))]
                rows = file.read(columns=names).to_pylist() if names else []
        else:
            grid = read_grid(path)
            rows = [] if grid is None else [record for _, record in grid.records()]
            names = [] if grid is None else [*id_columns(tuple(grid.header))]
    except (OSError, ValueError, pa.ArrowException):
        return
    for row in rows:
        yield from (str(row.get(name) or "") for name in names)
