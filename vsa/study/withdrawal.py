"""Who is to be withdrawn from a study, what of theirs lies where, and what the log says of earlier withdrawals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsa.errors import InputError
from vsa.study.addresses import Address, Place
from vsa.study.cells import shown
from vsa.study.folder import LOG, MANIFEST
from vsa.study.log import Entry, entries
from vsa.study.places import look, session_record
from vsa.study.rows import CSV, KINDS, PARQUET, Ids, Kind, id_columns, key, read_grid

COMMAND = "withdraw"


@dataclass(frozen=True)
class Facts:
    """One session and whose it is; an id that is not known is empty."""

    session: str
    client: str = ""
    therapist: str = ""

    def of(self, kind: Kind) -> str:
        """The id of a kind."""
        return {"session": self.session, "client": self.client, "therapist": self.therapist}[kind]


@dataclass(frozen=True)
class Subject:
    """Who, or which session, is withdrawn.

    Attributes
    ----------
    kind, id
        What the id is the id of, and the id.
    sessions
        Ids of the sessions that go.
    others
        Clients whose sessions go with a therapist, or therapists with a client: how many they are.
    since
        When it was withdrawn before, ISO 8601; empty if it was not.
    """

    kind: Kind
    id: str
    sessions: tuple[str, ...]
    others: int = 0
    since: str = ""

    @property
    def ids(self) -> Ids:
        """What rows and models are looked through for."""
        return (
            {"session": self.sessions}
            if self.kind == "session"
            else {
                "session": self.sessions,
                self.kind: (self.id,),
            }
        )

    def has(self, session: str) -> bool:
        """Whether a session is among theirs."""
        return key("session", session) in {key("session", one) for one in self.sessions}


def find(study: Path, name: str, kind: Kind | None = None) -> Subject:
    """Find whom an id means, from the manifest, the sessions, tables beside them, and the log.

    Raises
    ------
    InputError
        When nobody is called so, or it is more than one of session, client and therapist; or the manifest can't be
        read, or is a link.
    SessionError
        Stage ``read``, when the log can't be read.
    """
    if (study / MANIFEST).is_symlink():
        raise InputError(
            f"{study / MANIFEST} is a link: what it points to would keep what it says of them.",
            "Put the file itself into the study. Nothing was removed.",
        )
    known = [*_known(study)]
    logged = [entry for entry in withdrawals(study) if _asks_for(entry, name)]
    found = {
        one: [facts for facts in known if facts.of(one) and key(one, facts.of(one)) == key(one, name)]
        for one in KINDS
    }
    kinds = [one for one in KINDS if found[one] or any(entry.outcome["as"] == one for entry in logged)]
    if kind is not None:
        kinds = [one for one in kinds if one == kind]
    if not kinds:
        raise InputError(
            f"Nobody and no session is called '{shown(name)}' in {study}.", _there(known, name, kind)
        )
    if len(kinds) > 1:
        raise InputError(
            f"'{shown(name)}' is a {' and a '.join(kinds)} in {study}.",
            f"Say which is meant: --as {' or --as '.join(kinds)}.",
        )
    mine, (kind,) = found[kinds[0]], kinds
    before = [entry for entry in logged if entry.outcome["as"] == kind]
    sessions = {key("session", facts.session): facts.session for facts in mine if facts.session}
    for entry in before:
        sessions = {key("session", one): one for one in entry.ids} | sessions
    other: Kind = "therapist" if kind == "client" else "client"
    others = {facts.of(other) for facts in known if key("session", facts.session) in sessions} - {""}
    own = next((facts.of(kind) for facts in mine), name)
    return Subject(
        kind, own, tuple(sorted(sessions.values())), len(others), before[-1].time if before else ""
    )


def withdrawals(study: Path) -> list[Entry]:
    """Entries of the log with which a withdrawal began: `ids` are its sessions. Raises as `vsa.study.log.entries`."""
    return [
        entry
        for entry in entries(study)
        if entry.command == COMMAND
        and {"as", "person", "step"} <= set(entry.outcome)
        and entry.outcome["step"] == "begin"
    ]


def withdrawn(place: Place, sessions: Iterable[str]) -> list[str]:
    """Which of some sessions were withdrawn from a results folder; none at an address, which has no log.

    Raises
    ------
    SessionError
        Stage ``read``, when its log can't be read.
    """
    if isinstance(place, Address):
        return []
    gone = {key("session", one) for entry in withdrawals(place) for one in entry.ids}
    return [one for one in sessions if key("session", one) in gone]


def unfinished(study: Path) -> list[Entry]:
    """Of `withdrawals`, those of which the log does not say that they came to their end."""
    open_ = dict[tuple[str, str], Entry]()
    for entry in entries(study):
        if entry.command == COMMAND:
            who = str(entry.outcome.get("as")), str(entry.outcome.get("person"))
            if entry.outcome.get("step") == "begin":
                open_[who] = entry
            elif entry.outcome.get("step") == "end":
                open_.pop(who, None)
    return [*open_.values()]


def unreadable(path: Path, error: Exception) -> InputError:
    """The manifest can't be read: nobody knows then whose the sessions are."""
    why = getattr(error, "strerror", None) or str(error)
    return InputError(
        f"{path} can't be read ({why}).",
        "Mend it first: it says whose the sessions are. Nothing was removed.",
    )


