"""``vsa withdraw``: a person is taken out of a study."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsa.commands.places import local_path
from vsa.errors import InputError

if TYPE_CHECKING:
    from vsa.run.withdrawal import Withdrawal
    from vsa.study.rows import Kind

#: Files of one sort that are listed for people; JSON has all.
_LISTED = 20


@click.command()
@click.argument("name", metavar="ID")
@click.argument("study", type=local_path)
@click.option(
    "--as",
    "kind",
    type=click.Choice(["session", "client", "therapist"]),
    help="What ID is the id of, if it is more than one of these.",
)
@click.option("--dry-run", is_flag=True, help="Say what would go, and change nothing.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def withdraw(name: str, study: Path, kind: Kind | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove a person from a study, and mark the models that learned from them.

    ID is a client_id, a therapist_id or a session_id. Their sessions' folders go, and their rows in every table in
    STUDY; in the manifest they become 'withdrawn', so that they are not extracted again. Recordings, and what vsa
    can't look into, are listed for you to delete. There is no way back. If it is stopped, run it again: it goes on.
    """
    from vsa.run.withdrawal import carry_out, check_done, plan
    from vsa.study.folder import study_folder
    from vsa.study.withdrawal import find

    subject = find(study_folder(study), name, kind)
    found = plan(study, subject)
    if not dry_run:
        if not yes:
            if as_json or not sys.stdin.isatty():
                raise InputError(
                    "There is nobody here to ask, and removing can't be undone. Nothing was removed.",
                    "Look with --dry-run, then add --yes.",
                )
            click.echo("\n".join(_told(found, study, done=False)))
            click.confirm("\nRemove this for good?", abort=True)
        found = carry_out(study, subject)
    if as_json:
        import json

        click.echo(json.dumps(_record(found, study, dry_run), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_told(found, study, done=not dry_run)))
        if dry_run:
            click.echo("\nNothing was changed.")
    if not dry_run:
        check_done(found)


def _told(found: Withdrawal, study: Path, *, done: bool) -> Iterator[str]:
    from vsa.study.remains import is_common

    subject = found.subject
    n = len(subject.sessions)
    before = f" Withdrawn before, on {subject.since[:10]}." if subject.since else ""
    yield f"{subject.kind.capitalize()} {subject.id}: {n} session{'s' * (n != 1)}.{before}"
    if subject.others and subject.kind != "session":
        other = "client" if subject.kind == "therapist" else "therapist"
        others = f"{subject.others} {other}{'s' * (subject.others != 1)}"
        yield f"  These are sessions of {others} too: both people's signals go."
    if found.empty:
        yield "Nothing of theirs is left to remove." if subject.since else "There is nothing to remove."
    failed = {path for path, _ in found.failed}
    yield from _list("Removed" if done else "To be removed", _removed(found, study, failed))
    if found.learned:
        yield from _list(
            "Marked: these models learned from them, and should be trained again" if done
            else "Models that learned from them, to be marked",
            [f"{_short(m.path, study)}: {m.sessions} of its sessions" for m in found.learned if m.path not in failed],
        )  # fmt: skip
    unknown = [f"{_short(m.path, study)}: {m.why}" for m in found.models if m.sessions is None]
    yield from _list("Models of which it can't be told whether they learned from them", unknown)
    yield from _list(
        "Tables that can't be read, and may hold rows of theirs",
        [f"{_short(path, study)}: {why}" for path, why in found.unread],
    )
    yield from _list("Recordings: not vsa's to delete. Delete them yourself", found.recordings)
    yield from _list(
        "Look at these yourself: their name or text has an id of theirs",
        [_short(p, study) for p in found.named],
    )
    yield from _list(
        "Look at these yourself: vsa can't see into them", [_short(p, study) for p in found.closed]
    )
    yield from _list(
        "Under pseudonyms, which vsa can't look up without the key. Make these reports anew",
        [f"{_short(p, study)}/" for p in found.reports],
    )
    yield from _list(
        "Under pseudonyms, which vsa can't look up without the key. Look for theirs yourself (docs/reports.md, Names)",
        [_short(p, study) for p in found.pseudonymous],
    )
    common = sorted({one for one in (subject.id, *subject.sessions) if is_common(one)})
    if common:
        yield f"Too short to be looked for in text, and looked for in names and tables only: {', '.join(common[:5])}."
    yield "Backups, and copies outside of the folder, are not vsa's to find."


def _removed(found: Withdrawal, study: Path, failed: set[Path]) -> Iterator[str]:
    yield from (f"{_short(path, study)}/" for path in found.folders if path not in failed)
    yield from (f"{_short(path, study)} (in the making)" for path in found.making if path not in failed)
    for path, count in found.tables:
        if path not in failed:
            yield f"{_short(path, study)}: {count} row{'s' * (count != 1)}"
    if found.manifest_rows:
        rows = f"{found.manifest_rows} row{'s' * (found.manifest_rows != 1)}"
        yield f"manifest.csv: {rows} emptied but for the id, consent: withdrawn, so that nobody extracts it again"


def _list(heading: str, lines: Any) -> Iterator[str]:
    lines = list(lines)
    if lines:
        yield f"{heading}:"
        yield from (f"  {line}" for line in lines[:_LISTED])
        if len(lines) > _LISTED:
            yield f"  and {len(lines) - _LISTED} more (--json lists all)"


def _record(found: Withdrawal, study: Path, dry_run: bool) -> dict[str, Any]:
    subject = found.subject
    return {
        "id": subject.id,
        "as": subject.kind,
        "sessions": list(subject.sessions),
        "dry_run": dry_run,
        "withdrawn_before": subject.since or None,
        "folders": [_short(path, study) for path in (*found.folders, *found.making)],
        "tables": {_short(path, study): count for path, count in found.tables},
        "manifest_rows": found.manifest_rows,
        "models": [
            {"model": _short(m.path, study), "sessions": m.sessions, "why": m.why or None}
            for m in found.models
        ],
        "recordings": list(found.recordings),
        "unread": {_short(path, study): why for path, why in found.unread},
        "named": [_short(path, study) for path in found.named],
        "closed": [_short(path, study) for path in found.closed],
        "pseudonymous": [_short(path, study) for path in (*found.reports, *found.pseudonymous)],
        "failed": {_short(path, study): why for path, why in found.failed},
    }


def _short(path: Path, study: Path) -> str:
    return str(path.relative_to(study)) if path.is_relative_to(study) else str(path)
