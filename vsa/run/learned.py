"""Models that learned from somebody: found in a study folder and by its log, and marked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsa.errors import InputError
from vsa.study import log
from vsa.study.places import Places
from vsa.study.rows import Ids

MODEL = ".skops"


@dataclass(frozen=True)
class Model:
    """A model's file and what it learned.

    Attributes
    ----------
    path
        Where it is.
    sessions
        Of the withdrawn ones, how many were in its training; None if that can't be told, and `why` says why.
    """

    path: Path
    sessions: int | None
    why: str = ""


def models(study: Path, places: Places, ids: Ids, date: str | None) -> tuple[Model, ...]:
    """All models, each with how much it learned from somebody; with a `date`, that is noted in those that did."""
    inside = [path for path in places.files if path.suffix.lower() == MODEL]
    named = [
        study / str(entry.outcome["model"])
        for entry in log.entries(study)
        if entry.command == "train" and entry.outcome.get("model")
    ]
    paths = {path.resolve(): path for path in (*named, *inside)}
    return tuple(_model(path, ids, date) for path in sorted(paths.values()))


def _model(path: Path, ids: Ids, date: str | None) -> Model:
    from vsa.bond import store

    if not path.is_file():
        return Model(path, None, "the log names it, and it is not there")
    try:
        count = store.trained_with(path, ids)
    except InputError as error:
        return Model(path, None, error.message)
    if count is None:
        return Model(path, None, "an earlier vsa made it, or it was trained without ids")
    if count and date is not None:
        try:
            store.mark_withdrawn(path, ids, date)
        except InputError as error:
            return Model(path, count, error.message)
    return Model(path, count)
