"""Plain words for features: a short label with whose it is, and values with their unit as people write them.

The core set and what is often met has labels by hand; those of all others (thirds of the session, slopes, synchrony,
a study's own columns) are made from their names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from vsa.errors import InputError
from vsa.features.labels import LABELS
from vsa.features.registry import DYAD, Feature, find, is_full_name

#: What a value that is not there is called.
MISSING = "missing"

_SYNC: Mapping[str, str] = {
    "surrogate_z": "synchrony of {}, against chance",
    "p": "synchrony of {}, share of chance as strong",
    "peak_z": "strongest synchrony of {}, against chance",
    "peak_lag_s": "lag of the strongest synchrony of {}",
    "lead_index": "who leads in {}",
    "cohort_z": "synchrony of {}, against other pairs",
    "cohort_p": "synchrony of {}, share of other pairs as strong",
}
_SIGNALS = {"motion": "motion energy", "head": "head movement", "smile": "smiling"}
_OCCASION = re.compile(r"(.+)_(listening|speaking)(_.+)")
_THIRD = re.compile(r"(early|middle|late)_(.+)")
_SLOPE = re.compile(r"(.+)_slope(_[a-z]+)?_per_10min")
#: How a number is taken, by how its name ends; the words go around what is measured.
_TAKEN: Mapping[str, str] = {
    "_per_min": "{}s per minute",
    "_median": "typical {}",
    "_p90": "{}, nine in ten below",
    "_iqr": "spread of {}",
    "_sd": "spread of {}",
    "_range": "range of {}",
    "_cv": "unevenness of {}",
    "_lift": "{}, beyond chance",
    "_share": "share of {}",
    "_synchrony": "likeness in {} of neighbouring turns",
    "_convergence": "growing alike in {}",
    "_proximity": "nearness in {} of neighbouring turns",
}
#: Units at the end of a name: values are shown with them.
_UNIT = re.compile(r"_(deg_per_s|cm_per_s|per_s|deg|db|hz|cm|px|min|st|score|ratio|s|r|z)$")
#: What parts of a name are called, and the group of one that does not say it.
_CALLED = {"f0": "pitch", "intensity": "loudness"}
_GROUPS = {"blink": "blink", "face": "face", "gaze": "gaze", "head": "head", "quality": "recording"}

_AFTER: Mapping[str, str] = {
    **{unit: f" {unit}" for unit in ("s", "min", "dB", "Hz", "cm", "px")},
    "1/min": " per min",
    "1/s": " per s",
    "deg": "°",
    "deg/s": "° per s",
    "st": " semitones",
    "cm/s": " cm per s",
    "z": " SD",
    "grey levels/s": " grey levels per s",
    "percent": " %",
    "share": " %",
    "difference": " percentage points",
}
#: The unit of a study's own feature, by the ending of its name; the first that fits.
_ENDINGS = {"_per_min": "1/min", "_per_s": "1/s", "_share": "share", "_deg": "deg", "_db": "dB", "_s": "s"}


def label(full_name: str) -> str:
    """What a feature is called, with whose it is.

    Parameters
    ----------
    full_name
        ``<scope>.<group>.<name>``; a study's own column may have any name.

    Examples
    --------
    >>> label("client.face.smile_share"), label("dyad.turns.silence_share")
    ('client: share of time smiling', 'both: silence share')
    >>> label("p1.head.late_nod_rate_per_min"), label("attachment_anxiety")
    ('p1: nods per minute, late third', 'attachment anxiety')
    """
    if not is_full_name(full_name):
        return _spaced(full_name)
    scope, _, name = full_name.partition(".")
    return f"{'both' if scope == DYAD else _spaced(scope)}: {_called(name)}"


def value(full_name: str, x: float) -> str:
    """A value of a feature with its unit, in as many digits as mean something.

    Parameters
    ----------
    full_name
        As for `label`.
    x
        In the feature's unit; NaN, and what is not finite, is `MISSING`.

    Examples
    --------
    >>> value("client.face.smile_share", 0.1234), value("therapist.turns.latency_median_s", 0.8)
    ('12 %', '0.8 s')
    >>> value("client.head.nod_rate_per_min", 3.14), value("client.voice.f0_sd_st", float("nan"))
    ('3.1 per min', 'missing')
    """
    if not math.isfinite(x):
        return MISSING
    unit = _unit(full_name)
    if unit.endswith("/10 min"):
        of = "difference" if unit == "share/10 min" else unit.removesuffix("/10 min")
        return f"{_with_unit(x, of, signed=True)} in 10 min"
    return _with_unit(x, unit, signed=unit == "difference")


def told(full_name: str, x: float, more: str = "") -> str:
    """Label and value, the unit once: "client: nods per minute: 0.4"; `more` follows the value."""
    name, number = label(full_name), value(full_name, x)
    if name.endswith("per minute"):
        number = number.removesuffix(" per min")
    return f"{name}: {number}{more}"


def longer(full_name: str) -> str:
    """The feature's definition, in one sentence; empty where the registry has none."""
    known = _entry(full_name)
    return known.definition if known else ""


