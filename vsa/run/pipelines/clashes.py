"""What a stage must not write over: the study's own files, what stages read, and each other's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vsa.run.pipelines.file import Stage
from vsa.run.pipelines.plan import reads, writes
from vsa.run.pipelines.provenance import FOLDER as RECORDS
from vsa.run.pipelines.schema import WRITTEN, paths, within
from vsa.study.folder import TAKEN, is_session

#: What a command writes, where that is a file of one kind.
_ENDS = {
    ("score", "out"): ".csv",
    ("score", "report"): ".csv",
    ("flag", "out"): ".csv",
    ("train", "out"): ".skops",
}
#: Keeps what it finds there by itself, as it shall; other stages write beside what is there.
_RESULTS = ("extract", "out")


def clashes(stages: Sequence[Stage], study: Path) -> Iterator[str]:
    """Name every setting by which something would be lost, with the reason."""
    root = _real(study)
    read = dict[Path, str]()
    written = dict[Path, str]()
    for stage in stages:
        for text in reads(stage):
            if (path := within(text, study)) is not None:
                read.setdefault(_real(path), stage.name)
        for key, text in paths(stage.command, stage.settings):
            path = within(text, study)
            if path is None or key not in WRITTEN or (stage.command, key) == _RESULTS:
                continue
            at = _real(path)
            if why := _reason(stage, key, at, root) or _taken(at, root, read, written):
                yield f"[stage.{stage.name}] {key}: {text} {why}."
        written |= {_real(path): stage.name for text in writes(stage) if (path := within(text, study))}


def _reason(stage: Stage, key: str, at: Path, root: Path) -> str:
    """Why a place is not for this setting, whatever the stages do."""
    end = _ENDS.get((stage.command, key))
    if end and at.suffix.lower() != end:
        return f"is no name for it: it ends in {end}"
    if at == root or at in root.parents:
        return "is the study folder, or holds it"
    if at.parent == root and at.name in TAKEN:
        return "is a file that the study keeps itself"
    if root / RECORDS in (at, *at.parents):
        return "is where the records of runs lie"
    for folder in (at, *at.parents):
        if folder != root and root in folder.parents and is_session(folder):
            return "is in the results of a session"
    return ""


def _taken(at: Path, root: Path, read: dict[Path, str], written: dict[Path, str]) -> str:
    if at in written and at != root:
        return f"is written by [stage.{written[at]}] too"
    readers = [name for path, name in read.items() if path == at and path not in written]
    if readers:
        return f"is what [stage.{readers[0]}] reads"
    if any(at in path.parents for path in read if path != root and path not in written):
        return "holds what a stage reads"
    return ""


def _real(path: Path) -> Path:
    """Without links and ``..``, so that two names of one file are seen to be one."""
    return path.resolve()
