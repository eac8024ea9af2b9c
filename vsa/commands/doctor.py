"""``vsa doctor``: what this machine can do, and how to get what is missing; or whether a study is sound."""

from __future__ import annotations

from pathlib import Path

import click

from vsa.commands.places import local_path


@click.command()
@click.argument("study", required=False, type=local_path)
@click.option(
    "--expect",
    default="",
    metavar="HASH",
    help="With STUDY: the last entry of its log as it was noted; it must still be there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor(context: click.Context, study: Path | None, expect: str, as_json: bool) -> None:
    """Say what this machine can do, what is missing and how to get it.

    With STUDY, say whether that folder is sound instead: its log, its sessions, their consent. Nothing is changed.

    Exits 0 if extraction can run, or nothing is wrong with the study, else 2.
    """
    from vsa.check import table
    from vsa.errors import InputError

    if study is None:
        from vsa.doctor import can_extract, examine

        if expect:
            raise InputError(
                "--expect looks into a study's log, and no study is given.", "vsa doctor STUDY --expect HASH"
            )
        checks = examine()
        good, name = can_extract(checks), "can_extract"
        verdict = "Extraction can run." if good else "Extraction cannot run yet."
    else:
        from vsa.study.checkup import examine_study, is_sound
        from vsa.study.folder import study_folder

        checks = examine_study(study_folder(study), expect)
        good, name = is_sound(checks), "sound"
        verdict = "Nothing is wrong with the study." if good else "Something is wrong with the study."
    if as_json:
        import json
        from dataclasses import asdict

        click.echo(json.dumps({name: good, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        from rich.console import Console

        Console().print(table(checks))
        click.echo(verdict)
    if not good:
        context.exit(2)
