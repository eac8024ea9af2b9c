"""Commands in this process, and what lies in folders before and after them."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from vsa.cli import main


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and all that it printed."""

    code: int
    said: str


def call(*arguments: str | Path) -> Ended:
    """Run a command to its end. An error that it does not tell in words goes on, and fails the test."""
    said = io.StringIO()
    code: object = 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            main([str(one) for one in arguments])
        except SystemExit as ended:
            code = ended.code
    text = said.getvalue()
    assert code in (None, 0, 2, 3), text
    assert "Traceback" not in text, text
    return Ended(int(str(code or 0)), text)


def state(folder: Path) -> dict[str, bytes | str]:
    """Everything in a folder, links as what they point to."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
        else:
            found[name] = "folder"
    return found
