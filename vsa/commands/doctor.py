"""``vsa doctor``: what this machine can do, and how to get what is missing."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Say what this machine can do, what is missing and how to get it.

    Exits 0 if extraction can run, else 2.
    """
    from vsa.doctor import can_extract, examine

    checks = examine()
    if as_json:
        import json
        from dataclasses import asdict

        report = {"can_extract": can_extract(checks), "checks": [asdict(check) for check in checks]}
        click.echo(json.dumps(report, indent=2))
    else:
        from rich.console import Console

        from vsa.doctor import table

        Console().print(table(checks))
        click.echo("Extraction can run." if can_extract(checks) else "Extraction cannot run yet.")
    if not can_extract(checks):
        context.exit(2)
