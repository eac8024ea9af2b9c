"""Writing pages: the templates, what they share, and how text and numbers get into them safely.

Everything that a template shows is escaped by Jinja2; numbers for scripts go through `script_json`. Pages name no
address but those of files beside them, and say so to the browser (Content-Security-Policy), which then refuses all
others.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import numpy as np
from markupsafe import Markup

from vsa.report.pages.view import Frame
from vsa.report.times import clock

#: Below the report's folder.
ASSETS, SESSIONS, SHEETS, MODEL, INDEX = "assets", "sessions", "sheets", "model", "index.html"
PAGE = ".html"
PLOTLY = "plotly.min.js"
#: An id that is a file name on every system; others get one made of what of them can be, and a fingerprint.
_PLAIN = re.compile(r"[A-Za-z0-9][\w.-]{0,99}", re.ASCII)
_MADE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*\.[0-9a-f]{8}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNSAFE = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


class Site:
    """A folder of pages.

    Parameters
    ----------
    folder
        To write into; it exists.
    frame
        What stands on every page.
    """

    def __init__(self, folder: Path, frame: Frame) -> None:
        self.folder = folder
        self._frame = frame

    def write_assets(self) -> None:
        """Write styles and scripts, once for all pages."""
        target = self.folder / ASSETS
        target.mkdir(exist_ok=True)
        for asset in (files("vsa.report.pages") / "assets").iterdir():
            if asset.name.endswith((".css", ".js")):
                (target / asset.name).write_bytes(asset.read_bytes())
        (target / PLOTLY).write_bytes((files("plotly.package_data") / PLOTLY).read_bytes())

    def write(self, path: str, template: str, **values: Any) -> None:
        """Write a page.

        Parameters
        ----------
        path
            Below the report's folder.
        template
            One of this package's.
        values
            What it shows.
        """
        up = "../" * path.count("/")
        text = templates().get_template(template).render(frame=self._frame, up=up, **values)
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


@cache
def templates() -> jinja2.Environment:
    """The templates of this package, with autoescape; a name that is not given is an error."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("vsa.report.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"script_json": script_json, "clock": clock, "share": share, "number": number}
    return made


def page_name(session_id: str) -> str:
    """File name of a session's page, the same for the same id and never that of another.

    Examples
    --------
    >>> page_name("s01")
    's01.html'
    >>> page_name("../../etc/x")
    'etc-x.56da1a2e.html'
    """
    plain = _PLAIN.fullmatch(session_id) and not _RESERVED.fullmatch(session_id)
    if plain and session_id == session_id.lower():
        return f"{session_id}.html"
    stem = re.sub(r"[^A-Za-z0-9]+", "-", session_id).strip("-")[:60] or "session"
    return f"{stem}.{hashlib.sha256(session_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}.html"


def is_page_name(name: str) -> bool:
    """Whether a file may be one that `page_name` named.

    Examples
    --------
    >>> is_page_name("s01.html"), is_page_name("etc-x.56da1a2e.html"), is_page_name("My notes.html")
    (True, True, False)
    """
    stem, end = name[: -len(PAGE)], name[-len(PAGE) :]
    if end != PAGE:
        return False
    return page_name(stem) == name or _MADE.fullmatch(stem) is not None


def link(*parts: str) -> str:
    """A relative address for ``href`` or ``src``.

    Examples
    --------
    >>> link("sessions", "a b#1.html")
    'sessions/a%20b%231.html'
    """
    return "/".join(quote(part, safe="") for part in parts)


def script_json(value: Any) -> Markup:
    """JSON for a ``<script type="application/json">`` block: nothing in it ends the block, and NaN is null."""
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_UNSAFE))


def plain(value: Any) -> Any:
    """Values that JSON has: arrays as lists, what is not finite as None, floats in as many digits as mean something."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(v) for v in value]
    return value


def share(value: float, missing: str = "?") -> str:
    """A share as a percentage."""
    return f"{100 * value:.0f} %" if math.isfinite(value) else missing


def number(value: float, digits: int = 1, missing: str = "?") -> str:
    """A number with so many digits after the point."""
    return f"{value:.{digits}f}" if math.isfinite(value) else missing
