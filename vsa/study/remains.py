"""Files that may still speak of somebody: those whose name or text has an id, and those that can't be looked into."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from vsa.study.folder import LOG, MANIFEST
from vsa.study.places import Places
from vsa.study.rows import PARQUET

#: Recordings, pictures and models: only their names are looked at.
_NAME_ONLY = re.compile(
    r"\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|mts|ogv|wav|mp3|m4a|flac|og[ga]|opus|aac|aiff?|png|jpe?g|gif|tiff?|bmp|skops)",
    re.IGNORECASE,
)
#: What is packed: text in it can't be seen.
_PACKED = re.compile(
    r"\.(xls[xmb]?|ods|numbers|docx?|odt|pdf|zip|gz|bz2|xz|zst|7z|rar|tgz|z?sav|dta|rds|rda|rdata|np[yz]|pkl|pickle|"
    r"joblib|h5|hdf5|feather|arrow|orc|mat|db|sqlite3?)",
    re.IGNORECASE,
)
#: As pages keep JSON from ending a script.
_IN_SCRIPTS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
#: Larger files are not read, bytes.
_LARGEST = 256 << 20
#: An id that is shorter, or a number of fewer digits, stands in any text.
_SHORTEST, _SHORTEST_NUMBER = 3, 5


def search(
    study: Path, places: Places, ids: Iterable[str], handled: Collection[Path] = ()
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Look through a study folder, but for the log, the manifest and sessions' folders.

    Parameters
    ----------
    study, places
        The folder, and what lies in it.
    ids
        What to look for, where it stands alone; those that `is_common` says are looked for in names only.
    handled
        Files to leave out.

    Returns
    -------
    Files whose name or text has an id; and those that can't be looked into: packed, very large and unreadable ones, and
    links.
    """
    wanted = {one for one in ids if one}
    in_name, in_text = _pattern(wanted), _pattern({one for one in wanted if not is_common(one)})
    named, closed = list[Path](), list[Path]()
    for path in (*places.files, *places.links, *places.making):
        if path in handled or path in (study / LOG, study / MANIFEST):
            continue
        if in_name.search(_bytes(str(path.relative_to(study)))):
            named.append(path)
        elif path in places.links or path in places.making or _PACKED.fullmatch(path.suffix):
            closed.append(path)
        elif not _NAME_ONLY.fullmatch(path.suffix):
            try:
                if _reads(path, in_text):
                    named.append(path)
            except (OSError, ValueError):
                closed.append(path)
    return tuple(named), tuple(closed)


def is_common(name: str) -> bool:
    """Whether an id is so short that it stands in many texts that are not about it."""
    return len(name) < (_SHORTEST_NUMBER if name.isdecimal() else _SHORTEST)


def mentions(ids: Iterable[str], text: bytes) -> bool:
    """Whether a text (UTF-8) has an id that stands alone in it."""
    return _pattern({one for one in ids if one}).search(text) is not None


def _reads(path: Path, pattern: re.Pattern[bytes]) -> bool:
    """Whether the text of a file has an id.

    Raises
    ------
    OSError, ValueError
        When that can't be said.
    """
    if path.suffix.lower() in PARQUET:
        return pattern.search(_text_of_parquet(path)) is not None
    if path.stat().st_size > _LARGEST:
        raise ValueError("too large")
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = content.decode("utf-16", "replace").encode("utf-8", "replace")
    return pattern.search(content) is not None


def _text_of_parquet(path: Path) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            names = [
                name for name, kind in zip(schema.names, schema.types, strict=True) if not _is_number(kind)
            ]
            columns = file.read(columns=names).to_pydict() if names else {}
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None
    return _bytes("\n".join(str(value) for values in columns.values() for value in values))


def _is_number(kind: object) -> bool:
    import pyarrow.types as types

    return bool(types.is_floating(kind) or types.is_boolean(kind) or types.is_temporal(kind))


def _pattern(names: Collection[str]) -> re.Pattern[bytes]:
    """Finds ids that stand alone, in capitals or not, in UTF-8 in either form of accents, or in Latin-1.

    Also as pages, JSON and addresses write them.
    """
    spelled = set[bytes]()
    for name in names:
        for form in ("NFC", "NFD"):
            spelled |= {_bytes(one) for one in _written(unicodedata.normalize(form, name))}
        with suppress(UnicodeEncodeError):
            spelled.add(unicodedata.normalize("NFC", name).encode("latin-1"))
    spelled.discard(b"")
    if not spelled:
        return re.compile(b"(?!)")
    return re.compile(
        b"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-F][0-9A-F]))(?:"
        + b"|".join(map(re.escape, sorted(spelled)))
        + b")(?![0-9A-Za-z])",
        re.IGNORECASE,
    )


def _written(name: str) -> set[str]:
    """An id as it is, in JSON, in HTML, in JSON within HTML, and in an address."""
    found = {name}
    for one in (json.dumps(name)[1:-1], json.dumps(name, ensure_ascii=False)[1:-1]):
        found |= {one, one.translate(_IN_SCRIPTS)}
    for one in [*found]:
        quoted = html.escape(one)
        found |= {quoted, html.escape(one, quote=False)}
        found.add(quoted.replace("&quot;", "&#34;").replace("&#x27;", "&#39;"))  # as templates do
    return found | {quote(name, "", errors="replace"), quote(name, errors="replace")}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
