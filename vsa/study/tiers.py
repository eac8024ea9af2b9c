"""What the files of turns have in common: tiers with marks, how tiers are named, faults with their line.

A participant has two tiers, ``turn@client`` and ``backchannel@client``, after ELAN's habit of naming tiers
``type@speaker``.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vsa.errors import InputError
from vsa.study.cells import shown

if TYPE_CHECKING:
    import pandas as pd

#: Of a table of turns.
COLUMNS = ("participant", "start", "end", "kind")
#: What a row of it can be.
KINDS = ("turn", "backchannel")
#: A file of turns takes a few hundred kilobytes; a larger one than this is something else.
_LARGEST = 64 * 2**20
#: The longest time that a recording can have, s: 11 days.
_LATEST_S = 1e6
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class Mark:
    """A stretch of time (s) with a label; `line` is where the file has it."""

    start: float
    end: float
    label: str = ""
    line: int = 0


@dataclass
class Tier:
    """A named row of marks; `kind` and `participant` where the file gives them apart from the name."""

    name: str
    marks: list[Mark] = field(default_factory=list)
    kind: str = ""
    participant: str = ""
    line: int = 0

    def reads(self) -> tuple[str, str]:
        """Its kind and participant; no kind if nothing says that it holds turns."""
        kind, at, who = self.name.strip().partition("@")
        if at and kind.strip().lower() in KINDS and who.strip():
            return kind.strip().lower(), who.strip()
        if self.kind.strip().lower() in KINDS and self.participant.strip():
            return self.kind.strip().lower(), self.participant.strip()
        return "", self.name.strip()


def fault(path: Path, line: int, what: str, remedy: str = "") -> InputError:
    """An error that names the file, and the line if there is one."""
    return InputError(f"{path}, line {line}: {what}" if line else f"{path}: {what}", remedy)


def number(path: Path, line: int, text: str, unit_s: float = 1.0) -> float:
    """A time in s, or the fault that it is none; it is written in units of `unit_s`."""
    value = float(text) * unit_s if len(text) < 64 and _NUMBER.fullmatch(text) else math.nan
    if not abs(value) <= _LATEST_S:
        raise fault(path, line, f"'{shown(text, 40)}' is no time in a recording.", "Give a number, as 12.34.")
    return value


def to_tiers(table: pd.DataFrame, participants: Iterable[str] = ()) -> list[Tier]:
    """Two tiers per participant: first those that are named, also if they have no rows, then the others of the table.

    Raises
    ------
    InputError
        When a participant's name can't stand in a file, a row has no time, or rows of a tier overlap.
    """
    names = dict.fromkeys([*map(str, participants), *sorted(map(str, table["participant"].unique()))])
    tiers = {
        (kind, who): Tier(f"{kind}@{who}", kind=kind, participant=who) for who in names for kind in KINDS
    }
    for who in names:
        if not who.strip() or who != who.strip() or not who.isprintable():
            raise InputError(f"A participant can't be called '{shown(who)}'.", "Use letters and digits.")
    for row in table.sort_values(["start", "end"]).itertuples(index=False):
        if row.kind not in KINDS or not row.start < row.end or not math.isfinite(row.end - row.start):
            raise InputError(
                f"'{shown(str(row.kind))}' of {row.participant} from {row.start} to {row.end} s is no turn.",
                "A row has a kind (turn or backchannel), and ends after it starts.",
            )
        marks = tiers[row.kind, str(row.participant)].marks
        if marks and row.start < marks[-1].end - 1e-6:
            raise InputError(
                f"Two rows of kind {row.kind} of {row.participant} overlap at {row.start:.3f} s.",
                "Join them, or end the first before the second starts.",
            )
        marks.append(Mark(float(row.start), float(row.end), row.kind))
    return list(tiers.values())


def from_tiers(
    path: Path, tiers: Sequence[Tier], participants: Collection[str] = (), others: Collection[str] = ()
) -> pd.DataFrame:
    """Make a table of turns of tiers.

    Parameters
    ----------
    path
        For messages.
    tiers
        If some are named ``kind@participant`` the others are not looked at: they hold notes. If none is, a tier
        holds the turns of whom it is named after. A mark that is labelled ``turn`` or ``backchannel`` is one, in
        whichever tier.
    participants
        Whom to expect. Each must have a tier.
    others
        Who may have one too, as an unseen third. Nobody else may, if `participants` are given.

    Raises
    ------
    InputError
        When no tier can be read as turns, one is missing, is somebody else's, or has a mark without a time.
    """
    known = {*participants, *others}
    read = [(*tier.reads(), tier) for tier in tiers]
    if any(kind for kind, _, _ in read):
        read = [one for one in read if one[0]]
    else:
        read = [("turn", who, tier) for _, who, tier in read if not participants or who in known]
    has = ", ".join(shown(tier.name, 40) for tier in tiers[:20]) or "none"
    wanted = ", ".join(f"turn@{who}" for who in participants) or "turn@client, turn@therapist"
    if not read:
        raise fault(path, 0, f"there is no tier of turns (its tiers: {has}).", f"Name them {wanted}.")
    for _, who, tier in read:
        if participants and who not in known:
            raise fault(
                path,
                tier.line,
                f"tier '{shown(tier.name, 40)}' is of nobody in this session.",
                f"The tiers are {wanted}.",
            )
    missing = [who for who in participants if who not in {who for kind, who, _ in read if kind == "turn"}]
    if missing:
        raise fault(
            path,
            0,
            f"there is no tier turn@{missing[0]} (its tiers: {has}).",
            "A participant who said nothing has an empty one.",
        )
    rows = []
    for kind, who, tier in read:
        for mark in tier.marks:
            if math.isnan(mark.end - mark.start):
                raise fault(
                    path,
                    mark.line,
                    f"an annotation in tier '{shown(tier.name, 40)}' has no time.",
                    "Give it one, or call the tier otherwise.",
                )
            said = mark.label.strip().lower()
            rows.append((who, mark.start, mark.end, said if said in KINDS else kind))
    return turn_table(path, rows)


def turn_table(path: Path, rows: Iterable[tuple[str, float, float, str]]) -> pd.DataFrame:
    """The table of turns, in order of time; ``attrs["source"]`` names the file."""
    import pandas as pd

    ordered = sorted(rows, key=lambda row: (row[1], row[2], row[0], row[3]))
    types = {"participant": "str", "start": "float64", "end": "float64", "kind": "str"}
    table = pd.DataFrame(
        {name: pd.Series([row[i] for row in ordered], dtype=types[name]) for i, name in enumerate(COLUMNS)}
    )
    table.attrs["source"] = path.name
    return table


def seconds(value: float) -> str:
    """A time as files have it: to the microsecond, without needless zeros."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def content(path: Path) -> bytes:
    """The bytes of a file that a person may have edited.

    Raises
    ------
    InputError
        When it can't be read, or is too large to be one.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise fault(path, 0, f"it is larger than {_LARGEST >> 20} MB.", "Files of turns are small.")
        return path.read_bytes()
    except OSError as error:
        raise fault(path, 0, f"it can't be read ({error.strerror or error}).", "Check the path.") from None


def save(path: Path, text: str) -> None:
    """Write a text file, complete or not at all.

    Raises
    ------
    InputError
        When it can't be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(text.encode("utf-8"))
        os.replace(part, path)
    except OSError as error:
        raise fault(
            path, 0, f"it can't be written ({error.strerror or error}).", "Give another place."
        ) from None
    finally:
        with suppress(OSError):
            part.unlink()
