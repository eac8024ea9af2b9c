"""Whether the study's log is as it was written: each entry holds the fingerprint of the one before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsa.study.log import NOTHING, Entry, lines, read, sha256

#: A line of the file with what stands in it, and the lines before it that are no entries.
_Line = tuple[int, bytes, Entry]


@dataclass(frozen=True)
class Chain:
    """What is known of a log.

    Attributes
    ----------
    entries
        That can be read, in their order in the file.
    faults
        What was changed, removed, put in or moved, by line of the file and number of the entry; empty if nothing was.
    notes
        What is odd, and explained: processes that were killed while they wrote.
    """

    entries: tuple[Entry, ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def last(self) -> str:
        """Fingerprint of the last entry: kept elsewhere, it shows later that the log was not cut off."""
        return self.entries[-1].sha256 if self.entries else NOTHING

    def holds(self, fingerprint: str) -> bool:
        """Whether an entry has a fingerprint, or one that begins so."""
        return any(entry.sha256.startswith(fingerprint.lower()) for entry in self.entries)


def verify(study: Path) -> Chain:
    """Check the whole log of a study folder; without one there are no entries and no faults.

    Raises
    ------
    SessionError
        Stage ``read``, when it can't be read.
    """
    log = read(study)
    faults, notes = list[str](), list[str]()
    found, strays = list[_Line](), list[tuple[int, bytes]]()
    for number, line, entry in lines(log):
        if entry is None:
            strays.append((number, line))
            continue
        _explain(strays, entry, number, faults, notes)
        strays = []
        found.append((number, line, entry))
    if strays:
        where = _where(strays)
        if len(strays) == 1 and not log.endswith(b"\n"):
            notes.append(
                f"{where}, the last, is torn: a process was killed while it wrote. The next entry notes it."
            )
        else:
            faults.append(f"{where}: no entry of the log.")
    faults += _faults(found)
    return Chain(tuple(entry for _, _, entry in found), tuple(faults), tuple(notes))


def _explain(
    strays: Sequence[tuple[int, bytes]], entry: Entry, number: int, faults: list[str], notes: list[str]
) -> None:
    """Say of lines that are no entries whether the entry after them knew of them."""
    if not strays:
        if entry.torn:
            faults.append(f"line {number} (entry {entry.number}) notes a torn line before it, which is gone.")
    elif entry.torn == sha256(b"\n".join(line for _, line in strays)):
        notes.append(f"{_where(strays)}: torn, as entry {entry.number} after it noted.")
    else:
        faults.append(f"{_where(strays)}: no entry of the log, and the entry after it knows nothing of it.")


def _where(strays: Sequence[tuple[int, bytes]]) -> str:
    first, last = strays[0][0], strays[-1][0]
    return f"line {first}" if first == last else f"lines {first}-{last}"


def _faults(found: Sequence[_Line]) -> list[str]:
    """What is wrong with entries and their order."""
    faults = []
    count = Counter(entry.number for _, _, entry in found)
    genuine = _genuine(found)
    before, highest = 0, 0
    for number, line, entry in found:
        where = f"line {number} (entry {entry.number})"
        if entry.fingerprint() != entry.sha256 or line != entry.line():
            faults.append(f"{where} was changed: its content is not that of its fingerprint.")
        if count[entry.number] > 1 and genuine[entry.number] is not entry:
            faults.append(f"{where} was put in: there is another entry {entry.number}.")
            continue
        if entry.number < highest:
            faults.append(f"{where} was moved: it stands after entry {before}.")
        if missing := [n for n in range(highest + 1, entry.number) if n not in count]:
            which = (
                f"entry {missing[0]} is" if len(missing) == 1 else f"entries {missing[0]}-{missing[-1]} are"
            )
            faults.append(f"{which} missing before line {number}: removed.")
        elif entry.previous != _previous(entry.number, genuine):
            faults.append(f"{where} does not go on from entry {entry.number - 1}: one of them was replaced.")
        before, highest = entry.number, max(highest, entry.number)
    return faults


def _genuine(found: Sequence[_Line]) -> Mapping[int, Entry]:
    """Of entries with one number, the one that the next goes on from; else the first."""
    cited = {(entry.number - 1, entry.previous) for _, _, entry in found}
    chosen: dict[int, Entry] = {}
    for _, _, entry in found:
        if entry.number not in chosen or (
            (entry.number, entry.sha256) in cited and (entry.number, chosen[entry.number].sha256) not in cited
        ):
            chosen[entry.number] = entry
    return chosen


def _previous(number: int, genuine: Mapping[int, Entry]) -> str:
    """What an entry must have for the fingerprint of the one before."""
    return genuine[number - 1].sha256 if number - 1 in genuine else NOTHING
