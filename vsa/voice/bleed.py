"""Bleed: the other voice in a person's own track, through the loudspeaker or the room.

It makes a speech detector hear two people where one speaks. For every pair of tracks, the way from one voice to the
other microphone is estimated from the recording itself, where the source's own voice is the louder one:

- its delay, by whitened cross-correlation (`vsa.voice.delay`), anew every two minutes;
- its gain in 12 bands and the length of its echo, from the levels of both tracks.

Then each 10 ms of a track is its own speech or explained by the other, by two signs that fail differently. *Level*: how
far the track stands over its noise and what the source's level, gain and echo predict; a near voice is usually 10 dB
and more over the bleed. *Coherence* over 150 ms between the track and the delayed source: bleed is the same wave,
filtered; one's own voice is not, however loud. A hidden Markov model joins the steps and keeps edges sharp. Where no
way is found (headsets), nothing is taken away. The signs and their use for cross-talk between personal microphones:
Wrigley, Brown, Wan & Renals 2005; Pfau, Ellis & Stolcke 2001.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

from vsa.media.pcm import Samples, pieces
from vsa.voice import delay
from vsa.voice.activity import STEP_S, Activity, speaking, stretches
from vsa.voice.hmm import posterior, transition_matrix
from vsa.voice.spectra import Comparison, compared, decibels

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

#: A delay is believed if its correlation stands out this far (chance: under 8).
STANDS_OUT = 12.0
#: Delays that are looked for, s. Less than 0: the tracks may not be aligned to the last step.
EARLIEST_S, LATEST_S = -0.3, 1.0
#: A track this far over what the other explains (mean over bands of what is over it) is as likely its own speech as
#: not, dB; more where the way changes so much that bleed itself stands over its prediction ...
OWN_FROM_DB = 2.6
_OVER_USUAL_DB = 1.2
#: ... and so much more of it changes the odds by a factor of e. Fitted to simulated calls with known truth.
_DB_PER_E = 0.7
#: The most that coherence can change the odds by (as a power of e).
_COHERENCE_SAYS = 3.0

#: Speech that has bleed right beside it counts as one's own from this length on, s; a short "mm" lasts about as long.
SHORTEST_S = 0.18

_SPLINTER = 0.1  # how likely shorter ones are one's own
_WINDOW_S = 2.0
_BLOCK_S = 120.0
_WINDOWS_A_BLOCK = 15
#: Echoes that are tried: time to fall by 60 dB, s.
_ECHOES_S = (0.0, 0.15, 0.3, 0.5, 0.8)
#: How often a second own voice and bleed follow on each other, and how many steps together are one new sign.
_CHANGES_PER_S, _SAME_AGAIN = 0.5, 4.0
#: A track's noise: it lies under its level for this share of the time, %, and its mean so far over that level, dB.
_QUIET_PERCENT, _NOISE_OVER_DB = 10.0, 3.0
_STEPS_AT_LEAST = 100
_MIRRORED_S, _MIRRORED_DB = 0.005, 10.0
#: Coherence of two voices that have nothing to do with each other.
_BY_CHANCE = 0.1


@dataclass(frozen=True)
class BleedPath:
    """The way from one person's voice to another's microphone.

    Attributes
    ----------
    source, heard_in
        Which track's voice, and in which track (their places in the input).
    found
        Whether there is such a way. If not, the other values are NaN.
    delay_s
        How much later it is heard, s.
    level_db
        Level of the bleed re the source's own track, dB.
    echo_s
        Time in which the echo falls by 60 dB, s, of those that were tried; 0: none.
    removed_share
        Share of `heard_in`'s detected speech that was bleed.
    """

    source: int
    heard_in: int
    found: bool
    delay_s: float
    level_db: float
    echo_s: float
    removed_share: float


@dataclass(frozen=True)
class OwnSpeech:
    """Speech of each track's own person.

    Attributes
    ----------
    activities
        As they came in, with the probability lowered where the sound is bleed.
    paths
        One for each ordered pair of tracks.
    """

    activities: tuple[Activity, ...]
    paths: tuple[BleedPath, ...]


def own_speech(tracks: Sequence[Samples], activities: Sequence[Activity], rate_hz: int = 16_000) -> OwnSpeech:
    """Tell each person's own speech from the others' bleed.

    Parameters
    ----------
    tracks
        (n,) each, all from the same time on, aligned (`vsa.voice.tracks.on_common_time`).
    activities
        What `speech_probability` says of each.
    rate_hz
        Of the tracks.

    Returns
    -------
    OwnSpeech
    """
    if len(tracks) < 2:
        return OwnSpeech(tuple(activities), ())
    thin = [delay.thinned(track, rate_hz) for track in tracks]
    heard = [speaking(one.probability) for one in activities]
    loud = [_loud(track, spoken) for track, spoken in zip(thin, heard, strict=True)]
    found = {}
    for mine, other in permutations(range(len(tracks)), 2):
        leads = _leads(loud[other], loud[mine], heard[other])
        found[other, mine] = _own(thin[mine], thin[other], heard[mine], leads, (other, mine))
    for pair in _mirrored({pair: path for pair, (path, _) in found.items()}):
        found[pair] = _nothing(pair), np.ones_like(found[pair][1])
    out = []
    for mine, activity in enumerate(activities):
        own = np.min([chance for (_, heard_in), (_, chance) in found.items() if heard_in == mine], axis=0)
        out.append(Activity(activity.step_s, activity.probability * own))
    return OwnSpeech(tuple(out), tuple(path for path, _ in found.values()))


def _mirrored(paths: dict[tuple[int, int], BleedPath]) -> list[tuple[int, int]]:
    """Ways that are another one seen backwards: as early as that is late.

    Of two such, that one is no way which would make the voice louder, else the much weaker one, else the one by which
    the voice would be heard before it speaks.
    """
    out = []
    for (source, heard_in), path in paths.items():
        back = paths[heard_in, source]
        if source > heard_in or not (
            path.found and back.found and abs(path.delay_s + back.delay_s) < _MIRRORED_S
        ):
            continue
        if max(path.level_db, back.level_db) > 0:
            wrong = path.level_db > back.level_db
        elif abs(path.level_db - back.level_db) > _MIRRORED_DB:
            wrong = path.level_db < back.level_db
        elif abs(path.delay_s) > _MIRRORED_S:
            wrong = path.delay_s < 0
        else:
            continue
        out.append((source, heard_in) if wrong else (heard_in, source))
    return out


def _nothing(pair: tuple[int, int]) -> BleedPath:
    return BleedPath(*pair, False, np.nan, np.nan, np.nan, 0.0)


def _loud(track: Samples, spoken: Bools) -> Floats:
    """Level of each 10 ms, dB re the loud parts of what was detected as speech."""
    step = round(STEP_S * delay.RATE_HZ)
    whole = (x[: len(x) // step * step].reshape(-1, step) for x in pieces(track, 10_000 * step))
    level = np.concatenate([np.empty(0, np.float32), *(decibels(np.mean(x * x, axis=1)) for x in whole)])
    level = np.pad(level, (0, max(0, len(spoken) - len(level))), constant_values=-120.0)[: len(spoken)]
    reference = np.percentile(level[spoken], 95) if spoken.any() else 0.0
    return np.asarray(level - reference, np.float32)


def _leads(other: Floats, mine: Floats, spoken: Bools) -> Bools:
    """Where the other speaks and is, each re its own loud parts, louder than I am."""
    m = min(len(other), len(mine), len(spoken))
    if m == 0:
        return np.zeros(0, np.bool_)
    wide = np.full(20, 1 / 20)
    return spoken[:m] & (np.convolve(other[:m] - mine[:m], wide, "same") > 0)


def _own(
    mine: Samples, other: Samples, heard: Bools, leads: Bools, pair: tuple[int, int]
) -> tuple[BleedPath, Floats]:
    """The way from the other to me, and how likely each of my steps is my own."""
    certain = np.ones(len(heard), np.float32)
    if np.count_nonzero(leads) < _STEPS_AT_LEAST or not heard.any():
        return _nothing(pair), certain
    blocks = _delays(other, mine, leads)
    if not blocks:
        return _nothing(pair), certain
    seen = compared(other, mine, blocks, len(heard))
    use = np.pad(leads, (0, max(0, len(heard) - len(leads))))[: len(heard)]
    gains, echo_s, apart = _levels(seen, use)
    over = np.clip(apart, 0, 20).mean(axis=1)
    limit = max(OWN_FROM_DB, float(np.median(over[use])) + _OVER_USUAL_DB)
    odds = np.clip((over - limit) / _DB_PER_E, -6, 6) - _by_coherence(seen.coherence, apart.mean(axis=1), use)
    changes = transition_matrix(np.full((2, 2), _CHANGES_PER_S), STEP_S)
    signs = np.stack([np.zeros_like(odds), odds / _SAME_AGAIN], axis=1)
    chance = posterior(signs, changes, np.full(2, 0.5))[:, 1].copy()
    for start, end in stretches(heard & (chance >= 0.5)):
        beside = heard[max(0, start - 1) : start].any() or heard[end : end + 1].any()
        if beside and (end - start) * STEP_S < SHORTEST_S:
            chance[start:end] = _SPLINTER
    removed = float(np.count_nonzero(heard & (chance < 0.5)) / np.count_nonzero(heard))
    late = float(np.median([lag for _, _, lag in blocks])) / delay.RATE_HZ
    return BleedPath(*pair, True, late, float(gains.mean()), echo_s, removed), chance


def _delays(source: Samples, heard: Samples, leads: Bools) -> list[tuple[int, int, int]]:
    """Delay (samples) in each stretch of the tracks (first and last sample); empty if none stands out."""
    rate = delay.RATE_HZ
    windows = delay.Windows(round(_WINDOW_S * rate), round(EARLIEST_S * rate), round(LATEST_S * rate))
    step, block = round(STEP_S * rate), round(_BLOCK_S * rate)
    ends = [*range(block, max(len(source), len(heard)), block), max(len(source), len(heard))]
    sums = []
    for end in ends:
        starts = _busiest(leads, (end - block) // step, end // step, windows.length // step)
        total = np.zeros(windows.lags, np.float32)
        for curve in delay.curves(source, heard, [start * step for start in starts], windows):
            total += _widest(curve)
        sums.append((len(starts), total))
    whole = sum((total for _, total in sums), np.zeros(windows.lags, np.float32))
    if not any(count for count, _ in sums) or delay.standing_out(whole) < STANDS_OUT:
        return []
    usual = round(delay.peak_lag(whole, windows.first_lag))
    lags = [
        round(delay.peak_lag(total, windows.first_lag))
        if count and delay.standing_out(total) > STANDS_OUT
        else usual
        for count, total in sums
    ]
    return [(max(0, end - block), end, lag) for end, lag in zip(ends, lags, strict=True)]


def _busiest(leads: Bools, first: int, last: int, length: int) -> list[int]:
    """Starts (steps) of the windows in which the source leads most: at least a third of the time."""
    starts = range(max(0, first), min(last, len(leads)) - length // 2, length)
    shares = {start: float(leads[start : start + length].mean()) for start in starts}
    chosen = sorted(shares, key=lambda start: -shares[start])[:_WINDOWS_A_BLOCK]
    return [start for start in chosen if shares[start] > 1 / 3]


def _widest(curve: Floats) -> Floats:
    """Let each peak be 1 ms wide, so that those of windows add up although the clocks drift a little."""
    from scipy.ndimage import maximum_filter1d

    return np.asarray(maximum_filter1d(curve, 9), np.float32)


def _levels(seen: Comparison, use: Bools) -> tuple[Floats, float, Floats]:
    """Gain of each band (dB), echo (s), and how far each band of each step is from the prediction (m, BANDS), dB."""
    mine = decibels(seen.heard)
    best: tuple[float, Floats, float, Floats] | None = None
    for echo_s in _ECHOES_S:
        predicted = _with_echo(seen.source, echo_s)
        apart = (mine - decibels(predicted))[use]
        gains = np.median(apart, axis=0)
        spread = float(np.median(np.abs(apart - gains)))
        if best is None or spread < best[0]:
            best = spread, gains, echo_s, predicted
    assert best is not None
    _, gains, echo_s, predicted = best
    noise = np.percentile(seen.heard, _QUIET_PERCENT, axis=0) * 10 ** (_NOISE_OVER_DB / 10)
    apart = np.clip(mine - decibels(predicted * 10 ** (gains / 10) + noise), -10, 20)
    return np.asarray(gains, np.float32), echo_s, np.asarray(apart, np.float32)


def _with_echo(power: Floats, echo_s: float) -> Floats:
    from scipy.signal import lfilter

    if not echo_s:
        return power
    keeps = 10 ** (-6 * STEP_S / echo_s)
    return np.asarray(lfilter([1 - keeps], [1, -keeps], power, axis=0), np.float32)


def _by_coherence(coherence: Floats, over: Floats, use: Bools) -> Floats:
    """How much coherence speaks for bleed, as a power of e; 0 where bleed and own voice hardly differ in it."""
    own, bleed = coherence[~use & (over > 10)], coherence[use & (np.abs(over) < 3)]
    enough = _STEPS_AT_LEAST // 4
    low = float(np.median(own)) if len(own) >= enough else _BY_CHANCE
    high = float(np.median(bleed)) if len(bleed) >= enough else low
    if high - low < 0.1:
        return np.zeros(len(coherence), np.float32)
    between = (coherence - low - 0.4 * (high - low)) / (high - low)
    return np.asarray(np.clip(8 * between, -_COHERENCE_SAYS, _COHERENCE_SAYS), np.float32)
