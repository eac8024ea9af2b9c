"""Pseudonyms for reports: the same id has the same one for the same key, and without the key nobody can tell whose.

Ids are easily guessed when they are numbered, so a plain fingerprint would hide nothing: whoever guesses an id could
try it. With a key that stays in the building, guesses can't be tried.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import shlex
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from vsa.errors import InputError
from vsa.study.cells import shown

#: Of a key, bytes; a longer file than the other is no key.
_LEAST, _MOST = 16, 1 << 16
#: Digits and letters but I, L, O and U, which are taken for others or spell words.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Letters that are shown, of 5 bits each.
_SHOWN = 8
_FIRST = {"session": "S", "client": "C", "therapist": "T"}
_PSEUDONYM = re.compile(rf"[SCT]-[{_LETTERS}]{{4}}-[{_LETTERS}]{{4}}", re.IGNORECASE | re.ASCII)
#: Names that are numbers are seen where a note names somebody, not where it counts: a number as high as 9999 must stand
#: in quotes, behind such a word, or in a list of names at the end.
_COUNT = re.compile(r"0|[1-9]\d{0,3}", re.ASCII)
_BEHIND = re.compile(r"(\b(sessions?|clients?|therapists?) |['\"“«„])$")
_LIST = re.compile(r": ([^:]+?)( and \d+ more)?\.?$")


@dataclass(frozen=True)
class Pseudonyms:
    """Makes pseudonyms such as ``S-7K3Q-F2XM``: 40 bits of HMAC-SHA-256 of the id, with a letter for what it is of.

    Attributes
    ----------
    key
        Secret: who has it can try whether a pseudonym is somebody's.
    notes
        What to tell of its file.

    Examples
    --------
    >>> Pseudonyms(b"a key for examples only").session("s01")
    'S-SZ9A-JV1E'
    """

    key: bytes = field(repr=False)
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Pseudonyms:
        """Read a key: any text or bytes; blanks and ends of lines around it don't count.

        Raises
        ------
        InputError
            When it can't be read, or is too short or too long for a key.
        """
        make = (
            f'To make one: (umask 077; python3 -c "import secrets; print(secrets.token_hex(32))" > '
            f"{shlex.quote(str(path))})"
        )
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                key = file.read(_MOST + 1).strip()
        except FileNotFoundError:
            raise InputError(f"The key file {path} does not exist.", make) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(
                f"The key file {shown(str(path), 300)} can't be read ({why}).", "Check the path."
            ) from None
        if len(key) > _MOST:
            raise InputError(f"{path} is longer than any key ({_MOST} bytes).", "Check the path.")
        if len(key) < _LEAST:
            raise InputError(f"The key in {path} has {len(key)} bytes, and {_LEAST} are the least.", make)
        open_to_others = os.name == "posix" and mode & 0o077
        return cls(key, (_open(path),) if open_to_others else ())

    def session(self, name: str) -> str:
        """A session's. Ids of sessions that differ in case only are one."""
        return self._of("session", name)

    def client(self, name: str) -> str:
        """A client's."""
        return self._of("client", name)

    def therapist(self, name: str) -> str:
        """A therapist's."""
        return self._of("therapist", name)

    def check(self, ids: Mapping[str, Iterable[str]]) -> None:
        """See to it that no two ids get the same pseudonym: with 40 bits, a chance of 1 in 2 million for 1000 ids.

        Parameters
        ----------
        ids
            Of each kind (``session``, ``client``, ``therapist``).

        Raises
        ------
        InputError
            When two do.
        """
        for kind, names in ids.items():
            taken = dict[str, str]()
            for name in names:
                other = taken.setdefault(self._of(kind, name), name)
                if _normal(kind, other) != _normal(kind, name):
                    raise InputError(
                        f"The key gives two {kind}s the same pseudonym: '{shown(other)}' and '{shown(name)}'.",
                        "Take another key.",
                    )

    @staticmethod
    def scrub(text: str, replacements: Mapping[str, str]) -> str:
        """Put something else in the place of names, in a note.

        Parameters
        ----------
        text
            The note.
        replacements
            Name -> what stands for it. Upper and lower case are the same. A name that begins or ends with a letter,
            digit or underscore is not looked for within longer words, and one that is a number as high as 9999 where
            it names somebody alone ("session 12", "'12'", "left out: 12, 13."): elsewhere it is a count. Where names
            overlap, all of them go, and what stands for the longest comes.

        Examples
        --------
        >>> Pseudonyms.scrub("Anna_1.mp4 has no sound", {"anna_1.mp4": "the recording", "anna_1": "it"})
        'the recording has no sound'
        """
        text = unicodedata.normalize("NFC", text)
        folded, places = _folded_with_places(text)
        listed = _list_at_the_end(folded, replacements)
        spans = list[tuple[int, int, str]]()  # in the folded text
        for name, instead in replacements.items():
            wanted = _folded(name)
            if wanted and wanted in folded:
                found = _whole_words(wanted, folded)
                if _COUNT.fullmatch(wanted):
                    found = (at for at in found if at in listed or _BEHIND.search(folded[:at]))
                spans += [(at, at + len(wanted), instead) for at in found]
        parts, done = list[str](), 0
        for start, end, instead in _merged(spans):
            parts += [text[done : places[start]], instead]
            done = places[end - 1] + 1
        return "".join([*parts, text[done:]])

    def _of(self, kind: str, name: str) -> str:
        said = f"{kind}\0{_normal(kind, name)}".encode("utf-8", "surrogatepass")
        bits = int.from_bytes(hmac.digest(self.key, said, hashlib.sha256)[:5])
        letters = [_LETTERS[bits >> 5 * k & 31] for k in reversed(range(_SHOWN))]
        return f"{_FIRST[kind]}-{''.join(letters[:4])}-{''.join(letters[4:])}"


