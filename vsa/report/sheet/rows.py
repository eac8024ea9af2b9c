"""The rows of a sheet: communication, security, and the course of the session."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from vsa.features.limits import FEW
from vsa.features.registry import DYAD, TooLittle
from vsa.features.time_course import THIRDS
from vsa.features.turns_known import clear, known_turns
from vsa.report.sheet.evidence import behaviours
from vsa.report.sheet.measured import NOT_KNOWN, Measured, wait
from vsa.report.sheet.parts import Cell, Course, Row
from vsa.voice.repair import NOT_REPAIRED, OPEN, OVERLAP, REPAIRED, SILENCE, WITHIN_S, repairs

if TYPE_CHECKING:
    import pandas as pd

    from vsa.features.session import Session
    from vsa.report.pages.view_timeline import Synchrony

#: Key of the evidence, label, feature of each person.
_EACH = (
    (
        "listening_gaze",
        "Looks toward the screen while the other speaks",
        "gaze.on_screen_listening_share",
    ),
    ("latency", "Typical wait before taking the turn", "turns.latency_median_s"),
    ("interruptions", "Interruptions that take the turn", "turns.interruption_rate_per_min"),
    (
        "backchannels",
        "Short sounds of listening (“mm-hm”)",
        "turns.backchannel_rate_per_min",
    ),
    ("nods", "Nods while the other speaks", "head.nod_listening_per_min"),
    ("talk_share", "Share of the talking", "turns.talk_share"),
)
#: Key of the evidence, label, feature of the two, and how far it exceeds chance.
_TOGETHER = (
    ("shared_smiles", "Both smile", "face.shared_smile_share", "face.shared_smile_lift"),
    (
        "mutual_gaze",
        "Both look toward their screens",
        "gaze.mutual_share",
        "gaze.mutual_lift",
    ),
    ("turn_changes", "Changes of speaker", "turns.transition_rate_per_min", ""),
)
_TROUBLE = {OVERLAP: "overlaps", SILENCE: "long silences"}
_SIZES = {OVERLAP: "of 0.5 s or longer", SILENCE: "of 3 s or longer"}
#: A surrogate test that gives less than this is more than chance.
_CHANCE = 0.05


def communication(
    measured: Measured, people: tuple[str, ...], trouble: pd.DataFrame | str
) -> tuple[Row, ...]:
    """Who listens, answers, interrupts and talks, and when nobody does."""
    rows = [
        _row(key, label, *(measured.cell(f"{who}.{name}", _text(name)) for who in people))
        for key, label, name in _EACH
    ]
    rows.append(_row("silence", "Nobody speaks", measured.cell(f"{DYAD}.turns.silence_share")))
    rows.append(_row("silence", "Silences of 3 s or longer", _silences(trouble, people)))
    return tuple(rows)


def security(
    measured: Measured, people: tuple[str, ...], trouble: pd.DataFrame | str, synchrony: Synchrony
) -> tuple[Row, ...]:
    """What goes back and forth between the two, what goes together, and what follows trouble."""
    answered = (
        measured.cell(f"{who}.face.smile_answer_share", chance=f"{who}.face.smile_answer_lift")
        for who in people
    )
    rows = [_row("smiles_answered", "Answers the other's smiles within 2 s", *answered)]
    for key, label, name, lift in _TOGETHER:
        chance = f"{DYAD}.{lift}" if lift else ""
        rows.append(_row(key, label, measured.cell(f"{DYAD}.{name}", chance=chance)))
    rows.append(_row("synchrony", "Movement of the two goes together", _together(synchrony)))
    for kind, what in _TROUBLE.items():
        rows.append(_row("repair", f"Smooth turns again after {what}", _repaired(trouble, kind)))
    return tuple(rows)


def course(measured: Measured, people: tuple[str, ...]) -> tuple[Course, ...]:
    """Smiles, looks and turns in the thirds of the session."""
    asked = [
        ("Both smile", f"{DYAD}.face.{{}}_shared_smile_share"),
        ("Both look toward their screens", f"{DYAD}.gaze.{{}}_mutual_share"),
        ("Nobody speaks", f"{DYAD}.turns.{{}}_silence_share"),
        *((f"Wait before the turn, {who}", f"{who}.turns.{{}}_latency_median_s") for who in people),
    ]
    return tuple(Course(label, _thirds(measured, name)) for label, name in asked)


def trouble_of(session: Session) -> pd.DataFrame | str:
    """What `vsa.voice.repair` finds, or why it can't be told.

    Trouble that reaches into time of which nobody knows who speaks is left out; what such time follows stays open.
    """
    if session.turns is None:
        return session.no_turns
    try:
        known_turns(session)
    except TooLittle as why:
        return str(why)
    end_s = session.span_s[1]
    found = repairs(session.turns, end_s)
    found = found[clear(session, found["start"], found["end"])].reset_index(drop=True)
    followed = clear(session, found["end"], (found["end"] + WITHIN_S).clip(upper=end_s))
    found.loc[~followed & (found["outcome"] == NOT_REPAIRED).to_numpy(), "outcome"] = OPEN
    return found


def _row(key: str, label: str, *cells: Cell) -> Row:
    return Row(label, _once(cells), behaviours()[key].in_short)


def _once(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """One cell for all that are not known for the same reason: a sheet is one page."""
    same = cells[0].text == NOT_KNOWN and len({(cell.text, cell.more) for cell in cells}) == 1
    return cells[:1] if same else cells


def _text(name: str) -> Callable[[float], str] | None:
    return wait if "latency" in name else None


def _thirds(measured: Measured, name: str) -> tuple[Cell, Cell, Cell]:
    early, middle, late = (_plain(measured, name.format(third)) for third in THIRDS)
    return early, middle, late


def _plain(measured: Measured, feature: str) -> Cell:
    """A cell without comparison: thirds are compared with each other."""
    cell = measured.cell(feature, _text(feature))
    return cell if cell.text == NOT_KNOWN else Cell(cell.text, "", math.nan)


def _silences(trouble: pd.DataFrame | str, people: tuple[str, ...]) -> Cell:
    if isinstance(trouble, str):
        return Cell(NOT_KNOWN, trouble, math.nan)
    found = trouble[trouble["kind"] == SILENCE]
    if found.empty:
        return Cell("none", "", math.nan)
    first = found["first"].value_counts()
    longest = (found["end"] - found["start"]).max()
    ended = ", ".join(f"{who} {first.get(who, 0)}" for who in people)
    return Cell(
        str(len(found)), f"the longest lasts {longest:.0f} s; first to speak after them: {ended}", math.nan
    )


def _repaired(trouble: pd.DataFrame | str, kind: str) -> Cell:
    if isinstance(trouble, str):
        return Cell(NOT_KNOWN, trouble, math.nan)
    found = trouble[trouble["kind"] == kind]
    judged = found[found["outcome"] != OPEN]
    if found.empty:
        return Cell("nothing to tell", f"there are none {_SIZES[kind]}", math.nan)
    if judged.empty:
        return Cell(NOT_KNOWN, "the recording ends too soon after it", math.nan)
    back = judged[judged["outcome"] == REPAIRED]
    more = f"{_SIZES[kind]}, within {WITHIN_S:.0f} s"
    if len(back) >= FEW:
        more += f"; half of them within {back['until_s'].median():.0f} s"
    return Cell(f"after {len(back)} of {len(judged)}", more, math.nan)


def _together(synchrony: Synchrony) -> Cell:
    z, p = synchrony.overall_z, synchrony.overall_p
    if synchrony.why_none or not math.isfinite(z):
        return Cell(NOT_KNOWN, synchrony.why_none or "the signals give no value", math.nan)
    text = "more than by chance" if z > 0 and p < _CHANCE else "no more than by chance"
    side = "above" if z >= 0 else "below"
    more = f"{abs(z):.1f} standard deviations {side} the same two at other times (p = {p:.2f})"
    return Cell(text, more, math.nan)
