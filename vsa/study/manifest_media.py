"""The recordings that a manifest names: whether they are there, and whose they are."""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from vsa.study.addresses import Address, Place, fault_of, place_of
from vsa.study.cells import shown
from vsa.study.manifest_row import ManifestRow
from vsa.study.plan import TileHint

#: Addresses are looked for at once, and not for longer than this, s.
_AT_ONCE, _PATIENCE_S = 16, 20.0
_ALIKE = 0.85


def media_columns(row: ManifestRow) -> dict[str, str]:
    """Columns of recordings and sound files to what they hold."""
    named = (("video", row.video), ("audio", row.audio))
    return {f"{kind}:{role}".rstrip(":"): value for kind, cells in named for role, value in cells.items()}


def layout_faults(row: ManifestRow, video_columns: bool) -> Iterator[tuple[str, str]]:
    """What is wrong with a row whatever lies on the disk: columns and texts."""
    if not row.video and video_columns:
        yield "video", "there is no recording; give its path, or remove the row"
    if "" in row.video and len(row.video) > 1:
        yield "video", "give either one recording of the call or one per participant, not both"
    own = {*row.video} - {""}
    taken: dict[TileHint, str] = {}
    for role, hint in row.tile.items():
        column = f"tile:{role}"
        if own and role not in own:
            yield column, f"there is no video:{role} in which it could be"
        elif not own and taken.setdefault(hint, column) != column:
            yield column, f"'{_said(hint)}' is {taken[hint]} already; give each their own"


def addresses_of(row: ManifestRow, folder: Place) -> list[Address]:
    """The recordings and sound files of a row that are no files of this machine."""
    places = (place_of(value, folder) for value in media_columns(row).values())
    return [one for one in places if isinstance(one, Address)]


def missing_faults(
    row: ManifestRow, folder: Place, addresses: Mapping[Address, str]
) -> Iterator[tuple[str, str]]:
    """What is wrong with the recordings of a row: columns and texts. Nothing is opened.

    Parameters
    ----------
    row, folder
        The row, and where its paths begin.
    addresses
        What `look_up` found of them.
    """
    first: dict[tuple[str, Place], str] = {}
    for column, value in media_columns(row).items():
        place = place_of(value, folder)
        if isinstance(place, Address):
            value, fault = str(place), addresses.get(place, "")  # without passwords
        else:
            fault = _file_fault(value, place, folder)
        if fault:
            yield column, f"'{shown(value)}' {fault}"
        elif (taken := first.setdefault((column.partition(":")[0], place), column)) != column:
            yield column, f"'{shown(value)}' is {taken} already; one recording each"


def look_up(addresses: Iterable[Address]) -> dict[Address, str]:
    """Look whether recordings lie at addresses: address to what is wrong with it; those that are right are not there.

    One that was not looked at before the time is over counts as right: opening it says what is wrong.
    """
    left = list(dict.fromkeys(addresses))[::-1]
    found: dict[Address, str] = {}
    begun: dict[Address, None] = {}
    end_s = time.monotonic() + _PATIENCE_S

    def work() -> None:
        while left and time.monotonic() < end_s:
            try:
                address = left.pop()
            except IndexError:  # another was faster
                return
            begun[address] = None
            try:
                found[address] = fault_of(address)
            except Exception:  # of a text that only begins as an address does
                found[address] = "is no address that can be read. Fix it, or remove the row."

    # daemons: a store that never answers must not keep the command from ending
    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(_AT_ONCE, len(left)))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(max(0.0, end_s - time.monotonic()))
    told = {address: fault for address, fault in dict(found).items() if fault}
    late = [address for address in dict(begun) if address not in found]
    return told | dict.fromkeys(
        late, f"did not answer within {_PATIENCE_S:.0f} s. Check the network, or copy it to this machine."
    )


def _file_fault(value: str, path: Path, folder: Place) -> str:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        meant = f"; is it '{shown(alike)}'?" if (alike := _alike(value, path)) else "."
        return f"does not exist (looked in {folder}){meant} Fix the path, or remove the row."
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        return f"can't be read ({why}). Fix the path or its permissions."
    if stat.S_ISDIR(mode):
        return "is a folder. Give the recording in it."
    return "" if stat.S_ISREG(mode) else "is no file. Give the recording itself."


def _alike(value: str, path: Path) -> str:
    """A file that may be meant by a path that leads nowhere."""
    slashed = path.parent / path.name.replace("\\", "/")
    try:
        if slashed != path and slashed.is_file():
            return value.replace("\\", "/")
        inside = [one.name for one in path.parent.iterdir() if one.is_file()]
        same = [name for name in inside if name.casefold() == path.name.casefold()]
        found = same or get_close_matches(path.name, inside, 1, _ALIKE)
        return str(Path(value).with_name(found[0])) if found else ""
    except (OSError, ValueError):
        return ""


def _said(hint: TileHint) -> str:
    return ",".join(map(str, hint)) if isinstance(hint, tuple) else str(hint)
