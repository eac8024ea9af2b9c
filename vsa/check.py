"""What was looked at, on a machine or in a study, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.table import Table

Verdict = Literal["ok", "warn", "missing", "wrong"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name
        What.
    verdict
        ``ok``; ``warn`` when something is less than it could be; ``missing`` when it is not there; ``wrong`` when it is
        not as it must be.
    found
        What was found.
    todo
        What to do about it; empty if nothing.
    needed
        Whether extraction cannot run while it is missing.
    """

    name: str
    verdict: Verdict
    found: str
    todo: str = ""
    needed: bool = False


def table(checks: list[Check]) -> Table:
    """Lay the checks out for people."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False)
    for heading in ("", "", "found", "to do"):
        shown.add_column(heading, overflow="fold")
    colour = {"ok": "green", "warn": "yellow", "missing": "red", "wrong": "red"}
    for check in checks:
        verdict = f"[{colour[check.verdict]}]{check.verdict}[/]"
        shown.add_row(verdict, check.name, check.found.replace("[", r"\["), check.todo.replace("[", r"\["))
    return shown
