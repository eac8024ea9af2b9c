"""The structure of a conversation as tables; `vsa.voice.turns` defines what they hold and finds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: Of ``turns.parquet``.
COLUMNS = ("participant", "start", "end", "kind")

#: Columns that name people.
_WHO = ("participant", "previous", "before", "after", "interrupted")
#: Tables of what goes on for a time, and may be cut.
_LASTING = ("units", "silences", "overlaps", "alone")


@dataclass(frozen=True, eq=False)
class Turns:
    """The structure of a conversation; times in s on the session's clock, every table in order of time.

    Attributes
    ----------
    participants
        Everybody who could have spoken, also those who said nothing.
    units
        Inter-pausal units: `participant`, `start`, `end`, `kind` (``turn``: part of one; ``backchannel``).
    turns
        `participant`, `start`, `end`, `kind` (``turn``, ``backchannel``), `floor`: whether it had the floor.
    transfers
        Of the floor between speakers: `participant` (who takes it), `previous`, `start` (of the new turn), `offset` (s:
        above 0 a gap, below 0 an overlap).
    silences
        Of everybody: `start`, `end`, `kind` (``pause``, ``gap``, ``open``), `before`, `after`: who has the floor then.
    overlaps
        `start`, `end`, `kind` (``within``, ``between``, ``open``), `before`, `after`.
    alone
        Where one is heard alone, backchannels included: `participant`, `start`, `end`. With silences and overlaps
        these fill the time from the first word to the last.
    interruptions
        `participant` (who interrupts), `interrupted`, `start`, `end` (of the overlap), `taken`: whether it took the
        floor.
    """

    participants: tuple[str, ...]
    units: pd.DataFrame
    turns: pd.DataFrame
    transfers: pd.DataFrame
    silences: pd.DataFrame
    overlaps: pd.DataFrame
    alone: pd.DataFrame
    interruptions: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """What goes into ``turns.parquet`` and ``turns.rttm``: `COLUMNS`."""
        return self.turns[list(COLUMNS)].copy()

    def renamed(self, names: Mapping[str, str]) -> Turns:
        """The same with other names for people; who is not in `names` keeps theirs."""
        tables = {
            name: table.assign(
                **{who: [names.get(one, one) for one in table[who]] for who in _WHO if who in table}
            )
            for name, table in self._tables()
        }
        return Turns(tuple(names.get(one, one) for one in self.participants), **tables)

    def between(self, start_s: float, end_s: float) -> Turns:
        """What belongs to a part of the session.

        Turns, transfers and interruptions belong to where they start, with their whole length; units, silences,
        overlaps and what is spoken alone are cut.
        """
        tables = {}
        for name, table in self._tables():
            if name in _LASTING:
                inside = table[(table["end"] > start_s) & (table["start"] < end_s)]
                table = inside.assign(
                    start=inside["start"].clip(start_s), end=inside["end"].clip(upper=end_s)
                )
            else:
                table = table[(table["start"] >= start_s) & (table["start"] < end_s)]
            tables[name] = table.reset_index(drop=True)
        return Turns(self.participants, **tables)

    def _tables(self) -> Iterator[tuple[str, pd.DataFrame]]:
        for one in fields(self)[1:]:
            yield one.name, getattr(self, one.name)
