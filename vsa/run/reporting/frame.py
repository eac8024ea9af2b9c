"""What stands on every page of a report."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import vsa
from vsa.bond import membership
from vsa.bond.flags import NO_BETTER, UNCLEAR
from vsa.report.pages.view import Frame
from vsa.run.reporting.request import Request
from vsa.study.addresses import name_of

if TYPE_CHECKING:
    from vsa.bond.model import ModelInfo
    from vsa.run.reporting.listing import Listing

RULES = "rules"
#: Of fingerprints that pages hold, digits.
_DIGITS = 12


def frame_of(asked: Request, found: Listing, info: ModelInfo | None) -> Frame:
    """Say what the report is of, by what, and what must be known before reading."""
    simulated = [row.simulated for row in found.rows]
    by = asked.model.name if asked.model else RULES if found.flags is not None else ""
    pseudonyms = asked.pseudonymize is not None
    label = ""
    if found.flags is not None and len(found.flags.table):
        label = f"{found.flags.table['label'].iloc[0]} ({found.flags.table['label_source'].iloc[0]})"
    model_print = "" if asked.model is None else file_print(asked.model)
    return Frame(
        # the folder may be called after a clinic or a person
        study="Study" if pseudonyms else name_of(asked.study),
        made=date.today().isoformat(),
        version=vsa.__version__,
        model=by,
        label=label,
        simulated_model=info is not None and info.simulated,
        simulated_data="all" if all(simulated) else "some" if any(simulated) else "none",
        warnings=() if info is None else _warnings(info),
        key=_key(asked, by, model_print),
        model_print=model_print,
        pseudonyms=pseudonyms,
    )


def file_print(path: Path) -> str:
    """First digits of the SHA-256 of a file: tells a model from others of its name."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]


def _warnings(info: ModelInfo) -> tuple[str, ...]:
    verdict = {"no better": NO_BETTER, "unclear": UNCLEAR}.get(info.verdict)
    return (*((verdict,) if verdict else ()), *membership.said(info.withdrawn))


def _key(asked: Request, by: str, model_print: str) -> str:
    """The same for the same study and list: marks in the browser belong to it."""
    study = asked.study.resolve() if isinstance(asked.study, Path) else asked.study
    return hashlib.sha256(f"{study}\n{by}\n{model_print}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