def looks_like(text: str) -> bool:
    """Whether a text may be a pseudonym.

    Examples
    --------
    >>> looks_like("S-7K3Q-F2XM"), looks_like("s01")
    (True, False)
    """
    return bool(_PSEUDONYM.fullmatch(text.strip()))


def _open(path: Path) -> str:
    return (
        f"Other users of this machine can read the key {path}, and so tell whose the pseudonyms are: "
        f"chmod 600 {shlex.quote(str(path))}"
    )


def _normal(kind: str, name: str) -> str:
    """Ids of sessions that differ in case only can't be of two; as `vsa.bond.membership` knows them."""
    name = unicodedata.normalize("NFC", name.strip())
    return name.casefold() if kind == "session" else name


@lru_cache(1 << 16)
def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip()).casefold()


def _folded_with_places(text: str) -> tuple[str, list[int]]:
    """A text without case, and where each of its characters comes from: ß becomes two."""
    pairs = [(one, at) for at, character in enumerate(text) for one in character.casefold()]
    return "".join(one for one, _ in pairs), [at for _, at in pairs]


def _whole_words(name: str, text: str) -> Iterator[int]:
    """Where a name begins in a text, but for places within longer words."""
    at = text.find(name)
    while at >= 0:
        end = at + len(name)
        before = at > 0 and _is_word(name[0]) and _is_word(text[at - 1])
        after = end < len(text) and _is_word(name[-1]) and _is_word(text[end])
        if not (before or after):
            yield at
        at = text.find(name, at + 1)


def _list_at_the_end(text: str, names: Iterable[str]) -> range:
    """Where a text ends in a list of nothing but names, such as "left out: 12, 13 and 4 more"."""
    found = _LIST.search(text)
    if found and {*found[1].split(", ")} <= {_folded(name) for name in names}:
        return range(*found.span(1))
    return range(0)


def _is_word(character: str) -> bool:
    """A letter, a mark on one, a digit or an underscore."""
    return character == "_" or unicodedata.category(character)[0] in "LMN"


def _merged(spans: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Spans that overlap as one, with the text of the longest."""
    group = list[tuple[int, int, str]]()
    for span in sorted(spans):
        if group and span[0] >= max(end for _, end, _ in group):
            yield _one(group)
            group = []
        group.append(span)
    if group:
        yield _one(group)


def _one(group: list[tuple[int, int, str]]) -> tuple[int, int, str]:
    longest = max(group, key=lambda span: span[1] - span[0])
    return group[0][0], max(end for _, end, _ in group), longest[2]
