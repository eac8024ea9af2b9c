"""Plain words for features: a short label with whose it is, and values with their unit as people write them.

The core set and what is often met has labels by hand; those of all others (thirds of the session, slopes, synchrony,
a study's own columns) are made from their names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from vsa.errors import InputError
from vsa.features.registry import DYAD, Feature, find, is_full_name

#: What a value that is not there is called.
MISSING = "missing"

_TOWARD = "looking toward the screen"
#: By name: of the core set first, then what would read badly if it were made from the name.
_LABELS: Mapping[str, str] = {
    "gaze.on_screen_share": f"share of time {_TOWARD}",
    "gaze.mutual_share": "share of time looking toward their screens",
    "face.smile_share": "share of time smiling",
    "face.shared_smile_share": "share of time smiling together",
    "face.expressivity_per_s": "movement of the face",
    "head.movement_deg_per_s": "speed of head movement",
    "head.nod_rate_per_min": "nods per minute",
    "voice.f0_sd_st": "spread of pitch",
    "voice.speech_rate_per_s": "syllables per second, pauses included",
    "turns.talk_share": "share of the talking",
    "turns.latency_median_s": "typical wait before taking the turn",
    "turns.backchannel_rate_per_min": 'short sounds of listening ("mm-hm") per minute',
    "turns.silence_share": "silence share",
    "turns.overlap_share": "share of the talking in which they overlap",
    "gaze.aside_share": "share of time looking aside",
    "gaze.aversion_median_s": "typical length of looks away",
    "gaze.aversion_rate_per_min": "looks away per minute",
    "gaze.away_at_turn_start_share": "share of own turns begun looking away",
    "gaze.back_at_turn_end_share": f"share of own turns ended {_TOWARD}",
    "gaze.dispersion_deg": "typical distance of gaze from home",
    "gaze.down_share": "share of time looking down",
    "gaze.home_pitch_deg": "usual gaze, up or down",
    "gaze.home_yaw_deg": "usual gaze, left or right",
    "gaze.listening_speaking_difference": f"{_TOWARD}, listening less speaking",
    "gaze.looks_away_first_share": "share of shared looks ended first",
    "gaze.mutual_lift": "looking toward their screens, beyond chance",
    "gaze.mutual_median_s": "typical length of looks toward their screens",
    "gaze.mutual_rate_per_min": "looks toward their screens per minute",
    "gaze.on_screen_median_s": "typical length of looks toward the screen",
    "gaze.shift_rate_per_min": "jumps of gaze per minute",
    "blink.closed_share": "share of time with closed eyes",
    "blink.duration_median_s": "typical length of blinks",
    "blink.interval_cv": "unevenness of blinking",
    "blink.rate_per_min": "blinks per minute",
    "face.brow_raise_share": "share of time with raised brows",
    "face.duchenne_share": "share of smiles that narrow the eyes",
    "face.flat_share": "share of time with a resting face",
    "face.frown_share": "share of time with lowered brows",
    "face.jaw_open_sd_score": "movement of the jaw",
    "face.jaw_speaking_sd_score": "movement of the jaw, while speaking",
    "face.lip_press_share": "share of time with pressed lips, not speaking",
    "face.lower_expressivity_per_s": "movement of mouth and jaw",
    "face.upper_expressivity_per_s": "movement of the brows",
    "face.mimicry_r": "smile and brows following the other's",
    "face.shared_smile_lift": "smiling together, beyond chance",
    "face.smile_answer_latency_median_s": "typical wait before answering a smile",
    "face.smile_answer_lift": "smiles answered, beyond chance",
    "face.smile_answer_share": "share of the other's smiles answered",
    "face.smile_duration_median_s": "typical length of smiles",
    "face.smile_first_share": "share of shared smiles begun first",
    "face.smile_intensity_score": "strength of smiles",
    "face.smile_rate_per_min": "smiles per minute",
    "head.facing_share": "share of time with the head in its usual direction",
    "head.lean_back_share": "share of time leaning back",
    "head.lean_in_share": "share of time leaning in",
    "head.lowered_share": "share of time with lowered head",
    "head.distance_cm": "distance from the camera",
    "head.distance_slope_percent_per_10min": "distance from the camera, change over the session",
    "head.motion_energy_per_s": "movement in the picture",
    "head.nod_listening_lift": "nods while listening, beyond chance",
    "head.posture_shift_rate_per_min": "changes of posture per minute",
    "head.pitch_sd_deg": "spread of head turns up and down",
    "head.roll_sd_deg": "spread of head tilts",
    "head.yaw_sd_deg": "spread of head turns to the side",
    "head.shake_rate_per_min": "head shakes per minute",
    "head.still_share": "share of time with the head still",
    "head.tilt_share": "share of time with the head tilted",
    "head.translation_cm_per_s": "speed of the head sideways and up and down",
    "voice.articulation_rate_per_s": "syllables per second, pauses left out",
    "voice.pause_share": "share of own turns that is pauses",
    "voice.rate_convergence_r": "growing alike in speech rate",
    "voice.rate_proximity_per_s": "nearness in speech rate of neighbouring turns",
    "voice.rate_synchrony_r": "likeness in speech rate of neighbouring turns",
    "voice.speech_rate_sd_per_s": "spread of speech rate",
    "voice.voiced_share": "share of own speech with a pitch",
    "turns.gap_iqr_s": "spread of silences before taking the turn",
    "turns.gap_median_s": "typical silence before taking the turn",
    "turns.hold_share": "share of own pauses after which the turn goes on",
    "turns.interruption_asymmetry": "who interrupts more",
    "turns.interruption_failed_rate_per_min": "interruptions that leave the other the turn, per minute",
    "turns.interruption_rate_per_min": "interruptions that take the turn, per minute",
    "turns.latency_p90_s": "longest waits before taking the turn",
    "turns.latency_coupling_r": "likeness of their waits before taking the turn",
    "turns.latency_slope_s_per_10min": "wait before taking the turn, change over the session",
    "turns.long_gap_share": "share of turns taken after more than 2 s",
    "turns.long_silence_rate_per_min": "silences of 3 s or longer per minute",
    "turns.monologue_share": "share of own speech in turns of 30 s or longer",
    "turns.overlap_start_share": "share of turns begun before the other's end",
    "turns.pause_median_s": "typical length of pauses",
    "turns.rhythm_cv": "unevenness of the rhythm of turns",
    "turns.silence_breaking_share": "share of long silences ended by speaking",
    "turns.transfer_offset_iqr_s": "spread of the time between turns",
    "turns.transfer_offset_median_s": "typical time between turns",
    "turns.transition_rate_per_min": "changes of speaker per minute",
    "turns.turn_median_s": "typical length of turns",
    "turns.turn_p90_s": "length of the longest turns",
    "quality.both_tracked_share": "share of the session with both faces followed",
    "quality.bleed_db": "loudness of others on the own track",
    "quality.dark_share": "share of time in a dark picture",
    "quality.eyes_share": "share of the session with readable eyes",
    "quality.frontal_share": "share of the session seen from the front",
    "quality.frozen_share": "share of time with a frozen picture",
    "quality.lost_rate_per_min": "losses of the face per minute",
    "quality.snr_db": "sound above noise",
    "quality.speakers_known_share": "share of the session with known speakers",
    "quality.speech_known_share": "share of the session with known speech",
    "quality.speech_share": "share of the session spoken",
    "quality.sync_offset_s": "delay of the sound",
    "quality.tracked_share": "share of the session with the face followed",
}
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
    if name in _LABELS:
        return _LABELS[name]
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
    return _called(names[1] if names[1] in _LABELS else names[0])


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
