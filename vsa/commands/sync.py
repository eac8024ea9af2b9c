"""``vsa sync``: synchrony of two series, beside that of chance."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path
from vsa.commands.sync_words import record_of, told
from vsa.errors import InputError

if TYPE_CHECKING:
    from vsa.study.motion_energy import Pair

#: Of sessions, where --rate is not given; MEA's usual one.
_SESSION_RATE_HZ = 25.0


def _two(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Two numbers with a comma, as 1,3."""
    if value is None:
        return None
    parts = value.split(",")
    if len(parts) != 2 or not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(f"{value!r} is not two columns, as 1,3.", ctx, param)
    return int(parts[0]), int(parts[1])


_a_time = click.FloatRange(min=0, min_open=True)


@click.command()
@click.argument("file", type=local_path)
@click.argument("file2", type=local_path, required=False)
@click.option("--rate", "rate_hz", type=_a_time, help="Samples a second.  [needed; sessions: 25]")
@click.option(
    "--window", "window_s", type=_a_time, default=60, show_default=True, help="Length of a window, s."
)
@click.option(
    "--step", "step_s", type=_a_time, default=30, show_default=True, help="From one to the next, s."
)
@click.option(
    "--lag", "lag_s", type=click.FloatRange(min=0), default=5, show_default=True, help="Longest lag, s."
)
@click.option("--surrogates", type=click.IntRange(min=0), default=100, show_default=True, help="0: no test.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the surrogates.")
@click.option(
    "--columns", metavar="A,B", callback=_two, help="Which two columns, or participants of a session, as 1,3."
)
@click.option(
    "--export", type=local_path, metavar="FILE", help="Write the two series here, for rMEA, and stop."
)
@click.option("--force", is_flag=True, help="Let --export replace a file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def sync(
    file: Path,
    file2: Path | None,
    rate_hz: float | None,
    window_s: float,
    step_s: float,
    lag_s: float,
    surrogates: int,
    seed: int,
    columns: tuple[int, int] | None,
    export: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Say whether two series move together more than by chance, and who leads.

    FILE is motion energy as MEA and rMEA have it: text with one column for each person. It may also hold one column,
    with FILE2 for the other person; or be a session's folder, whose motion energy is taken if its people all agreed to
    research.

    FILE may also be a results folder with 20 sessions or more: each pair is then compared, in all signals, with
    pairs who never met, and its features get dyad.sync.*_cohort_z and _cohort_p. Sessions whose people did not all
    agree to research are left out.
    """
    if file2 is None and file.is_dir() and any(file.glob("*/session.json")):
        _across(file, seed, as_json)
        return
    settings = {"rate_hz": _rate(rate_hz, file), "window_s": window_s, "step_s": step_s, "lag_s": lag_s}
    _check(settings)
    if file.is_dir():
        from vsa.study.consent import check_session

        check_session(file, "research")
    pair = _pair(file, file2, settings["rate_hz"], columns)
    if export is not None:
        if file.is_dir() and export.resolve().is_relative_to(file.resolve()):
            raise InputError(f"{export} lies inside the session.", "Give a place outside of it.")
        _export(pair, export, settings["rate_hz"], force=force, as_json=as_json)
        _log_session(file, "exported")
        return
    from vsa.features.chance import against_surrogates

    test = against_surrogates(pair.first, pair.second, **settings, surrogates=surrogates, seed=seed)
    _log_session(file, "compared")
    record = record_of(pair, test, {**settings, "surrogates": surrogates})
    if as_json:
        _print_json(record)
    else:
        click.echo("\n".join(told(record)))


def _across(folder: Path, seed: int, as_json: bool) -> None:
    """Compare the sessions of a results folder with each other."""
    from vsa.run.cohort_sync import compare
    from vsa.study.consent import allowed_sessions
    from vsa.study.log import record_near
    from vsa.study.results import Results

    def told(done: int, total: int) -> None:
        if not as_json and sys.stderr.isatty():
            click.echo(f"\r{done} of {total} sessions compared", nl=done == total, err=True)

    results = Results(folder)
    allowed, _, notes = allowed_sessions(results.sessions(), folder, "research")
    for note in notes:
        click.echo(f"Note: {note}", err=True)

    def left_out(session_id: str, why: str) -> None:
        click.echo(f"Note: session {session_id} is left out: {why}", err=True)

    found = compare(results, allowed, seed=seed, progress=told, left_out=left_out)
    record_near(folder, "sync", found, {"sessions": len(found)})
    if as_json:
        missing = {
            key: {n: v if math.isfinite(v) else None for n, v in row.items()} for key, row in found.items()
        }
        _print_json({"seed": seed, "sessions": missing})
        return
    names = [name for name in next(iter(found.values())) if name.endswith("_p")]
    for name in names:
        known = [row[name] for row in found.values() if math.isfinite(row[name])]
        low = sum(p <= 0.05 for p in known)
        signal = name.removeprefix("dyad.sync.").removesuffix("_cohort_p")
        click.echo(
            f"{signal}: {low} of {len(known)} pairs go together more than with people they never met (p <= 0.05; "
            f"{0.05 * len(known):.1f} would by chance)"
            if known
            else f"{signal}: no pair could be compared; session.json says why"
        )
    click.echo(f"Written into the features of {len(found)} sessions in {folder}.")


def _log_session(file: Path, what: str) -> None:
    from vsa.study.log import record_near

    if file.is_dir():
        record_near(file.resolve().parent, "sync", [file.resolve().name], {what: 1})


def _rate(rate_hz: float | None, file: Path) -> float:
    if rate_hz is None and not file.is_dir():
        raise InputError(
            "How many samples a second are these? Text files don't say.", "Give it, as --rate 25."
        )
    return _SESSION_RATE_HZ if rate_hz is None else rate_hz


def _check(settings: dict[str, float]) -> None:
    from vsa.features.wclc import Layout

    try:
        Layout.of(**settings)
    except (ValueError, OverflowError):
        raise InputError(
            "These make no window: it takes at least 3 samples, and a step at least 1.",
            "Correct --rate, --window, --step or --lag; all but --rate are in s.",
        ) from None


def _pair(file: Path, file2: Path | None, rate_hz: float, columns: tuple[int, int] | None) -> Pair:
    if file.is_dir():
        from vsa.run.motion import motion_pair

        if file2 is not None:
            raise InputError("A session has both people in it.", f"Leave {file2} away.")
        return motion_pair(file, rate_hz, columns)
    from vsa.study.motion_energy import read_pair

    return read_pair(file, file2, columns=columns)


def _export(pair: Pair, path: Path, rate_hz: float, *, force: bool, as_json: bool) -> None:
    from vsa.study.motion_energy import write_pair

    if path.exists() and not force:
        raise InputError(f"{path} is there already.", "Give another name, or --force to replace it.")
    write_pair(path, pair)
    n = len(pair.first)
    if as_json:
        _print_json({"file": str(path), "names": list(pair.names), "rate_hz": rate_hz, "samples": n})
        return
    click.echo(f"Written to {path}: {n} samples of {' and '.join(pair.names)} at {rate_hz:g} Hz.")
    click.echo(f"To compare them: vsa sync {path} --rate {rate_hz:g}")


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
