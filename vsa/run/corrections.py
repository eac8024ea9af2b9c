"""Turns that a person corrected: what is kept of them in a session's folder, and when they still hold.

A correction names people as the person saw them, by role, or by id where there is none: ids go by the place on
screen, and may be given anew when a session is extracted afresh.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vsa.features.session import scope_names
from vsa.media.digest import sha256_of_file
from vsa.study.parquet import check_numbers, read_parquet, write_parquet
from vsa.study.turn_files import read_turns, rttm
from vsa.study.voice_table import read_voice, speaking_of
from vsa.voice.ipu import speech_stretches
from vsa.voice.turns import TURN, Turns, corrected_turns, find_turns
from vsa.voice.voice_track import OFF_CAMERA, UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

#: What the person gave, in one form whatever it was.
CORRECTED = "turns.corrected.rttm"
#: What `kept` reads of a session.
KEPT = ("session.json", CORRECTED)
#: What the note of a correction that is not used begins with.
NOT_USED = f"the corrected turns in {CORRECTED} are not used"

People = Sequence[Mapping[str, Any]]
#: Start and end of stretches of time, s, (n, 2).
Spans = npt.NDArray[np.float64]
_NONE: Spans = np.empty((0, 2))


@dataclass(frozen=True, eq=False)
class Correction:
    """Turns as a person gave them.

    Attributes
    ----------
    table
        `participant` (role, or id where there is none), `start`, `end` (s, on the session's time), `kind`.
    file, sha256, date
        Name and fingerprint of the file they came in, and when (ISO 8601).
    people
        The participants of the session for which it was made, named as in `table`; empty if that is not known.
    recording
        The sha256 of its recording; None if that is not known.
    """

    table: pd.DataFrame
    file: str
    sha256: str
    date: str
    people: tuple[str, ...] = ()
    recording: str | None = None

    def misfit(self, participants: People, recording: str | None = None) -> str:
        """Why it is no correction of this session; empty if it is one.

        Parameters
        ----------
        participants
            Of ``session.json``: `id` and `role`.
        recording
            The sha256 of the session's recording; None if it is not known.
        """
        names = scope_names(participants)
        if self.recording and recording and self.recording != recording:
            return "it was made for another recording"
        strange = sorted({*self.table["participant"]} - {*names, OFF_CAMERA})
        if strange or (self.people and {*self.people} != {*names}):
            made_for = ", ".join(self.people or strange)
            return f"it was made for {made_for}, and the participants are {', '.join(names) or 'not known'}"
        return ""

    def fits(self, participants: People, recording: str | None = None) -> bool:
        """Whether it is a correction of this session; see `misfit`."""
        return not self.misfit(participants, recording)

    def apply(self, participants: People, speech: pd.DataFrame) -> Turns:
        """Work out the turns.

        Parameters
        ----------
        participants
            Of ``session.json``; the correction must fit them.
        speech
            What was found, as `speech_in` gives it: where pauses are within the turns.
        """
        ids = dict(zip(scope_names(participants), _ids(participants), strict=True))
        own = self.table.assign(participant=[ids.get(who, who) for who in self.table["participant"]])
        return corrected_turns(own, _heard(own, speech), participants=_ids(participants))

    def write(self, folder: Path, session_id: str) -> None:
        """Put it into a session's folder, or one that is to become it."""
        (folder / CORRECTED).write_text(rttm(self.table, session_id), "utf-8")

    def record(self) -> dict[str, Any]:
        """For `sound.turns` of ``session.json``."""
        return {"from": "corrected", **self._origin()}

    def set_aside(self, why: str) -> dict[str, Any]:
        """For the same place where it doesn't fit: it is kept, and not used."""
        return {"from": "found", "set_aside": {"why": why, **self._origin()}}

    def _origin(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "sha256": self.sha256,
            "date": self.date,
            "participants": list(self.people),
            "recording": self.recording,
        }


@dataclass(frozen=True, eq=False)
class Settled:
    """The turns that hold for a session.

    Attributes
    ----------
    turns
        Corrected ones where there is a correction that fits, else those that are found in the speech.
    record
        `sound.turns` of ``session.json``.
    correction
        The person's, if there is one, also if it doesn't fit.
    note
        For people: why it is not used; empty else.
    """

    turns: Turns
    record: dict[str, Any]
    correction: Correction | None = None
    note: str = ""

    def write(self, folder: Path, session_id: str) -> None:
        """Write ``turns.parquet``, ``turns.rttm``, and the correction beside them."""
        table = self.turns.table
        write_parquet(table, folder / "turns.parquet")
        (folder / "turns.rttm").write_text(rttm(table, session_id), "utf-8")
        if self.correction is None:
            (folder / CORRECTED).unlink(missing_ok=True)
        else:
            self.correction.write(folder, session_id)


def settle(
    correction: Correction | None, participants: People, speech: pd.DataFrame, recording: str | None = None
) -> Settled:
    """Choose between found and corrected turns.

    Parameters
    ----------
    correction
        What `kept` found, or a new one.
    participants, recording
        As in `Correction.misfit`.
    speech
        As in `Correction.apply`.
    """
    if correction is None:
        return Settled(found_turns(participants, speech), {"from": "found"})
    if why := correction.misfit(participants, recording):
        found = found_turns(participants, speech)
        return Settled(found, correction.set_aside(why), correction, f"{NOT_USED}: {why}")
    return Settled(correction.apply(participants, speech), correction.record(), correction)


def kept(folder: Path) -> Correction | None:
    """The correction that a session's folder holds; None if there is none. The rest of the folder may be damaged.

    Raises
    ------
    InputError
        When it is there and can't be read: a person's work is not passed over.
    """
    path = folder / CORRECTED
    if not path.is_file():
        return None
    origin: dict[str, Any] = {}
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        said = json.loads((folder / "session.json").read_text("utf-8"))["sound"]["turns"]
        origin = dict(said.get("set_aside", said))
    return Correction(
        read_turns(path),
        str(origin.get("file") or CORRECTED),
        str(origin.get("sha256") or sha256_of_file(path)),
        str(origin.get("date") or _date(datetime.fromtimestamp(path.stat().st_mtime, UTC))),
        tuple(map(str, origin.get("participants") or ())),
        origin.get("recording"),
    )


def corrected(table: pd.DataFrame, file: Path, participants: People, recording: str | None) -> Correction:
    """A correction that a person gives now; its parts are those of `Correction`, `file` is the file itself."""
    today = _date(datetime.now(UTC))
    names = tuple(scope_names(participants))
    return Correction(table, file.name, sha256_of_file(file), today, names, recording)


def turns_in(folder: Path, described: Mapping[str, Any]) -> Turns:
    """The turns of a session's folder with all that follows from them: pauses, gaps, overlaps, interruptions.

    Parameters
    ----------
    folder
        With ``voice.parquet`` and ``turns.parquet``.
    described
        Its ``session.json``.
    """
    speech = speech_in(folder)
    participants: People = described["participants"]
    if described["sound"]["turns"]["from"] == "found":
        return found_turns(participants, speech)
    table = read_parquet(folder / "turns.parquet")
    check_numbers(table, folder / "turns.parquet", ("participant", "kind"))
    return corrected_turns(table, _heard(table, speech), participants=_ids(participants))


def speech_in(folder: Path) -> pd.DataFrame:
    """Stretches of speech in ``voice.parquet``: `participant`, `start`, `end` (s); those of `UNKNOWN` too."""
    start_s, speaking = speaking_of(read_voice(folder / "voice.parquet"))
    return speech_stretches(speaking, start_s=start_s)


def found_turns(participants: People, speech: pd.DataFrame) -> Turns:
    """Turns as they are found in speech of which it is known whose it is."""
    return find_turns(speech[speech["participant"] != UNKNOWN], participants=_ids(participants))


def _heard(table: pd.DataFrame, speech: pd.DataFrame) -> pd.DataFrame:
    """Speech that was found, with the turns that a person gave to somebody else than was found.

    Speech outside of all that its speaker has in `table` is nobody's. Where there is more of it in a turn than of the
    turn's own speaker, it is theirs: it tells where the pauses are.
    """
    import pandas as pd

    said = {str(who): _spans(rows) for who, rows in speech.groupby("participant")}
    rows = {str(who): _spans(own) for who, own in table.groupby("participant")}
    loose = [_outside(spans, rows.get(who, _NONE)) for who, spans in said.items()]
    lent = [speech]
    for turn in table[table["kind"] == TURN].itertuples(index=False):
        own = _within(said.get(turn.participant, _NONE), turn.start, turn.end)
        found = np.concatenate([_NONE, *(_within(spans, turn.start, turn.end) for spans in loose)])
        if np.diff(found).sum() > np.diff(own).sum():
            start, end = found.T
            lent.append(pd.DataFrame({"participant": turn.participant, "start": start, "end": end}))
    return pd.concat(lent, ignore_index=True)


def _spans(rows: pd.DataFrame) -> Spans:
    return np.asarray(rows[["start", "end"]].sort_values("start"), np.float64)


def _outside(spans: Spans, rows: Spans) -> Spans:
    """Spans without what lies in `rows`; both in order of time."""
    between = zip([-np.inf, *rows[:, 1]], [*rows[:, 0], np.inf], strict=True)
    return np.concatenate([_within(spans, start, end) for start, end in between])


def _within(spans: Spans, start: float, end: float) -> Spans:
    """Spans, in order of time, cut to what lies between two times."""
    first, last = np.searchsorted(spans[:, 1], start, "right"), np.searchsorted(spans[:, 0], end)
    return spans[first:last].clip(start, end)


def _ids(participants: People) -> list[str]:
    return [str(person["id"]) for person in participants]


def _date(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
