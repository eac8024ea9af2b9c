"""Synthesized speech with known beginning and end, that speech detectors hear as speech.

A source and a filter (Fant 1960): glottal pulses (Rosenberg 1971) with jitter, shimmer and a melody, shaped by four
formants in a row (Klatt 1980) that glide from vowel to vowel (Peterson & Barney 1952), with hisses and bursts for
consonants, in the rhythm of syllables. Nobody is imitated; what is said means nothing. What is easier here than in
people: every utterance begins and ends within 5 ms, at once at full voice; there is no laughter, breath, whisper or
creak between words. Nothing here comes from `vsa.voice`, which is tested with it.

Fant 1960, Acoustic theory of speech production. · Klatt 1980, Journal of the Acoustical Society of America 67. ·
Peterson & Barney 1952, ibid. 24. · Rosenberg 1971, ibid. 49.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsa.errors import InputError

Samples = NDArray[np.float32]
Doubles = NDArray[np.float64]
Stretch = tuple[float, float]

RATE_HZ = 16_000
#: Level of speech, RMS re full scale.
LEVEL = 0.06
#: Nobody says anything in less, s.
SHORTEST_S = 0.05

_BLOCK = 80  # 5 ms: how often the formants move
_VOICED = 0.1  # a closed or hissing mouth lets less of the voice through
_EDGE = 80  # 5 ms: how fast an utterance begins and ends
#: The formants of eight vowels, Hz: means of adult men (Peterson & Barney 1952), and a fourth one.
_VOWELS = np.array(
    [
        (270, 2290, 3010, 3700),
        (390, 1990, 2550, 3600),
        (530, 1840, 2480, 3600),
        (660, 1720, 2410, 3600),
        (730, 1090, 2440, 3500),
        (570, 840, 2410, 3400),
        (300, 870, 2240, 3400),
        (640, 1190, 2390, 3500),
    ],
    np.float64,
)
_WIDTHS = (70.0, 100.0, 140.0, 200.0)


@dataclass(frozen=True)
class Talker:
    """Somebody who can speak.

    Attributes
    ----------
    f0_hz
        Middle of the melody.
    tract
        How much higher the formants are than a man's: 1 for a man, about 1.17 for a woman.
    syllables_hz
        Syllables a second.

    Examples
    --------
    >>> said = WOMAN.speak(0.5, seed=1)
    >>> said.shape, said.dtype
    ((8000,), dtype('float32'))
    """

    f0_hz: float = 118.0
    tract: float = 1.0
    syllables_hz: float = 4.6

    def speak(self, seconds: float, seed: int | Sequence[int] = 0) -> Samples:
        """Say something that fills a time from its first sample to its last.

        Parameters
        ----------
        seconds
            How long it lasts, at least `SHORTEST_S`.
        seed
            What is said; the same seed says the same.

        Returns
        -------
        (n,) at `RATE_HZ`, RMS about `LEVEL`; from speaking alone, without noise of a room.

        Raises
        ------
        InputError
            When there is no time to say anything.
        """
        if not seconds >= SHORTEST_S:
            raise InputError(
                f"Nobody says anything in {seconds:g} s.", f"Give at least {SHORTEST_S:g} s to an utterance."
            )
        from scipy import signal

        rng = np.random.default_rng(seed)
        n = round(seconds * RATE_HZ)
        loud, formants, hiss = self._syllables(n, rng)
        voiced = self._filtered(self._pulses(n, rng) * loud, formants)
        high = signal.butter(2, (2500, 7000), "band", fs=RATE_HZ, output="sos")
        noise = signal.sosfilt(high, rng.standard_normal(n)) * hiss
        out = voiced / (np.sqrt(np.mean(voiced**2)) + 1e-12) + 0.5 * noise
        edge = min(_EDGE, n // 2)
        out[:edge] *= np.linspace(0, 1, edge)
        out[n - edge :] *= np.linspace(1, 0, edge)
        return np.asarray(LEVEL * out, np.float32)

    def pitch(self, seconds: float, seed: int | Sequence[int] = 0) -> Doubles:
        """Melody of what `speak` says with the same arguments, Hz, (n,) at `RATE_HZ`; NaN where the voice is off."""
        rng = np.random.default_rng(seed)
        n = round(seconds * RATE_HZ)
        loud, _, _ = self._syllables(n, rng)
        return np.where(loud > _VOICED, self._melody(n, rng), np.nan)

    def says(self, stretches: Iterable[Stretch], seconds: float, seed: int = 0) -> Samples:
        """Speak in the given stretches (start, end; s) of a track of `seconds`, (n,) at `RATE_HZ`, silent elsewhere."""
        track = np.zeros(round(seconds * RATE_HZ), np.float32)
        for k, (start, end) in enumerate(stretches):
            first = round(start * RATE_HZ)
            said = self.speak(end - start, seed=1000 * seed + k)[: max(0, len(track) - first)]
            track[first : first + len(said)] = said
        return track

    def _syllables(self, n: int, rng: np.random.Generator) -> tuple[Doubles, Doubles, Doubles]:
        """Loudness of the voice (n,), formants (blocks, 4) in Hz and loudness of hisses (n,)."""
        loud, hiss = np.full(n, 0.02), np.zeros(n)
        marks, targets = [0], [_VOWELS[rng.integers(len(_VOWELS))]]
        at = 0
        while at < n:
            length = round(RATE_HZ / self.syllables_hz * rng.uniform(0.75, 1.3))
            if n - at < 1.6 * length:
                length = n - at
            onset = round(min(0.3 * length, RATE_HZ * rng.uniform(0.03, 0.08))) if at else 0
            consonant = rng.integers(3)
            if onset and consonant == 0:  # a hiss
                hiss[at : at + onset] = 0.8 * np.hanning(onset + 2)[1:-1]
            elif onset and consonant == 1:  # a closure and a burst
                burst = min(onset, 200)
                hiss[at + onset - burst : at + onset] = np.exp(-np.arange(burst) / 60)
            else:  # a nasal or a glide: the voice goes on
                loud[at : at + onset] = 0.35
            rest = length - onset
            shape = np.minimum(1, np.minimum(np.arange(rest) / 240, (rest - np.arange(rest)) / 480))
            loud[at + onset : at + length] = rng.uniform(0.6, 1.0) * np.maximum(0.15, shape)
            marks.append(at + onset + rest // 2)
            targets.append(_VOWELS[rng.integers(len(_VOWELS))])
            at += length
        blocks = np.arange(0, n + _BLOCK, _BLOCK)
        formants = np.stack([np.interp(blocks, marks, np.array(targets)[:, k]) for k in range(4)], axis=1)
        return np.convolve(loud, np.ones(160) / 160, "same"), formants * self.tract, hiss

    def _pulses(self, n: int, rng: np.random.Generator) -> Doubles:
        """Change of the flow through the glottis (Rosenberg's pulse): falling phrases, jitter of 1%, shimmer of 4%."""
        f0 = self._melody(n, rng)
        phase = np.cumsum(f0) / RATE_HZ
        cycle = phase.astype(int)
        jitter = rng.normal(0, 0.01, cycle[-1] + 2)
        shimmer = 1 + rng.normal(0, 0.04, cycle[-1] + 2)
        within = np.clip(phase - cycle + jitter[cycle], 0, 1)
        opening = 0.5 * (1 - np.cos(np.pi * within / 0.4))
        closing = np.cos(np.pi / 2 * (within - 0.4) / 0.16)
        flow = np.where(within < 0.4, opening, np.where(within < 0.56, closing, 0.0))
        breath = 0.003 * rng.standard_normal(n)
        return np.asarray(np.diff(flow * shimmer[cycle], prepend=0.0) + breath)

    def _melody(self, n: int, rng: np.random.Generator) -> Doubles:
        """Fundamental frequency, Hz: falling phrases that sway."""
        from scipy import signal

        t = np.arange(n) / RATE_HZ
        phrase = 0.16 - 0.12 * (t % 2.4)
        sway = signal.lfilter([1], [1, -0.9995], rng.standard_normal(n))
        return np.asarray(self.f0_hz * np.exp(phrase + 0.09 * sway / (np.std(sway) + 1e-9)))

    def _filtered(self, source: Doubles, formants: Doubles) -> Doubles:
        """Each formant a resonance, one after the other, whose state goes on from block to block."""
        from scipy import signal

        out = source
        for width, centres in zip(_WIDTHS, formants.T, strict=True):
            radius = np.exp(-np.pi * width / RATE_HZ)
            done, state = np.empty_like(out), np.zeros(2)
            for block, centre in zip(range(0, len(out), _BLOCK), centres, strict=False):
                turn = 2 * radius * np.cos(2 * np.pi * centre / RATE_HZ)
                feedback = [1, -turn, radius**2]
                piece = slice(block, block + _BLOCK)
                done[piece], state = signal.lfilter([sum(feedback)], feedback, out[piece], zi=state)
            out = done
        return out


MAN = Talker()
WOMAN = Talker(f0_hz=205.0, tract=1.17, syllables_hz=4.9)
