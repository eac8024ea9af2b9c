"""How each turn is spoken: pitch, loudness, syllables and pauses, measured over its whole length.

Everything is measured where this person's own sound is known: in mixed sound that is where nobody else speaks.
Backchannels are no turns (`vsa.voice.turns`), and a turn that began within a part of a session counts whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsa.features.memo import once
from vsa.features.person import STEP_S, Voice
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats
from vsa.voice.prosody import semitones, syllable_nuclei
from vsa.voice.turns import TURN

#: A turn with less voiced speech than this has no pitch and loudness, s.
VOICED_S = 0.5
#: A turn with less speech than this has no rate, s: in shorter ones one syllable more or less decides.
RATE_S = 2.0


@dataclass(frozen=True, eq=False)
class SpokenTurns:
    """One person's turns in order of time; every array has shape (k,).

    Attributes
    ----------
    start_s, end_s
        Of the turn, as in the session's turns.
    spoken_s, silent_s
        How long this person speaks and is silent in it; time in which it isn't known of everybody whether they speak is
        in neither.
    heard_s
        How much of `spoken_s` has a sound that can be measured.
    syllables
        Syllable nuclei in it.
    f0_st, intensity_db
        Medians of its voiced speech, relative to this person's median of the whole session; NaN with less than
        `VOICED_S`.
    """

    start_s: Floats
    end_s: Floats
    spoken_s: Floats
    silent_s: Floats
    heard_s: Floats
    syllables: Floats
    f0_st: Floats
    intensity_db: Floats

    @property
    def articulation_per_s(self) -> Floats:
        """Syllables per second of speech, pauses left out; NaN with less than `RATE_S` of speech."""
        enough = self.heard_s >= RATE_S - 1e-9
        return np.where(enough, self.syllables / np.where(enough, self.heard_s, 1.0), np.nan)

    @property
    def speech_per_s(self) -> Floats:
        """Syllables per second of the turn, pauses included; NaN with less than `RATE_S` of speech."""
        whole = self.spoken_s + self.silent_s
        return self.articulation_per_s * np.where(
            whole > 0, self.spoken_s / np.where(whole > 0, whole, 1.0), 0.0
        )


def voiced(voice: Voice) -> Flags:
    """Where this person speaks with a pitch, shape (m,)."""
    return voice.speaking & np.isfinite(voice.f0_hz)


def heard(voice: Voice) -> Flags:
    """Where this person speaks and the sound is known to be this person's, shape (m,)."""
    return voice.speaking & np.isfinite(voice.intensity_db)


@once
def syllables(voice: Voice) -> Flags:
    """Steps that hold a syllable nucleus of this person's speech, shape (m,)."""
    at_s = syllable_nuclei(voice.intensity_db, voice.f0_hz, voice.speaking)
    out = np.zeros(len(voice.speaking), np.bool_)
    out[np.floor(at_s / STEP_S).astype(np.int64)] = True
    return out


@once
def spoken_turns(session: Session) -> Mapping[str, SpokenTurns]:
    """Turns of everybody who has a voice, by scope; {} if it is not known who speaks."""
    known = _known(session)
    return {
        scope: _spoken(turns_by(session, scope), voice.own, known) for scope, voice in session.voices.items()
    }


def turns_by(session: Session, scope: str) -> pd.DataFrame:
    """Turns of this person without backchannels, in order of time: rows of the session's `turns`."""
    assert session.turns is not None  # there are no voices without turns
    table = session.turns.turns
    return table[(table["participant"] == scope) & (table["kind"] == TURN)]


def _known(session: Session) -> Flags:
    """Where it is known of everybody whether they speak, over the whole session."""
    return np.asarray(np.logical_and.reduce([voice.own.known for voice in session.voices.values()]))


def _steps(turns: pd.DataFrame, voice: Voice) -> tuple[np.ndarray, np.ndarray]:
    """First step of each turn, and the one after its last, shape (k,) each."""
    first, last = (
        np.clip(
            np.rint((turns[edge].to_numpy(np.float64) - voice.start_s) / STEP_S), 0, len(voice.known)
        ).astype(np.int64)
        for edge in ("start", "end")
    )
    return first, last


def _spoken(turns: pd.DataFrame, voice: Voice, known: Flags) -> SpokenTurns:
    first, last = _steps(turns, voice)
    own = voiced(voice)
    pitch = semitones(np.where(own, voice.f0_hz, np.float32(np.nan)))
    loudness = np.where(own, voice.intensity_db, np.float32(np.nan))
    if np.isfinite(loudness).any():
        loudness = loudness - np.nanmedian(loudness)

    def total(flags: Flags) -> Floats:
        below = np.concatenate([[0], np.cumsum(flags)])
        return np.asarray(below[last] - below[first], np.float64)

    def medians(values: np.ndarray) -> Floats:
        return np.array([_median(values[a:b]) for a, b in zip(first, last, strict=True)], np.float64)

    return SpokenTurns(
        start_s=turns["start"].to_numpy(np.float64),
        end_s=turns["end"].to_numpy(np.float64),
        spoken_s=total(voice.speaking & known) * STEP_S,
        silent_s=total(~voice.speaking & known) * STEP_S,
        heard_s=total(heard(voice)) * STEP_S,
        syllables=total(syllables(voice)),
        f0_st=medians(pitch),
        intensity_db=medians(loudness),
    )


def _median(values: np.ndarray) -> float:
    """Of those that are there; NaN if they last less than `VOICED_S`."""
    there = values[np.isfinite(values)]
    return float(np.median(there)) if len(there) * STEP_S >= VOICED_S - 1e-9 else float("nan")
