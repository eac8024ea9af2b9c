"""A model card as a page that needs nothing else: no script, no network, its pictures beside it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --text: #1b1b1b; --back: #fff; --faint: #5c5c5c; --line: #cfcfcf; --band: #f4f4f4; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e4e4e4; --back: #161616; --faint: #a8a8a8; --line: #474747; --band: #202020; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 1rem/1.55 system-ui, "Segoe UI", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; overflow-wrap: anywhere; }
p, li { max-width: 44rem; }
h1 { font-size: 1.8rem; line-height: 1.2; }
h2 { margin-top: 2.6rem; padding-top: .5rem; border-top: 1px solid var(--line); font-size: 1.35rem; }
h3 { margin-top: 1.8rem; font-size: 1.08rem; }
.scroll { overflow-x: auto; margin: .8rem 0 1.4rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: .3rem .65rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--faint); font-weight: 600; vertical-align: bottom; }
td:first-child:not([style]) { min-width: 9rem; overflow-wrap: anywhere; }
tbody tr:nth-child(even) { background: var(--band); }
img { display: block; max-width: 100%; height: auto; margin: 1rem 0; padding: .4rem; background: #fff; }
@page { margin: 1.3cm; }
@media print {
  :root { --text: #000; --back: #fff; --faint: #333; --line: #999; --band: #fff; color-scheme: light; }
  main { max-width: none; padding: 0; }
  body { font-size: 10pt; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding: .15rem .35rem; }
  .scroll:has(th:nth-child(9)) table { font-size: 6.5pt; }
  .scroll:has(th:nth-child(9)) :is(th, td) { padding: .1rem .2rem; min-width: 0; }
  h2, h3 { break-after: avoid; }
  tr, img { break-inside: avoid; }
}
"""
#: What a browser may load: pictures beside the page, and nothing else.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file:; form-action 'none'; base-uri 'none'"
)


def card_page(markdown: str, title: str) -> str:
    """Make a page of a model card.

    Parameters
    ----------
    markdown
        The card. HTML in it is shown as text; links and pictures that lead elsewhere are shown as text too.
    title
        Of the window.

    Examples
    --------
    >>> page = card_page("# Card", "Card of <mine>")
    >>> "<title>Card of &lt;mine&gt;</title>" in page, "<h1>Card</h1>" in page
    (True, True)
    """
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.validateLink = _lies_beside  # type: ignore[assignment, method-assign]
    # a table that is wider than the screen scrolls by itself, by keyboard too
    reader.add_render_rule("table_open", _opened)
    reader.add_render_rule("table_close", _closed)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{reader.render(markdown)}</main>\n</body>\n</html>\n"
    )


def _lies_beside(address: str) -> bool:
    """Whether an address is that of a file in the page's folder."""
    return re.match(r"[a-z][a-z0-9+.-]*:|[/\\]|%5c", address.strip(), re.IGNORECASE) is None


def _opened(self: object, tokens: Sequence[Any], k: int, options: Mapping[str, Any], env: object) -> str:
    return '<div class="scroll" role="region" aria-label="Table" tabindex="0">\n<table>\n'


def _closed(self: object, tokens: Sequence[Any], k: int, options: Mapping[str, Any], env: object) -> str:
    return "</table>\n</div>\n"
