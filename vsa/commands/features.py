"""``vsa features``: the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from vsa.features.registry import Feature

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def features() -> None:
    """Show the registry of features: definitions, units, ranges, sources."""


@features.command("list")
@_as_json
@click.option("--markdown", is_flag=True, help="Print the whole reference as a page (docs/features.md).")
def list_(as_json: bool, markdown: bool) -> None:
    """Name every feature, with its definition."""
    from vsa.features import reference
    from vsa.features.registry import features as registered

    if markdown:
        click.echo(reference.markdown(), nl=False)
        return
    if as_json:
        _print_json([_record(entry) for entry in registered()])
        return
    for entry in registered():
        click.echo(f"{entry.name}  [{entry.unit}]\n    {entry.definition}")


@features.command()
@click.argument("name")
@_as_json
def show(name: str, as_json: bool) -> None:
    """Show one feature: NAME as in 'vsa features list', with or without a role before it."""
    from vsa.features.registry import find

    record = _record(find(name))
    if as_json:
        _print_json(record)
        return
    low, high = record["range"]
    record["range"] = f"{'-inf' if low is None else low:} to {'inf' if high is None else high}"
    record["needs"] = ", ".join(record["needs"])
    click.echo(record.pop("name"))
    for key, value in record.items():
        click.echo(f"  {key:<11} {value}")


def _record(entry: Feature) -> dict[str, Any]:
    return {
        "name": entry.name,
        "definition": entry.definition,
        "scope": entry.scope,
        "unit": entry.unit,
        "range": list(entry.range),
        "expect": entry.expect,
        "needs": list(entry.needs),
        "minimum": entry.minimum,
        "source": entry.source,
        "version": entry.version,
    }


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2))
