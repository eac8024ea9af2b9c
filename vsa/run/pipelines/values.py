"""What commands would refuse of a setting only once they run: said before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vsa.errors import InputError, VsaError


def value_fault(command: str, key: str, value: object) -> str:
    """What is wrong with a value of the right type; empty if nothing is."""
    check = _CHECKS.get((command, key))
    if check is None:
        return ""
    try:
        check(value)
    except VsaError as error:
        return " ".join(filter(None, (error.message, error.hint)))
    return ""


def together_faults(command: str, settings: Mapping[str, Any]) -> Iterator[str]:
    """Settings that exclude or need each other."""
    rules = bool(settings.get("rules")) or "rules-file" in settings
    if command in ("flag", "report"):
        if "budget" in settings and "threshold" in settings:
            yield "budget, threshold: one of them, not both."
        if rules and "threshold" in settings:
            yield "threshold: rules give no probability to hold against it; set a budget."
        if rules and "model" in settings:
            yield "model: not with rules, which need none."
    if command == "flag" and not rules and "model" not in settings:
        yield "model: missing; set it, or rules = true."


def _instrument(value: object) -> None:
    from vsa.study.instruments import load

    if not str(value).endswith(".toml"):
        load(str(value))


def _prorate(value: object) -> None:
    from vsa.study.scoring import check_prorate

    check_prorate(_number(value))


def _budget(value: object) -> None:
    from vsa.bond.flags import allowed

    allowed(_number(value), sessions=1)


def _threshold(value: object) -> None:
    from vsa.bond.flags import check_threshold

    check_threshold(_number(value))


def _weak(value: object) -> None:
    from vsa.bond.weak import Weak

    Weak.parse(str(value))


def _reliability(value: object) -> None:
    from vsa.bond.evaluation.ceiling import ceiling

    ceiling(_number(value), instrument_scale=False, r=None)


def _fps(value: object) -> None:
    from vsa.commands.extract import rate

    rate(str(value))


def _engine(value: object) -> None:
    from vsa.face.engine import NAMES

    if value not in NAMES:
        raise InputError(f"there is no engine '{value}'.", f"There are {', '.join(NAMES)}.")


def _overlay(value: object) -> None:
    if not str(value).lower().endswith(".mp4"):
        raise InputError(f"{value}: the film is an MP4 file.", "Give it a name that ends in .mp4.")


def _number(value: object) -> float:
    return float(str(value))


_CHECKS: Mapping[tuple[str, str], Callable[[object], None]] = {
    ("score", "instrument"): _instrument,
    ("score", "prorate"): _prorate,
    ("flag", "budget"): _budget,
    ("flag", "threshold"): _threshold,
    ("report", "budget"): _budget,
    ("report", "threshold"): _threshold,
    ("train", "weak"): _weak,
    ("train", "reliability"): _reliability,
    ("extract", "fps"): _fps,
    ("extract", "engine"): _engine,
    ("extract", "overlay"): _overlay,
}
