"""Turns as files for the tools that people check them with by hand: RTTM, Praat's TextGrid, ELAN's .eaf.

What is written and read is a table with `participant`, `start`, `end` (s) and `kind` (``turn`` or ``backchannel``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vsa.errors import InputError
from vsa.study.cells import shown
from vsa.study.elan import read_eaf, write_eaf
from vsa.study.textgrid import read_textgrid, write_textgrid
from vsa.study.tiers import KINDS, content, fault, from_tiers, number, save, seconds, to_tiers, turn_table

if TYPE_CHECKING:
    import pandas as pd

#: Ends of names of files with turns.
SUFFIXES = (".rttm", ".textgrid", ".eaf")
#: What an RTTM file may have lines of beside SPEAKER (NIST, Rich Transcription 2009).
_OTHER_LINES = {
    "SEGMENT",
    "NOSCORE",
    "NO_RT_METADATA",
    "LEXEME",
    "NON-LEX",
    "NON-SPEECH",
    "FILLER",
    "EDIT",
    "SU",
    "IP",
    "CB",
    "A/P",
    "SPKR-INFO",
}


def write_turns(
    path: Path,
    table: pd.DataFrame,
    *,
    participants: Iterable[str] = (),
    recording: str = "",
    duration_s: float | None = None,
    media: str = "",
) -> None:
    """Write turns in the format that the name ends with: ``.rttm``, ``.TextGrid`` or ``.eaf``.

    Parameters
    ----------
    path
        The file; it is complete or not there.
    table
        `participant`, `start`, `end` (s), `kind`.
    participants
        Those who get tiers also when they said nothing, and the order of tiers.
    recording
        RTTM: name of the recording in each line, without blanks; the file's own if it is not given.
    duration_s
        TextGrid: length of the recording.
    media
        ELAN: name of the recording, which ELAN looks for beside the file.

    Raises
    ------
    InputError
        When a name or row can't stand in a file, the ending is another, or the file can't be written.
    """
    kind = _format(path)
    tiers = to_tiers(table, participants)
    if kind == ".rttm":
        save(path, rttm(table, recording or path.stem))
    elif not tiers:
        raise InputError(f"{path} would have no tiers: there are no participants.", "Name the participants.")
    elif kind == ".eaf":
        save(path, write_eaf(tiers, media))
    else:
        save(path, write_textgrid(tiers, duration_s))


def read_turns(
    path: Path, *, participants: Collection[str] = (), others: Collection[str] = (), recording: str = ""
) -> pd.DataFrame:
    """Read turns from RTTM, a TextGrid (long or short text) or ELAN's .eaf, as a person may have corrected them.

    Parameters
    ----------
    path
        The file.
    participants
        The session's: each must have a tier then. See `vsa.study.tiers.from_tiers` for how tiers are named.
    others
        Who may have one too. Nobody else may, if `participants` are given.
    recording
        RTTM: which recording, if the file has several.

    Returns
    -------
    `participant`, `start`, `end` (s), `kind`, in order of time; what doesn't last is left out.

    Raises
    ------
    InputError
        When the file can't be read; names the line and says what to do.
    """
    kind = _format(path)
    if kind == ".rttm":
        return _read_rttm(path, participants, others, recording)
    return from_tiers(path, read_eaf(path) if kind == ".eaf" else read_textgrid(path), participants, others)


def _format(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise InputError(
            f"{path} is none of the files of turns that vsa knows.",
            "Use a name that ends in .rttm, .TextGrid or .eaf.",
        )
    return kind


def rttm(table: pd.DataFrame, recording: str) -> str:
    """The text of an RTTM file: a line for each row.

    The subtype, which has no use for speakers, says what is a backchannel.

    Parameters
    ----------
    table
        `participant`, `start`, `end` (s), `kind`.
    recording
        Its name in each line.

    Raises
    ------
    InputError
        When a participant's name has blanks.
    """
    name = "_".join(recording.split()) or "recording"
    lines = []
    for row in table.sort_values(["start", "end", "participant"]).itertuples(index=False):
        who = str(row.participant)
        if len(who.split()) != 1:
            raise InputError(f"RTTM has no names with blanks, as '{shown(who)}'.", "Use a TextGrid, or .eaf.")
        subtype = row.kind if row.kind != KINDS[0] else "<NA>"
        times = f"{seconds(row.start)} {seconds(row.end - row.start)}"
        lines.append(f"SPEAKER {name} 1 {times} <NA> {subtype} {who} <NA> <NA>\n")
    return "".join(lines)


def _read_rttm(
    path: Path, participants: Collection[str], others: Collection[str], recording: str
) -> pd.DataFrame:
    try:
        text = content(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise fault(path, 0, "it is not UTF-8 text.", "Save it as UTF-8.") from None
    found: dict[str, list[tuple[str, float, float, str]]] = {}
    for line, said in enumerate(text.split("\n"), 1):
        words = said.split()
        if not words or words[0].startswith((";", "#")) or words[0] in _OTHER_LINES:
            continue
        if words[0] != "SPEAKER" or len(words) < 8:
            raise fault(
                path,
                line,
                f"'{shown(said.strip(), 60)}' is no line of RTTM.",
                "A line reads: SPEAKER recording 1 start duration <NA> <NA> participant <NA> <NA>",
            )
        start, lasts = number(path, line, words[3]), number(path, line, words[4])
        if lasts < 0:
            raise fault(
                path, line, f"the duration {words[4]} is negative.", "Give the duration, not the end."
            )
        who, kind = words[7], words[6].lower()
        rows = found.setdefault(words[1], [])
        if participants and who not in (*participants, *others) and recording in ("", words[1]):
            raise fault(
                path,
                line,
                f"'{shown(who, 40)}' is nobody in this session.",
                f"The participants are {', '.join(participants)}.",
            )
        if lasts > 0:
            rows.append((who, start, round(start + lasts, 6), kind if kind in KINDS else KINDS[0]))
    if recording and recording not in found and found:
        raise fault(
            path, 0, f"it has nothing of recording {shown(recording, 40)}.", f"It has {_some(found)}."
        )
    if not recording and len(found) > 1:
        raise fault(path, 0, f"it has {len(found)} recordings ({_some(found)}).", "Say which one.")
    return turn_table(
        path, found.get(recording, []) if recording else [r for rows in found.values() for r in rows]
    )


def _some(names: Iterable[str]) -> str:
    return ", ".join(shown(name, 40) for name in sorted(names)[:5])
