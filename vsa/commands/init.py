"""``vsa init``: a study folder with a manifest to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from vsa.commands.places import local_path


@click.command()
@click.argument("folder", type=local_path, metavar="DIR")
def init(folder: Path) -> None:
    """Make a study folder: a manifest to fill in, and a README that says what goes where.

    DIR may be there already; nothing in it is replaced.
    """
    import shlex

    from vsa.study import log
    from vsa.study.folder import MANIFEST
    from vsa.study.template import make_study

    written = make_study(folder)
    named = shlex.quote(str(folder))
    log.record(folder, "init", [], {"files": len(written)})
    click.echo(f"Made {', '.join(map(str, written))}.")
    click.echo(f"1. Put one row a session into {folder / MANIFEST}; its comments say what each column is.")
    click.echo(f"2. vsa extract {named}")
    click.echo(f"3. vsa doctor {named}")
