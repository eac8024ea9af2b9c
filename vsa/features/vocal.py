"""How one person's voice sounds: pitch, loudness and timbre; speed and pauses are in `vsa.features.pace`.

Pitch spreads are in semitones, so that high and low voices compare. Loudness is relative to the person's own, and
taken where the voice is voiced: between syllables the room and the call's noise gate would decide. A spread is the
interquartile range divided by 1.349, which is the standard deviation if values are normally distributed: up to a
quarter of octave errors and breathy edges on each side don't move it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vsa.features.limits import LEVEL_S, enough, need_speech, voice_of
from vsa.features.person import Voice
from vsa.features.registry import feature
from vsa.features.session import Session
from vsa.features.signals import Flags
from vsa.features.turn_prosody import heard, voiced
from vsa.voice.prosody import semitones

#: Speech is voiced half of the time, so that this much voiced speech is in `LEVEL_S` of speech.
LEAST_VOICED_S = LEVEL_S / 2
#: Interquartile range of a normal distribution with a standard deviation of 1.
NORMAL_IQR = 1.349
#: A range is from the first to the second of these percentiles.
RANGE = (5, 95)

_MINIMUM = f"{LEVEL_S:.0f} s of speech, {LEAST_VOICED_S:.0f} s of it voiced"
_GEMAPS = "Eyben et al. 2016 (GeMAPS)"


@feature(
    "voice.f0_median_hz",
    unit="Hz",
    range=(60.0, 600.0),
    needs=("voice",),
    minimum=_MINIMUM,
    source="YIN, de Cheveigné & Kawahara 2002; median against octave errors.",
)
def f0_median_hz(session: Session, role: str) -> float:
    """Median pitch of the voice."""
    return float(np.median(_pitch_hz(session, role)))


@feature(
    "voice.f0_sd_st",
    unit="st",
    range=(0.0, None),
    needs=("voice",),
    minimum=_MINIMUM,
    source=f"Spread of pitch in semitones as in {_GEMAPS}; the robust estimate is a convention of this project.",
)
def f0_sd_st(session: Session, role: str) -> float:
    """Spread of pitch: its interquartile range in semitones, scaled to a standard deviation."""
    return spread(semitones(_pitch_hz(session, role)))


@feature(
    "voice.f0_range_st",
    unit="st",
    range=(0.0, None),
    needs=("voice",),
    minimum=_MINIMUM,
    source=f"Percentile range of pitch as in {_GEMAPS} (20th to 80th there); 5th to 95th: convention of this project.",
)
def f0_range_st(session: Session, role: str) -> float:
    """Range of pitch from its 5th to its 95th percentile, in semitones."""
    return width(semitones(_pitch_hz(session, role)))


@feature(
    "voice.voiced_share",
    unit="share",
    needs=("voice",),
    minimum=f"{LEVEL_S:.0f} s of speech",
    source="Convention of this project. Whispered, creaky and breathy speech is less voiced, and so is noisy sound.",
)
def voiced_share(session: Session, role: str) -> float:
    """Share of this person's speech in which the voice has a pitch."""
    voice = _speaker(session, role)
    sound = heard(voice)
    seconds = enough(voice.seconds(sound), LEVEL_S, "the sound of this person's speech is known")
    return voice.seconds(voiced(voice) & sound) / seconds


@feature(
    "voice.intensity_sd_db",
    unit="dB",
    range=(0.0, None),
    needs=("voice",),
    minimum=_MINIMUM,
    source=f"Spread of loudness as in {_GEMAPS}; of voiced speech, and robust: conventions of this project.",
)
def intensity_sd_db(session: Session, role: str) -> float:
    """Spread of the loudness of voiced speech: its interquartile range, scaled to a standard deviation."""
    return spread(_loudness_db(session, role))


@feature(
    "voice.intensity_range_db",
    unit="dB",
    range=(0.0, None),
    needs=("voice",),
    minimum=_MINIMUM,
    source=f"Percentile range of loudness as in {_GEMAPS} (20th to 80th there); the rest as voice.intensity_sd_db.",
)
def intensity_range_db(session: Session, role: str) -> float:
    """Range of the loudness of voiced speech from its 5th to its 95th percentile."""
    return width(_loudness_db(session, role))


@feature(
    "voice.spectral_tilt_db",
    unit="dB",
    needs=("voice",),
    minimum=f"{_MINIMUM}; sound up to 5 kHz",
    source=f"Alpha ratio, {_GEMAPS}, from Sundberg & Nordenberg 2006. It depends on microphone and codec.",
)
def spectral_tilt_db(session: Session, role: str) -> float:
    """Median energy at 1-5 kHz against that below 1 kHz in voiced speech: high if pressed, low if soft."""
    return float(np.median(_tilt_db(session, role)))


@feature(
    "voice.spectral_tilt_sd_db",
    unit="dB",
    range=(0.0, None),
    needs=("voice",),
    minimum=f"{_MINIMUM}; sound up to 5 kHz",
    source="As voice.spectral_tilt_db; the robust estimate is a convention of this project.",
)
def spectral_tilt_sd_db(session: Session, role: str) -> float:
    """Spread of the spectral tilt of voiced speech: its interquartile range, scaled to a standard deviation."""
    return spread(_tilt_db(session, role))


def spread(values: npt.NDArray[np.float32]) -> float:
    """Interquartile range, divided by `NORMAL_IQR`; shape (n,), all finite."""
    low, high = np.percentile(values, [25, 75])
    return float(high - low) / NORMAL_IQR


def width(values: npt.NDArray[np.float32]) -> float:
    """From the lower to the upper percentile of `RANGE`; shape (n,), all finite."""
    low, high = np.percentile(values, RANGE)
    return float(high - low)


def _speaker(session: Session, role: str) -> Voice:
    voice = voice_of(session, role)
    need_speech(voice, LEVEL_S)
    return voice


def _measured(session: Session, role: str, values: str, what: str) -> npt.NDArray[np.float32]:
    """Values of voiced speech that are there, shape (n,)."""
    voice = _speaker(session, role)
    column: npt.NDArray[np.float32] = getattr(voice, values)
    there: Flags = voiced(voice) & np.isfinite(column)
    enough(voice.seconds(there), LEAST_VOICED_S, what)
    return column[there]


def _pitch_hz(session: Session, role: str) -> npt.NDArray[np.float32]:
    return _measured(session, role, "f0_hz", "this person's voice has a pitch")


def _loudness_db(session: Session, role: str) -> npt.NDArray[np.float32]:
    return _measured(session, role, "intensity_db", "the loudness of this person's voice is known")


def _tilt_db(session: Session, role: str) -> npt.NDArray[np.float32]:
    return _measured(
        session, role, "spectral_tilt_db", "the spectral tilt (voiced speech, sound up to 5 kHz) is known"
    )
