"""``vsa turns``: who spoke when, corrected by hand."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path

if TYPE_CHECKING:
    from vsa.run.turn_edits import Change, Spoken

_session = click.argument("session", type=local_path)
_file = click.argument("file", type=local_path)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
#: How to say what is counted: heading, attribute of `Spoken`, form.
_COUNTED = (("turns", "turns", "d"), ("backchannels", "backchannels", "d"), ("speech, s", "speech_s", ".1f"))


@click.group()
def turns() -> None:
    """Take turns out to Praat or ELAN, and bring them back corrected.

    SESSION is the folder of one session, DIR/<session_id>. What a person corrected wins from then on, also when the
    session is extracted afresh. Sessions whose people agreed to nothing are refused.
    """


@turns.command()
@_session
@_file
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@_as_json
def export(session: Path, file: Path, force: bool, as_json: bool) -> None:
    """Write the turns of SESSION into FILE: .TextGrid (Praat), .eaf (ELAN) or .rttm."""
    from vsa.run.turn_edits import export_turns

    found = export_turns(session, file, replace=force)
    _log(session, "turns export")
    if as_json:
        _print_json({"session_id": session.resolve().name, "file": str(file), "participants": _plain(found)})
        return
    _print_table(found)
    click.echo(f"Written to {file}. When it is corrected: vsa turns import {session} {file}")


@turns.command("import")
@_session
@_file
@click.option("--empty", is_flag=True, help="Accept a file without turns: nobody spoke.")
@click.option("--recording", default="", metavar="NAME", help="RTTM with several recordings: which one.")
@_as_json
def import_(session: Path, file: Path, empty: bool, recording: str, as_json: bool) -> None:
    """Take the turns of FILE into SESSION, and compute its features again."""
    from vsa.run.turn_edits import import_turns

    change = import_turns(session, file, empty=empty, recording=recording)
    _log(session, "turns import")
    _print_change(change, as_json)


@turns.command()
@_session
@_as_json
def reset(session: Path, as_json: bool) -> None:
    """Go back to the turns that were found in SESSION; the correction in it is removed."""
    from vsa.run.turn_edits import reset_turns

    change = reset_turns(session)
    _log(session, "turns reset")
    _print_change(change, as_json)


def _log(session: Path, command: str) -> None:
    from vsa.study.log import record_near

    session = session.resolve()
    record_near(session.parent, command, [session.name], {"sessions": 1})


def _print_change(change: Change, as_json: bool) -> None:
    if as_json:
        _print_json(
            {
                "session_id": change.session_id,
                "turns": change.record,
                "before": _plain(change.before),
                "after": _plain(change.after),
            }
        )
        return
    _print_table(change.after, change.before)
    click.echo(
        f"{change.session_id}: the turns are as found."
        if change.record["from"] == "found"
        else f"{change.session_id}: the turns are those of {change.record['file']}."
    )


def _print_table(now: dict[str, Spoken], before: dict[str, Spoken] | None = None) -> None:
    """A line for each person; what changed is shown as 'before -> now'."""
    lines = [["", *(heading for heading, _, _ in _COUNTED)]]
    for who in dict.fromkeys([*(before or {}), *now]):
        cells = []
        for _, name, form in _COUNTED:
            shown = [
                format(getattr(one[who], name) if who in one else 0, form) for one in (before, now) if one
            ]
            cells.append(" -> ".join(dict.fromkeys(shown)))
        lines.append([who, *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _plain(found: dict[str, Spoken]) -> dict[str, dict[str, float]]:
    return {who: asdict(one) for who, one in found.items()}


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
