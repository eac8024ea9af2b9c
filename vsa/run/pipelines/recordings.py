"""What extraction reads and leaves: recordings as they lie there, as they were measured, and by which vsa."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vsa.errors import InputError
from vsa.run.pipelines import prints
from vsa.study.addresses import Place
from vsa.study.folder import MANIFEST
from vsa.study.manifest import read_manifest
from vsa.study.session_files import read_record

_TABLES = (".csv", ".tsv")


def of_sources(path: Path, purpose: str) -> str:
    """Fingerprint of recordings before they are measured: their names and sizes, and the manifest that lists them.

    None is opened: of a session without consent nothing is looked at but its row. What was in them `measured` says.

    Parameters
    ----------
    path
        A study folder, a manifest or a recording.
    purpose
        For which sessions are measured; empty: for any.
    """
    table = path / MANIFEST if path.is_dir() else path
    if table.suffix.lower() not in _TABLES:
        return prints.joined("recordings", [_line(path)])
    if not table.is_file():
        return prints.ABSENT
    try:
        plans = read_manifest(table, purpose=purpose).plans
    except InputError:  # the command names its faults, or a recording was deleted after it was measured
        return prints.joined("recordings", [prints.of_file(table)])
    places = [place for plan in plans for place in (*(v.path for v in plan.videos), *plan.audio.values())]
    return prints.joined("recordings", [prints.of_file(table), *(_line(place) for place in places)])


def measured(results: Path) -> tuple[str, dict[str, int]]:
    """What results were measured from, and by which vsa.

    Returns
    -------
    Fingerprint of the SHA-256 of all recordings; and versions of vsa, with how many sessions each has measured.
    """
    contents, versions = list[str](), Counter[str]()
    for record in _records(results):
        contents += (str(source.get("sha256")) for source in prints.sources_of(record))
        versions[str(record["versions"].get("vsa"))] += 1
    return prints.joined("contents", sorted(contents)), dict(sorted(versions.items()))


def _records(results: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(results.glob("*/session.json")):
        record = None if path.parent.name.startswith(".") else read_record(path.parent)
        if record is not None and isinstance(record.get("versions"), dict):
            yield record


def _line(place: Place) -> str:
    size = place.stat().st_size if isinstance(place, Path) and place.is_file() else "?"
    return f"{place.name}\t{size}"
