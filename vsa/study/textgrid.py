"""Praat's TextGrid: long and short text files are read, long ones written.

Praat reads free-standing numbers, quoted texts and ``<flags>`` in their order and takes everything else (``xmin =``,
``item [1]:``, what follows ``!``) for comment; that is why one reader reads both (Praat's manual, "TextGrid file
formats").
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from vsa.study.cells import shown
from vsa.study.tiers import Mark, Tier, content, fault, number, seconds

_TOKEN = re.compile(
    r'"(?P<text>[^"]*(?:""[^"]*)*)"|(?P<flag><[^<>\s]*>)|(?P<comment>![^\n]*)|(?P<word>[^\s"]+)|(?P<open>")'
)
_NUMERIC = re.compile(r"[+-]?\.?\d\S*")
_SAVE_AGAIN = "In Praat, use Save > Save as text file."


def write_textgrid(tiers: Sequence[Tier], duration_s: float | None = None) -> str:
    """The text of a TextGrid: silences between marks are intervals without a label.

    Parameters
    ----------
    tiers
        At least one; marks in order of time, none over another.
    duration_s
        How long the recording is; no less than the last mark. Without it the last mark ends it.
    """
    marks = [mark for tier in tiers for mark in tier.marks]
    low = min([0.0, *(mark.start for mark in marks)])
    high = max([duration_s or 0.0, *(mark.end for mark in marks)])
    high = high if high > low else low + 1.0  # Praat knows no time that doesn't last
    span = f"xmin = {seconds(low)}", f"xmax = {seconds(high)}"
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", *span]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for i, tier in enumerate(tiers, 1):
        cuts = list(_filled(tier.marks, low, high))
        lines += [
            f"    item [{i}]:",
            '        class = "IntervalTier"',
            f"        name = {_quoted(tier.name)}",
            *(f"        {line}" for line in span),
            f"        intervals: size = {len(cuts)}",
        ]
        for j, cut in enumerate(cuts, 1):
            lines += [
                f"        intervals [{j}]:",
                f"            xmin = {seconds(cut.start)}",
                f"            xmax = {seconds(cut.end)}",
                f"            text = {_quoted(cut.label)}",
            ]
    return "\n".join(lines) + "\n"


def read_textgrid(path: Path) -> list[Tier]:
    """Read the interval tiers of a TextGrid; intervals without a label are silences and are left out.

    Raises
    ------
    InputError
        When it can't be read as one; names the line.
    """
    tokens = _Tokens(path, _text(path))
    if not tokens.text().startswith("ooTextFile"):
        raise fault(path, 1, "this is no TextGrid.", _SAVE_AGAIN)
    line, kind = tokens.line, tokens.text()
    if kind != "TextGrid":
        raise fault(path, line, f"this is a {shown(kind, 30)}, no TextGrid.", _SAVE_AGAIN)
    tokens.number()
    tokens.number()
    if tokens.flag() != "<exists>":
        return []
    return [tier for _ in range(tokens.count()) if (tier := _tier(tokens)) is not None]


def _tier(tokens: _Tokens) -> Tier | None:
    line, kind = tokens.line, tokens.text()
    tier = Tier(tokens.text(), line=line)
    tokens.number()
    tokens.number()
    if kind == "TextTier":
        for _ in range(tokens.count()):
            tokens.number()
            tokens.text()
        return None
    if kind != "IntervalTier":
        raise fault(tokens.path, line, f"'{shown(kind, 30)}' is no kind of tier.", _SAVE_AGAIN)
    last = None
    for _ in range(tokens.count()):
        line, start, end, label = tokens.line, tokens.number(), tokens.number(), tokens.text()
        if end < start or (last is not None and start < last - 1e-6):
            raise fault(
                tokens.path,
                line,
                f"an interval from {start:g} to {end:g} s in tier '{shown(tier.name, 30)}' runs backwards or lies "
                "over the one before.",
                "Mend it in Praat.",
            )
        last = end
        if label.strip() and end > start:
            tier.marks.append(Mark(start, end, label, line))
    return tier


class _Tokens:
    """The numbers, texts and flags of a file, in their order."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._next = self._tokens(text)
        self._ahead = next(self._next)

    @property
    def line(self) -> int:
        """Where the next one is."""
        return self._ahead[2]

    def text(self) -> str:
        return self._take("text", "a text in quotes")

    def flag(self) -> str:
        return self._take("flag", "<exists>")

    def number(self) -> float:
        line = self.line
        return number(self.path, line, self._take("number", "a time"))

    def count(self) -> int:
        line, said = self.line, self._take("number", "how many there are")
        if not (said.isascii() and said.isdigit() and len(said) < 10):
            raise fault(
                self.path, line, f"'{shown(said, 30)}' is no number of tiers or intervals.", _SAVE_AGAIN
            )
        return int(said)

    def _take(self, kind: str, what: str) -> str:
        got, value, line = self._ahead
        if got == "end":
            raise fault(
                self.path, line, f"the file ends where {what} should be.", "It was cut off; save it again."
            )
        if got != kind:
            raise fault(self.path, line, f"'{shown(value, 30)}' stands where {what} should be.", _SAVE_AGAIN)
        self._ahead = next(self._next)
        return value

    def _tokens(self, text: str) -> Iterator[tuple[str, str, int]]:
        line, since = 1, 0
        for match in _TOKEN.finditer(text):
            line, since = line + text.count("\n", since, match.start()), match.start()
            kind, value = match.lastgroup, match[0]
            if kind == "open":
                raise fault(self.path, line, 'a quote (") is opened and never closed.', _SAVE_AGAIN)
            if kind == "text":
                yield "text", match["text"].replace('""', '"'), line
            elif kind == "flag":
                yield "flag", value, line
            elif kind == "word" and _NUMERIC.fullmatch(value):
                yield "number", value, line
        line += text.count("\n", since)
        while True:
            yield "end", "", line


def _text(path: Path) -> str:
    """Praat writes UTF-8 or UTF-16, as it likes."""
    data = content(path)
    if data.startswith(b"ooBinaryFile"):
        raise fault(path, 0, "it is a binary TextGrid.", _SAVE_AGAIN)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise fault(
            path,
            0,
            "it is neither UTF-8 nor UTF-16 text.",
            "In Praat, set Text writing preferences to UTF-8.",
        ) from None
    if text.startswith('"Praat chronological'):
        raise fault(path, 1, "it is a chronological TextGrid.", _SAVE_AGAIN)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _filled(marks: Sequence[Mark], low: float, high: float) -> Iterator[Mark]:
    """Marks, and what lies between them."""
    now = low
    for mark in marks:
        if seconds(mark.start) != seconds(now):
            yield Mark(now, mark.start)
        yield mark
        now = mark.end
    if seconds(now) != seconds(high):
        yield Mark(now, high)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