def _asks_for(entry: Entry, name: str) -> bool:
    kind = next((one for one in KINDS if one == entry.outcome["as"]), None)
    return kind is not None and key(kind, str(entry.outcome["person"])) == key(kind, name)


def _known(study: Path) -> Iterator[Facts]:
    """Sessions and whose they are, from all that says so; the same one may come more than once."""
    places = look(study)
    for folder, names in places.sessions.items():
        said = session_record(folder).get("facts")
        facts = facts_of(said if isinstance(said, dict) else {})
        for name in names:
            yield Facts(name, facts.client, facts.therapist)
    for path in places.files:
        if path.suffix.lower() in CSV:
            try:
                grid = read_grid(path)
            except (OSError, ValueError) as error:
                if path == study / MANIFEST:
                    raise unreadable(path, error) from None
                continue  # listed by whoever takes rows out of it
            yield from (facts_of(record) for _, record in (grid.records() if grid else ()))
        elif path.suffix.lower() in PARQUET:
            yield from _facts_of_parquet(path)


def _facts_of_parquet(path: Path) -> Iterator[Facts]:
    import pyarrow.parquet as pq

    with (
        suppress(Exception),
        pq.ParquetFile(path) as file,
    ):  # a damaged one is listed by whoever takes rows out of it
        columns = [*id_columns(tuple(file.schema_arrow.names))]
        for row in file.read(columns=columns).to_pylist() if columns else ():
            yield facts_of({name: "" if value is None else str(value) for name, value in row.items()})


def facts_of(record: Mapping[str, Any]) -> Facts:
    """From a row, or the facts of ``session.json``."""
    ids = {
        kinds[0]: str(record[name] or "").strip()
        for name, kinds in id_columns(tuple(record)).items()
        if len(kinds) == 1
    }
    return Facts(ids.get("session", ""), ids.get("client", ""), ids.get("therapist", ""))


def _there(known: Sequence[Facts], name: str, kind: Kind | None) -> str:
    """What is in a study, without saying who."""
    counts = []
    for one in KINDS:
        names = {key(one, facts.of(one)) for facts in known if facts.of(one)}
        if any(other.casefold() == key(one, name).casefold() for other in names) and kind in (None, one):
            return f"There is a {one} whose id differs in capitals only: ids of people are compared exactly."
        counts.append(f"{len(names)} {one}{'s' * (len(names) != 1)}")
    asked = f" as a {kind}" if kind else ""
    return f"It holds {counts[0]}, {counts[1]} and {counts[2]}; {LOG} knows of no earlier withdrawal of it{asked}."
