"""``vsa run``: the stages that a pipeline file names, with its settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path

if TYPE_CHECKING:
    from vsa.run.pipelines.plan import Planned
    from vsa.run.pipelines.stages import Done

_SAID = {"run": "runs", "skip": "skipped", "maybe": "may run"}


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--study", type=local_path, metavar="DIR", help="The study folder; paths in FILE begin there.")
@click.option("--dry-run", is_flag=True, help="Say what would run and why, and stop.")
@click.option("--from", "begin", metavar="STAGE", help="Leave out the stages before this one.")
@click.option("--only", multiple=True, metavar="STAGE", help="This one alone; may be given several times.")
@click.option("--force", is_flag=True, help="Run stages though nothing has changed.")
@click.option("--print", "show", is_flag=True, help="Print FILE, to make one of your own from, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def run(
    context: click.Context,
    file: str,
    study: Path | None,
    dry_run: bool,
    begin: str | None,
    only: tuple[str, ...],
    force: bool,
    show: bool,
    as_json: bool,
) -> None:
    """Run the stages that a pipeline file names, with its settings, so far as anything has changed.

    FILE is a pipeline of your own, or the name of one that ships with vsa: research, quality or retrain. Each stage is
    a command of vsa. One is skipped if its settings, what it reads and writes, and vsa are as they were when it last
    ran; a run that was stopped goes on where it stood.

    What was run, on what, and with which seeds and versions is written into the study: runs/<time>-<name>.json. Such
    a record can be FILE too: the same is run again, and what differs is said.
    """
    from vsa.run.pipelines import plan, stages
    from vsa.run.pipelines.file import find, read
    from vsa.run.pipelines.provenance import differences, earlier
    from vsa.study.folder import study_folder

    pipeline = read(find(file))
    if show:
        click.echo(pipeline.text, nl=False)
        return
    if study is None:
        raise click.UsageError("Missing option '--study'.", context)
    study_folder(study)
    asked = plan.chosen(pipeline, begin, only)
    stages.check(pipeline, asked, study)
    other = [*differences(pipeline, asked, study)] if pipeline.record else []
    if dry_run:
        _plan(plan.plan(asked, study, earlier(study), force), other, as_json)
        return
    for line in other:
        click.echo(f"Note: {line}", err=True)
    done = stages.run(
        pipeline, asked, study, force=force, say=lambda line: click.echo(line, err=True), quiet=as_json
    )
    _told(done, other, as_json)
    context.exit(done.exit_code)


def _plan(planned: Sequence[Planned], other: Sequence[str], as_json: bool) -> None:
    if as_json:
        rows = [
            {"stage": one.stage.name, "command": one.stage.command, "do": one.todo, "why": one.why}
            for one in planned
        ]
        _print_json({"stages": rows, "differences": [*other]})
        return
    for line in other:
        click.echo(f"Note: {line}")
    width = max((len(one.stage.name) for one in planned), default=0)
    for one in planned:
        click.echo(f"{one.stage.name:<{width}}  {_SAID[one.todo]:<8} {one.why}")


def _told(done: Done, other: Sequence[str], as_json: bool) -> None:
    if as_json:
        keys = ("stage", "command", "state", "why")
        rows = [{key: one.get(key) for key in keys} for one in done.stages]
        _print_json(
            {
                "record": str(done.record),
                "exit_code": done.exit_code,
                "stages": rows,
                "differences": [*other],
                "same": done.same,
            }
        )
        return
    for path, same in done.same.items():
        name = "the study's results" if path == "." else path
        click.echo(f"{name}: {'the same as then' if same else 'NOT the same as then'}.")
    click.echo(f"Record: {done.record}")


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
