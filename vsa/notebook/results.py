"""A results folder in a notebook."""

from __future__ import annotations

import html
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import astuple
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from vsa.errors import InputError
from vsa.notebook import features
from vsa.notebook.session import OpenSession
from vsa.notebook.units import no_unit, with_units
from vsa.study.addresses import Address, place_of
from vsa.study.consent import without_consent
from vsa.study.failures import COLUMNS
from vsa.study.record_shape import foreign
from vsa.study.results import Results
from vsa.study.tables import IDS

#: A folder that holds one of these is a session, or was meant to be.
_SESSIONS_OWN = ("session.json", "face.parquet", "voice.parquet", "turns.parquet")
#: Beside the sessions.
_BESIDE = ("features.parquet", "failures.csv")
#: The `schema` of ``session.json`` that is understood here.
READS_SCHEMA = 3
_OVERVIEW_UNITS = no_unit(("status", "participants", "sound", "notes")) | {
    "duration_s": "s",
    "least_tracked_share": "share",
    "speech_s": "s",
}


class NoSuchSession(InputError, KeyError):
    """There is no finished session of that id."""


class OpenResults(Mapping[str, OpenSession]):
    """The sessions of a results folder, by id; `vsa.open_results` gives it.

    It is a mapping: ``results["s01"]``, ``len(results)``, ``for name in results``, ``results.values()``.

    Parameters
    ----------
    folder
        What was given to ``vsa extract`` as ``--out``.

    Attributes
    ----------
    folder
        The same.
    left_out
        Sessions that nobody may use: somebody in them said no, or there is no purpose that all agreed to. What the
        folder's manifest says goes before what was recorded. A warning says how many.
    damaged
        Session that can't be used -> why. A warning names them too; the others are not touched by it.

    Raises
    ------
    InputError
        When it is no results folder, or its manifest can't be read.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        place = place_of(os.fspath(folder))
        if isinstance(place, Address):
            raise InputError(
                f"{place} is an address, and only folders of this machine can be opened.",
                "Copy it to this machine and give its path.",
            )
        self.folder = place
        self._results = Results(self.folder)
        found = _candidates(self.folder)
        self.left_out = without_consent((path.name for path in found), self.folder)
        self._sessions: dict[str, OpenSession] = {}
        self.damaged: dict[str, str] = {}
        for path in found:
            if path.name in self.left_out:
                continue
            record = self._results.finished(path.name)
            if why := _unusable(path, record):
                self.damaged[path.name] = why
            elif record is not None:
                self._sessions[path.name] = OpenSession(path, record)
        if n := len(self.left_out):
            text = f"{n} session{'s' * (n > 1)} left out: not all of the people in them agreed to be measured"
            warnings.warn(f"{text} ({self.folder}).", stacklevel=3)
        for name, why in self.damaged.items():
            warnings.warn(f"Session '{name}' can't be used: {why}.", stacklevel=3)

    @property
    def sessions(self) -> tuple[str, ...]:
        """Ids of the sessions, sorted."""
        return tuple(self._sessions)

    def __getitem__(self, session_id: str) -> OpenSession:
        if session_id in self._sessions:
            return self._sessions[session_id]
        if session_id in self.damaged:
            raise NoSuchSession(
                f"Session '{session_id}' can't be used: {self.damaged[session_id]}.",
                "Extract it again, with 'vsa extract --afresh'.",
            )
        if session_id in self.left_out:
            raise NoSuchSession(
                f"Session '{session_id}' may not be used: not all of its people agreed to it.",
                "What they agreed to stands in the study's manifest.csv, else in the session's session.json.",
            )
        failed = {failure.session_id: failure for failure in self._results.failures()}
        if session_id in failed:
            raise NoSuchSession(
                f"Session '{session_id}' failed: {failed[session_id].error}", failed[session_id].hint
            )
        some = ", ".join(self.sessions[:5]) + (", …" if len(self) > 5 else "")
        raise NoSuchSession(f"{self.folder} has no session '{session_id}'.", f"It has {some or 'none'}.")

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)

    @cached_property
    def features(self) -> pd.DataFrame:
        """One row a session, one column a feature; ``attrs["units"]`` and ``attrs["definitions"]`` name each column."""
        return features.wide(self._rows())

    def tidy_features(self) -> pd.DataFrame:
        """One row a session, scope and feature: `value`, `unit` and, where it is missing, `missing_reason`."""
        return features.tidy(
            self.features,
            {name: session.missing for name, session in self.items()},
            {name: session.names.values() for name, session in self.items()},
        )

    @cached_property
    def facts(self) -> pd.DataFrame:
        """What the manifest said of each session (clients, modality, bond …): index `session_id`, as `features` has.

        A column of numbers only is one of numbers; ids stay text.
        """
        table = pd.DataFrame(
            [session.record.get("facts") or {} for session in self.values()], index=self._index(), dtype="str"
        ).replace("", None)
        for name in table.columns.difference(IDS):
            numbers = pd.to_numeric(table[name], errors="coerce")
            if numbers.notna().equals(table[name].notna()):
                table[name] = numbers
        return with_units(table, no_unit(table.columns))

    @cached_property
    def overview(self) -> pd.DataFrame:
        """The sessions at a glance: one row each."""
        rows = []
        for session in self.values():
            record = session.record
            shares = [person["tracked_share"] for person in record["participants"]]
            said = sum(voice.get("speech_s") or 0.0 for voice in record["sound"]["voices"])
            rows.append(
                {
                    "status": record["status"],
                    "participants": ", ".join(session.names.values()),
                    "duration_s": session.duration_s,
                    "least_tracked_share": min(shares, default=float("nan")),
                    "sound": record["sound"]["kind"],
                    "speech_s": float("nan") if record["sound"]["kind"] == "none" else said,
                    "notes": "; ".join(session.notes),
                }
            )
        columns = [
            "status",
            "participants",
            "duration_s",
            "least_tracked_share",
            "sound",
            "speech_s",
            "notes",
        ]
        return with_units(pd.DataFrame(rows, columns=columns, index=self._index()), _OVERVIEW_UNITS)

    @property
    def failures(self) -> pd.DataFrame:
        """``failures.csv``: the sessions that are not there, the stage, the error, and what to do."""
        rows = [astuple(failure) for failure in self._results.failures()]
        return with_units(pd.DataFrame(rows, columns=list(COLUMNS), dtype="str"), no_unit(COLUMNS))

    def _index(self) -> pd.Index:
        return pd.Index(self.sessions, name="session_id", dtype="str")

    def _rows(self) -> pd.DataFrame:
        """The rows of all sessions: of the table beside them if it is up to date, else their own."""
        own = {name: session.folder / "features.parquet" for name, session in self.items()}
        whole = self.folder / "features.parquet"
        try:
            written = os.stat(whole).st_mtime_ns
            if all(os.stat(path).st_mtime_ns <= written for path in own.values()):
                table = pd.read_parquet(whole)
                table = table[~table["session_id"].isin(self.left_out)].reset_index(drop=True)
                if list(table["session_id"]) == list(own):
                    return table
        except (OSError, ValueError, KeyError, pa.ArrowException):
            pass  # missing or damaged: the sessions have all that it held
        rows = []
        for name, path in own.items():
            try:
                rows.append(pd.read_parquet(path))
            except (OSError, ValueError, pa.ArrowException):
                warnings.warn(
                    f"The features of session '{name}' can't be read: {path} is damaged.", stacklevel=4
                )
        return (
            pd.concat(rows, ignore_index=True)
            if rows
            else pd.DataFrame({"session_id": pd.Series(dtype="str")})
        )

    def __repr__(self) -> str:
        parts = [f"{len(self)} session{'s' * (len(self) != 1)}"]
        others = (
            (len(self.failures), "failed"),
            (len(self.damaged), "damaged"),
            (len(self.left_out), "left out"),
        )
        parts += [f"{n} {what}" for n, what in others if n]
        some = ", ".join(self.sessions[:5]) + (", …" if len(self) > 5 else "")
        return f"<vsa results in {self.folder}: {', '.join(parts)}{f' ({some})' if some else ''}>"

    def _repr_html_(self) -> str:
        table = self.overview.rename(columns={"least_tracked_share": "least tracked"})
        table = table.rename(columns={name: f"{name[:-2]} [s]" for name in ("duration_s", "speech_s")})
        forms = {"least tracked": "{:.0%}".format} | dict.fromkeys(
            ("duration [s]", "speech [s]"), "{:.0f}".format
        )
        text = table.to_html(formatters=forms, na_rep="", max_rows=20)
        bad = [f"{name} failed: {error}" for name, error in self.failures[["session_id", "error"]].to_numpy()]
        bad += [f"{name} can't be used: {why}" for name, why in self.damaged.items()]
        listed = "".join(f"<li>{html.escape(line)}</li>" for line in bad)
        return f"<p>{html.escape(repr(self)[1:-1])}</p>{text}<ul>{listed}</ul>"


def _candidates(folder: Path) -> list[Path]:
    """Folders that are sessions, or were.

    Raises
    ------
    InputError
        When `folder` is no results folder.
    """
    right = "Give the folder that 'vsa extract' wrote with --out."
    if not folder.exists():
        raise InputError(f"{folder} does not exist (looked in {Path.cwd()}).", right)
    if not folder.is_dir():
        raise InputError(f"{folder} is a file, and results are a folder.", right)
    if (folder / "session.json").is_file():
        raise InputError(
            f"{folder} is one session.",
            f"Open the folder around it: open_results('{folder.parent}')['{folder.name}'].",
        )
    try:
        inside = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder} can't be read ({error.strerror}).", right) from None
    found = [path for path in inside if any((path / name).is_file() for name in _SESSIONS_OWN)]
    if not found and not any((folder / name).is_file() for name in _BESIDE):
        results = [path for path in inside if any((path / name).is_file() for name in _BESIDE)]
        what = f"has no results in it, but {results[0]} has" if results else "has no results in it"
        raise InputError(f"{folder} {what if any(folder.iterdir()) else 'is empty'}.", right)
    return found


def _unusable(folder: Path, record: Mapping[str, Any] | None) -> str:
    """Why a session can't be used; empty if it can."""
    if record is not None:
        schema = record.get("schema")
        return "" if schema == READS_SCHEMA else f"another version of vsa wrote it (schema {schema})"
    for name in (*_SESSIONS_OWN, "features.parquet"):
        if not (folder / name).is_file():
            return f"{name} is missing"
    try:
        held = json.loads((folder / "session.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return "session.json can't be read"
    if isinstance(held, dict) and (key := foreign(held)):
        return f"session.json is damaged, at {key}"
    return "it is not complete, or a table is cut off"
