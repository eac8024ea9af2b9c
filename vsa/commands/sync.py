"""``vsa sync``: synchrony of two series, beside that of chance."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsa.commands.places import local_path
from vsa.errors import InputError

if TYPE_CHECKING:
    from vsa.features.synchrony import SurrogateTest
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
    with FILE2 for the other person; or be a session's folder, whose motion energy is taken.

    FILE may also be a results folder with 20 sessions or more: each pair is then compared, in all signals, with
    pairs who never met, and its features get dyad.sync.*_cohort_z and _cohort_p. Sessions whose people did not all
    agree to research are left out.
    """
    if file2 is None and file.is_dir() and any(file.glob("*/session.json")):
        _across(file, seed, as_json)
        return
    settings = {"rate_hz": _rate(rate_hz, file), "window_s": window_s, "step_s": step_s, "lag_s": lag_s}
    _check(settings)
    pair = _pair(file, file2, settings["rate_hz"], columns)
    if export is not None:
        if file.is_dir() and export.resolve().is_relative_to(file.resolve()):
            raise InputError(f"{export} lies inside the session.", "Give a place outside of it.")
        _export(pair, export, settings["rate_hz"], force=force, as_json=as_json)
        _log_session(file, "exported")
        return
    from vsa.features.synchrony import against_surrogates

    test = against_surrogates(pair.first, pair.second, **settings, surrogates=surrogates, seed=seed)
    _log_session(file, "compared")
    record = _record(pair, test, {**settings, "surrogates": surrogates})
    if as_json:
        _print_json(record)
    else:
        click.echo("\n".join(_told(record)))


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
    found = compare(results, allowed, seed=seed, progress=told)
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


def _record(pair: Pair, test: SurrogateTest, settings: dict[str, float]) -> dict[str, Any]:
    """The JSON document: what has no value is null, and `reasons` says why."""
    from vsa.features.synchrony import WITHIN_CHANCE

    found = test.observed
    n = len(test.mean_abs_z)
    names = {"first": pair.names[0], "second": pair.names[1], "neither": "neither"}
    leader = names.get(test.leader)
    lead_reason = found.reason
    if leader and 0 < n < round(1 / WITHIN_CHANCE) - 1:
        leader, lead_reason = None, f"{n} surrogates can't give a p of {WITHIN_CHANCE}"
    values = {
        "mean_abs_z": found.mean_abs_z,
        "peak_z": found.peak_z,
        "peak_lag_s": found.peak_lag_s,
        "lead_index": found.lead_index,
        "surrogate_z": test.z,
        "p": test.p,
        "surrogate_mean": float(test.mean_abs_z.mean()) if n else math.nan,
        "surrogate_sd": float(test.mean_abs_z.std(ddof=1)) if n > 1 else math.nan,
        "peak_surrogate_z": test.peak_surrogate_z,
        "peak_p": test.peak_p,
    }
    shown = {name: value if math.isfinite(value) else None for name, value in values.items()}
    reasons = {
        name: (found.reason if name in ("mean_abs_z", "peak_z", "peak_lag_s") else test.reason)
        or "both sides are equal or there is no lag"
        for name, value in shown.items()
        if value is None
    }
    if leader is None:
        reasons["leader"] = lead_reason or test.reason
    return {
        "names": list(pair.names),
        "duration_s": round(len(pair.first) / settings["rate_hz"], 3),
        "missing_share": [round(_missing(series), 4) for series in (pair.first, pair.second)],
        **shown,
        "leader": leader,
        "windows": found.windows,
        "windows_used": found.windows_used,
        "settings": settings,
        "seed": test.seed,
        "reasons": reasons,
    }


def _missing(series: Any) -> float:
    import numpy as np

    return float(1 - np.isfinite(series).mean()) if len(series) else 0.0


def _told(record: dict[str, Any]) -> list[str]:
    """The same in words; no value without what chance gives."""
    first, second = record["names"]
    settings = record["settings"]
    lines = [
        f"{first} and {second}: {record['duration_s'] / 60:.1f} min at {settings['rate_hz']:g} Hz; "
        f"{record['windows_used']} of {record['windows']} windows of {settings['window_s']:g} s used, "
        f"lags to {settings['lag_s']:g} s."
    ]
    if None in (record[name] for name in ("p", "surrogate_z", "peak_p", "peak_surrogate_z")):
        why = (
            record["reasons"].get("p")
            or record["reasons"].get("surrogate_z")
            or "the peak is always the same"
        )
        return [*lines, f"Nothing can be said about synchrony: {why}.", _caution(record)]
    lines += [
        f"Together: surrogate z {record['surrogate_z']:+.2f}, p = {record['p']:.3f}  "
        f"(mean |z| {record['mean_abs_z']:.3f}; {settings['surrogates']} surrogates: "
        f"{record['surrogate_mean']:.3f} ± {record['surrogate_sd']:.3f})",
        f"Peak: lag {abs(record['peak_lag_s']):.2f} s, surrogate z {record['peak_surrogate_z']:+.2f}, "
        f"p = {record['peak_p']:.3f}  (z {record['peak_z']:+.3f})",
    ]
    lines.append(
        f"{first} and {second} go together more than the same two at other times."
        if record["p"] <= 0.05
        else f"{first} and {second} go together no more than the same two at other times: this is within chance."
    )
    lines.append(_lead(record))
    return [*lines, _caution(record)]


def _caution(record: dict[str, Any]) -> str:
    here = record["surrogate_mean"]
    return (
        "Unrelated signals have a mean |z| too: about 0.24 where they vary slowly"
        f"{'' if here is None else f', {here:.3f} here'}. Only the comparison with surrogates counts."
    )


def _lead(record: dict[str, Any]) -> str:
    first, second = record["names"]
    if record["leader"] is None:
        return f"Who leads can't be told: {record['reasons']['leader']}."
    if record["peak_p"] > 0.05:
        return "Nobody leads: the peak is within chance."
    way = "" if record["peak_z"] > 0 else " It is opposite: one moves less when the other moves more."
    if record["leader"] == "neither":
        return f"Nobody leads: both move at once.{way}"
    other = second if record["leader"] == first else first
    return f"{record['leader']} leads, {other} follows after {abs(record['peak_lag_s']):.2f} s.{way}"


def _print_json(value: object) -> None:
    import json

    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))
