"""Turns out of a session's folder, to be corrected by hand, and back into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from vsa.errors import InputError
from vsa.features.session import scope_names
from vsa.run.corrections import CORRECTED, NOT_USED, Correction, corrected, settle, speech_in, turns_in
from vsa.run.session_features import write_features
from vsa.run.turn_check import check, shift_s
from vsa.study.consent import check_session
from vsa.study.face_table import read_face
from vsa.study.results import Results, write_json
from vsa.study.turn_files import read_turns, write_turns
from vsa.voice.ipu import frame, inter_pausal_units
from vsa.voice.turns import BACKCHANNEL, TURN, Turns
from vsa.voice.voice_track import OFF_CAMERA, UNKNOWN

#: Of a session's files, those that change with its turns.
_CHANGING = ("session.json", "turns.parquet", "turns.rttm", CORRECTED, "features.parquet")
#: Gives the correction to be used (None: none) for a ``session.json``.
_Given = Callable[[Mapping[str, Any]], Correction | None]


@dataclass(frozen=True)
class Spoken:
    """How one person takes part: number of turns and backchannels, and time spoken, s."""

    turns: int
    backchannels: int
    speech_s: float


@dataclass(frozen=True)
class Change:
    """What became of a session.

    Attributes
    ----------
    session_id
        The session.
    record
        `sound.turns` of its ``session.json`` now.
    before, after
        By name: the role, or the id where there is none.
    """

    session_id: str
    record: dict[str, Any]
    before: dict[str, Spoken]
    after: dict[str, Spoken]


def export_turns(session: Path, file: Path, *, replace: bool = False) -> dict[str, Spoken]:
    """Write a session's turns into a file for Praat (``.TextGrid``), ELAN (``.eaf``), or as ``.rttm``.

    Tiers are named after roles, or ids where there are none. If it is not known who speaks, the stretches of speech
    are in the tier ``turn@unknown``, to be moved to those who speak. Praat and ELAN count time from the recording's
    first sample or picture; RTTM has the session's time, as ``turns.rttm``.

    Parameters
    ----------
    session
        The folder of a finished session.
    file
        Where to; its ending says the format.
    replace
        Write over a file that is there.

    Returns
    -------
    What was written, by name.

    Raises
    ------
    InputError
        When there are no turns, nobody may use them, or the file can't or must not be written.
    """
    session = _own(session)
    described = _described(session)
    check_session(session)
    _check_place(session, file, replace)
    names, source = _names(described), described["source"]
    with _reading(session):
        turns = turns_in(session, described)
        table = turns.table if _speakers_known(described) else _speech_of_somebody(session)
    zero_s = shift_s(file, described)
    write_turns(
        file,
        table.assign(
            participant=[names.get(who, who) for who in table["participant"]],
            start=table["start"] - zero_s,
            end=table["end"] - zero_s,
        ),
        participants=list(names.values()),
        recording=session.name,
        duration_s=source["start_s"] + source["duration_s"] - zero_s,
        media=source["name"],
    )
    return spoken(turns, names)


def import_turns(session: Path, file: Path, *, empty: bool = False, recording: str = "") -> Change:
    """Take corrected turns into a session: what a person corrected wins from now on.

    Parameters
    ----------
    session
        The folder of a finished session.
    file
        As `export_turns` writes it and a person corrected it.
    empty
        Accept a file without turns.
    recording
        RTTM: which recording, if the file has several.

    Raises
    ------
    InputError
        When there is no such session, nobody may use it, or the file is not one of its corrections.
    SessionError
        Stage ``write``: the session could not be changed; it is as it was.
    """

    def given(described: Mapping[str, Any]) -> Correction:
        names = _names(described)
        if not names:
            raise InputError(
                f"Session {session.name} has no participants who could have turns.",
                "Name them in a manifest, with tile:<role> or audio:<role>, and extract the session again.",
            )
        table = check(file, _read(file, names, recording), described, empty=empty)
        return corrected(table, file, described["participants"], described["source"]["sha256"])

    session = _own(session)
    return _revise(session, given)


def reset_turns(session: Path) -> Change:
    """Go back to the turns that were found; the correction is removed.

    Raises
    ------
    InputError
        When there is no such session, nobody may use it, or nothing was corrected.
    SessionError
        Stage ``write``: the session could not be changed; it is as it was.
    """

    def nothing(described: Mapping[str, Any]) -> None:
        if described["sound"]["turns"] == {"from": "found"} and not (session / CORRECTED).exists():
            raise InputError(f"The turns of session {session.name} were not corrected.", "They are as found.")

    session = _own(session)
    return _revise(session, nothing)


def spoken(turns: Turns, names: Mapping[str, str]) -> dict[str, Spoken]:
    """How everybody takes part, by name.

    Parameters
    ----------
    turns
        Of the session.
    names
        Id to name; who else has turns comes after these.
    """
    found = {}
    for who in dict.fromkeys([*names, *turns.participants]):
        kinds = turns.turns["kind"][turns.turns["participant"] == who]
        units = turns.units[turns.units["participant"] == who]
        found[names.get(who, who)] = Spoken(
            int((kinds == TURN).sum()),
            int((kinds == BACKCHANNEL).sum()),
            round(float((units["end"] - units["start"]).sum()), 3),
        )
    return found


def _revise(session: Path, given: _Given) -> Change:
    """Replace a session by one with other turns, and gather the features of all again."""
    results = Results(session.parent)
    _described(session)
    check_session(session)
    with results.revising(session.name, _CHANGING) as folder:
        described = _described(folder, session)
        names = _names(described)
        with _reading(session):
            before = spoken(turns_in(folder, described), names)
            read_face(folder / "face.parquet", ("t", "participant", "tracked"))
        recording = described["source"]["sha256"]
        settled = settle(given(described), described["participants"], speech_in(folder), recording)
        settled.write(folder, session.name)
        described["sound"]["turns"] = settled.record
        quality = described["quality"]
        quality["notes"] = [note for note in quality["notes"] if not note.startswith(NOT_USED)]
        quality["features_missing"] = write_features(folder, described)
        write_json(folder / "session.json", described)
    results.gather_features()
    return Change(session.name, settled.record, before, spoken(settled.turns, names))


def _own(session: Path) -> Path:
    """Where a session's folder is; not that of a link, which is another's and not to be changed."""
    if session.is_symlink():
        raise InputError(
            f"{session} is a link, and no session of {session.parent}.",
            f"Links are not followed. Give the folder itself: {session.resolve()}",
        )
    return session.resolve()


def _described(folder: Path, session: Path | None = None) -> dict[str, Any]:
    """The ``session.json`` of a finished session that has sound; `session` is where it belongs, for messages."""
    session = session or folder
    results = Results(folder.parent)
    if not folder.exists() and any(folder.parent.glob(f".{folder.name}.*.old.part")):
        results.prepare()  # a run that was killed while it put a session in place: it is put back
    described = results.finished(folder.name)
    if described is None or "sound" not in described:
        inside = Results(session).sessions()[:1] if session.is_dir() else []
        if inside:
            raise InputError(
                f"{session} is a results folder.", f"Give one of its sessions, as {session / inside[0]}."
            )
        if (session / "session.json").is_file():
            raise _damaged(session)
        raise InputError(f"{session} is no session.", "Give the folder of one session, DIR/<session_id>.")
    if described["sound"]["kind"] == "none":
        raise InputError(
            f"Session {session.name} has no sound, and no turns.",
            "Where a person's sound is apart, name it in a manifest as audio:<role> and extract the session again.",
        )
    return described


@contextmanager
def _reading(session: Path) -> Iterator[None]:
    """A table that can't be read is the session's fault."""
    try:
        yield
    except (OSError, ValueError, KeyError):
        raise _damaged(session) from None


def _damaged(session: Path) -> InputError:
    return InputError(
        f"Session {session} is damaged, or an earlier vsa made it.", "Extract it again with 'vsa extract'."
    )


def _names(described: Mapping[str, Any]) -> dict[str, str]:
    """Id to the name that people know: the role, or the id where there is none."""
    people = described["participants"]
    return {str(p["id"]): name for p, name in zip(people, scope_names(people), strict=True)}


def _speakers_known(described: Mapping[str, Any]) -> bool:
    sound = described["sound"]
    return sound["turns"]["from"] != "found" or all(v["participant"] != UNKNOWN for v in sound["voices"])


def _speech_of_somebody(session: Path) -> pd.DataFrame:
    """What was said, as turns of nobody known."""
    return frame(inter_pausal_units(speech_in(session))).assign(kind=TURN)


def _read(file: Path, names: Mapping[str, str], recording: str) -> pd.DataFrame:
    """By the names that people know, or by ids, as ``turns.rttm`` has them."""
    others = (OFF_CAMERA, UNKNOWN)
    try:
        return read_turns(file, participants=list(names.values()), others=others, recording=recording)
    except InputError:
        with suppress(InputError):
            table = read_turns(file, participants=list(names), others=others, recording=recording)
            return table.assign(participant=[names.get(who, who) for who in table["participant"]])
        raise


def _check_place(session: Path, file: Path, replace: bool) -> None:
    if file.resolve().is_relative_to(session):
        raise InputError(
            f"{file} would lie in the session's folder, which holds results alone.",
            "Give a place beside the recording.",
        )
    if file.exists() and not replace:
        raise InputError(
            f"{file} is there already, and may hold corrections.",
            "Give another name, or --force to replace it.",
        )
