"""What a report is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsa.study.addresses import Place

BUDGET = 0.1


@dataclass(frozen=True)
class Request:
    """The arguments of `vsa report`.

    Attributes
    ----------
    study
        A results folder, or a table of features.
    out
        Folder of the pages: new, empty, or an earlier report, which is replaced.
    model
        File of a bond model; None for a list by rules, or none.
    rules, rules_file
        Whether to list by rules, and which; None: those that ship with vsa.
    budget, threshold
        As in `vsa.bond.flags.flag`.
    bonds, rater
        Table of reported bonds to join, and whose.
    clients
        Table of what is known of clients.
    by
        Columns of the comparison; None for modality, attachment and diagnosis.
    link_media, media
        Whether pages play recordings from where they lie, and folders to look for them in.
    pseudonymize
        File of the key; None to show ids as they are.
    purpose
        ``quality`` or ``research``: sessions without consent for it are left out.
    only
        Write pages of these sessions alone; () for all.
    jobs
        Processes; 0: one a core.
    """

    study: Place
    out: Path
    model: Path | None = None
    rules: bool = False
    rules_file: Path | None = None
    budget: float = BUDGET
    threshold: float | None = None
    bonds: Place | None = None
    rater: str = "client"
    clients: Place | None = None
    by: tuple[str, ...] | None = None
    link_media: bool = False
    media: tuple[Path, ...] = ()
    pseudonymize: Path | None = None
    purpose: str = "quality"
    only: tuple[str, ...] = ()
    jobs: int = 0