def _called(name: str) -> str:
    """What a feature is called, by its name without scope."""
    if name in LABELS:
        return LABELS[name]
    group, _, short = name.partition(".")
    if third := _THIRD.fullmatch(short):
        return f"{_called(f'{group}.{third[2]}')}, {third[1]} third"
    if slope := _SLOPE.fullmatch(short):
        return f"{_called(f'{group}.{slope[1]}')}, change over the session"
    if occasion := _OCCASION.fullmatch(short):
        return f"{_called_always(group, occasion[1], occasion[3])}, while {occasion[2]}"
    signal, _, ending = short.partition("_")
    if group == "sync" and ending in _SYNC:
        return _SYNC[ending].format(_SIGNALS.get(signal) or _spaced(signal))
    return _derived(group, short)


def _called_always(group: str, what: str, ending: str) -> str:
    """What a feature is called that is not about listening or speaking; a rate's name may leave "rate" out."""
    names = (f"{group}.{what}{ending}", f"{group}.{what}_rate{ending}")
    return _called(names[1] if names[1] in LABELS else names[0])


def _derived(group: str, short: str) -> str:
    """A label from the parts of a name."""
    stem = short if short.endswith("_per_min") else _UNIT.sub("", short)
    ending = next((end for end in _TAKEN if stem.endswith(end)), "")
    what = _spaced(stem.removesuffix(ending).removesuffix("_rate"))
    noun = _GROUPS.get(group, "")
    whole = what if what.startswith(noun) else f"{noun} {what}"
    return _TAKEN.get(ending, "{}").format(whole)


def _spaced(name: str) -> str:
    return " ".join(_CALLED.get(part, part) for part in re.split(r"[_.\s]+", name) if part) or name


def _entry(full_name: str) -> Feature | None:
    try:
        return find(full_name)
    except InputError:
        return None


def _unit(full_name: str) -> str:
    if known := _entry(full_name):
        return known.unit
    fits = (unit for ending, unit in _ENDINGS.items() if full_name.endswith(ending))
    return next(fits, "1") if is_full_name(full_name) else "1"


def _with_unit(x: float, unit: str, *, signed: bool) -> str:
    """A number with its unit; `signed`: a plus where it is above 0."""
    number = _digits(100 * x if unit in ("share", "difference") else x)
    plus = "+" if signed and x > 0 and number[0].isdigit() else ""
    return f"{plus}{number}{_AFTER.get(unit, '')}"


def _digits(x: float) -> str:
    """Two digits that mean something, all of those before the point."""
    if 0 < abs(x) < 0.001:
        return "about 0"
    return f"{x:.0f}" if abs(x) >= 9.95 else f"{x:.2g}"
