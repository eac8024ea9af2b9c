"""The manifest's columns: which are missing, which mean nothing, and which look like misspelt ones."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from vsa.study.cells import shown
from vsa.study.consent import ALL
from vsa.study.manifest_row import KNOWN
from vsa.study.manifest_table import Fault, Table

#: Columns that speak of one participant: ``video:client``.
BY_ROLE = ("video", "audio", "tile", "consent")
#: The roles that features of pairs look for.
_USUAL_ROLES = ("client", "therapist")
#: What else people call participants; only to see what a column such as ``patient_video`` means.
_OTHER_ROLES = ("patient", "counsellor", "counselor", "observer")
#: A role begins the names of features.
_ROLE = re.compile(r"[A-Za-z][\w-]*")
#: Names that features, voices and consent give to somebody else.
_NO_ROLE = re.compile(rf"dyad|off_camera|unknown|{ALL}|p\d+", re.IGNORECASE)
#: What else the columns are called that every manifest needs.
_ALSO_CALLED: Mapping[str, tuple[str, ...]] = {
    "session_id": ("session", "id", "sessionname"),
    "video": ("file", "filename", "path", "filepath", "recording", "media", "videofile", "videopath"),
    "consent": ("consented", "consentgiven", "informedconsent", "permission", "agreed"),
}
#: How alike two names are from which on one is taken for the other misspelt; with a missing one, and without.
_ALIKE, _ALIKE_IF_MISSING = 0.85, 0.7
#: Below so many letters a changed one makes another word (rate, rater): only letters that changed places count.
_SHORT = 6
#: So many columns without a meaning are compared with those that have one; in wider tables they are covariates.
_COMPARED = 200


def columns(names: Iterable[str], kind: str) -> list[str]:
    """Columns of a kind, with and without a role."""
    return [name for name in names if name.partition(":")[0] == kind]


def roles_of(header: Sequence[str]) -> dict[str, str]:
    """Roles that the columns name, each with the first column that does."""
    found = dict[str, str]()
    for name in header:
        kind, _, role = name.partition(":")
        if kind in BY_ROLE and role:
            found.setdefault(role, name)
    return found


def header_faults(table: Table) -> Iterator[Fault]:
    """What is wrong with the header of a manifest."""
    top, header = table.top, table.header
    renamed = {name: other for name in _ALSO_CALLED if (other := _instead_of(name, header))}
    yield from _missing(table, renamed)
    for name in sorted(name for name, count in Counter(header).items() if name and count > 1):
        yield Fault(top, name, "there are two columns of that name; rename or remove one")
    roles = roles_of(header)
    known = {*KNOWN, *renamed.values()}
    compared = itertools.count()
    for name in dict.fromkeys(header):
        kind, colon, role = name.partition(":")
        if name in ("tile", "audio") or (kind in BY_ROLE and colon and not role):
            yield Fault(top, name, f"name the participant: {kind}:<role>, as {kind}:client")
        elif kind in BY_ROLE and role:
            yield from _role_faults(top, name, role, roles)
        elif not name or name in known or next(compared) >= _COMPARED:
            continue
        elif meant := _meant(name, header, roles):
            yield Fault(top, name, f"is it {meant}? Rename it; if it is something else, give it another name")
    if columns(header, "consent") and "consent" not in header:
        for role, name in roles.items():
            if f"consent:{role}" not in header:
                yield Fault(
                    top, f"consent:{role}", f"the column is missing, and {shown(name)} is there; add it"
                )


def _missing(table: Table, renamed: Mapping[str, str]) -> Iterator[Fault]:
    remedies = {
        "session_id": "give each session a name of its own",
        "video": "give video, or video:<role> for each participant",
        "consent": "sessions are processed where it says yes",
    }
    for name, remedy in remedies.items():
        if columns(table.header, name):
            continue
        if name in renamed:
            remedy = f"rename {shown(renamed[name])}"
        elif table.commented:
            remedy = f"row {table.commented[0]} begins with #, so it is a comment; if it is the header, remove the #"
        yield Fault(table.top, name, f"the column is missing; {remedy}")


def _instead_of(name: str, header: Sequence[str]) -> str:
    """The column that stands where one is missing that every manifest needs; empty if none does, or none is missing.

    One that has a meaning of its own does not.
    """
    if columns(header, name):
        return ""
    for other in header:
        bare, wanted = _bare(other), _bare(name)
        if not bare or other in KNOWN or other.partition(":")[0] in BY_ROLE:
            continue
        if bare == wanted or bare in _ALSO_CALLED[name] or _alike(bare, wanted) >= _ALIKE_IF_MISSING:
            return other
    return ""


def _role_faults(top: int, name: str, role: str, roles: Mapping[str, str]) -> Iterator[Fault]:
    if roles[role] != name:
        return  # said of the first of its columns
    if not _ROLE.fullmatch(role) or _NO_ROLE.fullmatch(role):
        yield Fault(
            top,
            name,
            f"'{shown(role)}' can't be a role: begin with a letter, go on with letters, digits, _ or -; "
            f"dyad, off_camera, unknown, {ALL}, p1, p2, … are taken",
        )
    elif role not in _USUAL_ROLES and (meant := _usual_role(role)):
        yield Fault(top, name, f"is '{shown(role)}' the {meant}? Write {meant} in the names of all columns")


def _usual_role(role: str) -> str:
    bare = _bare(role)
    for usual in _USUAL_ROLES:
        another = usual in bare and len(bare) > len(usual) + 1  # a co-therapist
        if _alike(bare, usual) >= _ALIKE and not another and not role[-1].isdigit():  # nor a second client
            return usual
    return ""


def _meant(name: str, header: Sequence[str], roles: Mapping[str, str]) -> str:
    """The column that one without a meaning is taken to be; empty if it is a covariate."""
    kind, colon, role = name.partition(":")
    if colon:
        meant = max(BY_ROLE, key=lambda known: _alike(_bare(kind), known))
        if _alike(_bare(kind), meant) >= _ALIKE_IF_MISSING:
            return f"{meant}:{_usual_role(role) or role or '<role>'}"
        return ""
    if by_role := _joined_otherwise(name, roles):
        return "" if by_role in header else by_role
    bare = _bare(name)
    for known in (*KNOWN, *BY_ROLE):
        if bare == _bare(known):
            return known if known in KNOWN else _with_role(known)
    for known in KNOWN:
        if known not in header and _misspelt(bare, _bare(known)):
            return known
    return ""


def _joined_otherwise(name: str, roles: Mapping[str, str]) -> str:
    """``video:client`` for ``video_client`` and ``Client Video``."""
    parts = [part for part in re.split(r"[\W_]+", name.lower()) if part]
    known = {role.lower(): role for role in (*roles, *_USUAL_ROLES, *_OTHER_ROLES)}
    if len(parts) != 2:
        return ""
    for kind, role in (parts, parts[::-1]):
        if kind in BY_ROLE and (found := known.get(role) or _usual_role(role)):
            return f"{kind}:{found}"
    return ""


def _with_role(kind: str) -> str:
    return f"{kind}:<role>" if kind in ("tile", "audio") else kind


def _misspelt(bare: str, known: str) -> bool:
    if len(known) < _SHORT:
        return sorted(bare) == sorted(known)
    if bare.startswith(known) or bare[-1:].isdigit():
        return False  # a second one, or one of something: client_id_2, diagnosis_main
    return _alike(bare, known) >= _ALIKE


def _alike(one: str, other: str) -> float:
    """How alike two names are, 0 to 1; 0 where that is too little to matter."""
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if (
        min(matcher.real_quick_ratio(), matcher.quick_ratio()) < _ALIKE_IF_MISSING
    ):  # never below the ratio itself
        return 0.0
    return matcher.ratio()


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
