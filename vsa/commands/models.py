"""``vsa models``: get, show and check pretrained files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vsa.assets import Status

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def models() -> None:
    """Get, show and check the pretrained files that vsa uses."""


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Into this folder. Carried to another machine, it serves there as VSA_MODELS.",
)
@_as_json
def pull(names: tuple[str, ...], to: Path | None, as_json: bool) -> None:
    """Fetch pretrained files (all, or those named), check their hashes and put them in place."""
    from vsa import assets

    paths = assets.pull(names, to, report=(lambda line: None) if as_json else click.echo)
    if as_json:
        _print_json([{"name": path.name, "path": str(path)} for path in paths])
    elif to:
        click.echo(f"On the other machine, set VSA_MODELS to the place of {to}.")


@models.command("list")
@_as_json
def list_(as_json: bool) -> None:
    """Show every pretrained file and where it is on this machine."""
    from vsa import assets

    found = assets.status()
    if as_json:
        _print_json([_record(one) for one in found])
        return
    for one in found:
        asset = one.asset
        click.echo(f"{asset.name}  {one.state}  {asset.size / 1e6:.1f} MB  {asset.licence}")
        click.echo(f"    {asset.what}")
        click.echo(f"    {one.path or one.detail}")


@models.command()
@_as_json
def verify(as_json: bool) -> None:
    """Hash every pretrained file on this machine anew; exit code 2 unless all are right."""
    from vsa import assets
    from vsa.errors import ModelMissingError

    found = assets.verify()
    if as_json:
        _print_json([_record(one) for one in found])
    else:
        for one in found:
            click.echo(f"{one.asset.name}: " + ("ok" if one.state == "ok" else f"{one.state}, {one.detail}"))
    if bad := [one.asset.name for one in found if one.state != "ok"]:
        raise ModelMissingError(f"Not here, or not right: {', '.join(bad)}.", assets.PULL)


def _record(one: Status) -> dict[str, Any]:
    asset = one.asset
    return {
        "name": asset.name,
        "what": asset.what,
        "room": asset.room,
        "licence": asset.licence,
        "size": asset.size,
        "sha256": asset.sha256,
        "sources": [str(source) for source in asset.sources],
        "state": one.state,
        "path": str(one.path) if one.path else None,
        "detail": one.detail,
    }


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2))
