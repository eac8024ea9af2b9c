"""The folder of a report: it is there whole, or as it was; nothing but an earlier report is ever replaced."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vsa.errors import InputError, SessionError
from vsa.report.pages.site import ASSETS, INDEX, MODEL, SESSIONS, SHEETS, is_page_name
from vsa.run.reporting.comparison_view import PICTURE
from vsa.study.results import write_json
from vsa.study.session_files import LITTER

#: Tells a report from other folders, and says how it was made.
RECORD, WHAT = "report.json", "vsa report"
_OWN = (ASSETS, INDEX, MODEL, SESSIONS, SHEETS, PICTURE, RECORD, *LITTER)
#: What is vsa's in each of its folders, by name.
_INSIDE: Mapping[str, Callable[[str], object]] = {
    ASSETS: re.compile(r"[a-z_]+(\.min)?\.(css|js)").fullmatch,
    MODEL: re.compile(r"[a-z]+\.png|card\.html").fullmatch,
    SESSIONS: is_page_name,
    SHEETS: is_page_name,
}


@contextmanager
def report_folder(out: Path) -> Iterator[Path]:
    """Give a folder to fill; it takes the name `out` when the block ends well, and is gone otherwise.

    Raises
    ------
    InputError
        When something else than a report lies in `out`, or it can't be made.
    SessionError
        Stage ``write``, when the disk is full or the like.
    """
    part, old = (
        out.absolute().with_name(f".{out.absolute().name}.{os.getpid()}{end}")
        for end in (".part", ".old.part")
    )
    try:
        _check(out)
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"{out} can't be written ({error.strerror or error}).", "Give another --out."
        ) from None
    try:
        yield part
        if out.exists():
            out.replace(old)
        part.replace(out)
    except OSError as error:
        raise SessionError("write", f"{out} can't be written ({error.strerror or error}).") from None
    finally:
        if old.exists() and not out.exists():
            old.replace(out)
        if old.is_symlink():  # the earlier report lies elsewhere, and stays
            old.unlink()
        for path in (part, old):
            shutil.rmtree(path, ignore_errors=True)


def write_record(folder: Path, told: Mapping[str, Any]) -> None:
    """Write what tells the folder from others, and how it was made."""
    write_json(folder / RECORD, {"what": WHAT, **told})


def _check(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(f"{out} is a file.", "Give a folder for the report with --out.")
    there = sorted(path.name for path in out.iterdir() if path.name not in LITTER)
    if not there:
        return
    strangers = [name for name in there if name not in _OWN] + [*_strangers(out)]
    if strangers or not _is_report(out):
        named = ", ".join((strangers or there)[:3])
        raise InputError(
            f"{out} holds {named}, which is no report of vsa: it is not replaced.",
            "Give a new folder with --out.",
        )


def _strangers(out: Path) -> Iterator[str]:
    """What is not vsa's in the folders of a report: other names, folders and links."""
    for name, is_own in _INSIDE.items():
        folder = out / name
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            yield name
        elif folder.is_dir():
            for path in sorted(folder.iterdir()):
                plain = path.is_file() and not path.is_symlink()
                if path.name not in LITTER and not (plain and is_own(path.name)):
                    yield f"{name}/{path.name}"


def _is_report(out: Path) -> bool:
    try:
        record = json.loads((out / RECORD).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.get("what") == WHAT
