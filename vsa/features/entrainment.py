"""Whether two people come to speak alike: pitch, loudness and speed of neighbouring turns.

Levitan & Hirschberg (2011) tell three things apart at the level of turns, and so do we, for each of pitch, loudness
and speed:

- *proximity*: neighbouring turns of the two are more alike than turns that are no neighbours;
- *convergence*: the difference between neighbouring turns shrinks in the course of the session;
- *synchrony*: where one's turn is high for this person, the other's next to it is high for the other.

Ours differ from theirs where calls ask for it. A turn is measured over its whole length, not at the edge that
touches the other's. Pitch and loudness are relative to each person's own median of the session, as voices and
microphones differ; so convergence is about the course of both, and two levels that wander toward each other are not
seen in it. Proximity compares with all turns that are no neighbours, not with ten drawn at random. Correlations
are of ranks (Spearman), so that one odd turn does not decide.

Levitan & Hirschberg 2011, Measuring acoustic-prosodic entrainment with respect to multiple levels and dimensions.
Interspeech.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vsa.features.limits import SEVERAL, need_count, pair_of, turns_of, voice_of
from vsa.features.memo import once
from vsa.features.registry import Expect, Function, TooLittle, feature
from vsa.features.session import Session
from vsa.features.signals import Floats
from vsa.features.turn_prosody import RATE_S, VOICED_S, SpokenTurns, spoken_turns

Indices = npt.NDArray[np.int64]

_SOURCE = "Levitan & Hirschberg 2011"
_VOICED = f"turns with {VOICED_S} s of voiced speech"
_SPOKEN = f"turns with {RATE_S:.0f} s of speech"


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Where the floor passes between the two people of the pair, in order of time; arrays of shape (k,).

    Attributes
    ----------
    first, second
        The turns of the two people.
    of_first, of_second
        Which of their turns meet.
    at_s
        When the later of the two begins, s.
    """

    first: SpokenTurns
    second: SpokenTurns
    of_first: Indices
    of_second: Indices
    at_s: Floats


@once
def neighbours(session: Session) -> Neighbours:
    """Find the neighbouring turns of the pair; `TooLittle` says why there is no pair."""
    turns = turns_of(session)
    pair = pair_of(session)
    for scope in pair:
        voice_of(session, scope)
    spoken = [spoken_turns(session)[scope] for scope in pair]
    starts = [_index(one.start_s) for one in spoken]
    ends = [_index(one.end_s) for one in spoken]
    met = []
    table = turns.transfers
    for who, before, start, offset in zip(
        table["participant"], table["previous"], table["start"], table["offset"], strict=True
    ):
        if {who, before} != set(pair):
            continue
        new = pair.index(who)
        which = {new: starts[new].get(_micro(start)), 1 - new: ends[1 - new].get(_micro(start - offset))}
        # the turn before may have begun before this part of the session
        if which[0] is not None and which[1] is not None:
            met.append((which[0], which[1], start))
    of_first, of_second, at_s = np.array(met, np.float64).reshape(-1, 3).T
    first, second = spoken
    return Neighbours(first, second, of_first.astype(np.int64), of_second.astype(np.int64), at_s)


def proximity(first: Floats, second: Floats, of_first: Indices, of_second: Indices) -> float:
    """How much more alike neighbouring values are than values that are no neighbours.

    For each value of a pair of neighbours, its mean absolute difference from the other person's values that are no
    neighbours of it; the mean of these, minus the mean absolute difference of neighbours.

    Parameters
    ----------
    first, second
        Values of the two people's turns, shapes (n,) and (m,); NaN is left out.
    of_first, of_second
        Indices of neighbours, shape (k,) each.

    Returns
    -------
    In the values' unit; 0 is expected for turns that don't depend on each other. NaN where nothing can be compared.
    """
    apart = np.abs(first[:, None] - second[None, :])
    other = np.isfinite(apart)
    meet = other[of_first, of_second]
    other[of_first, of_second] = False
    apart = np.where(np.isfinite(apart), apart, 0.0)
    difference = apart[of_first, of_second]
    with np.errstate(invalid="ignore"):
        by_first = (apart * other).sum(1) / other.sum(1)
        by_second = (apart * other).sum(0) / other.sum(0)
    usual = (by_first[of_first] + by_second[of_second]) / 2
    there = meet & np.isfinite(usual)
    return float(np.mean(usual[there] - difference[there])) if there.any() else float("nan")


def rank_r(x: Floats, y: Floats) -> float:
    """Spearman's correlation; `TooLittle` if one of them is the same throughout."""
    from scipy.stats import rankdata

    ranks = rankdata(np.round(x, 4)), rankdata(np.round(y, 4))
    if min(np.ptp(one) for one in ranks) == 0:
        raise TooLittle("the turns don't differ")
    return float(np.clip(np.corrcoef(*ranks)[0, 1], -1.0, 1.0))


def _dyadic(
    name: str, unit: str, what: str, *, source: str = _SOURCE, expect: Expect = "none"
) -> Callable[[Function], Function]:
    """What the entries below have in common."""
    return feature(
        name,
        scope="dyad",
        unit=unit,
        range=(-1.0, 1.0) if unit == "r" else (None, None),
        expect=expect,
        needs=("voice", "turns"),
        minimum=f"{SEVERAL} pairs of neighbouring {what}",
        source=source,
    )


@_dyadic("voice.f0_proximity_st", "st", _VOICED)
def f0_proximity_st(session: Session, _: str) -> float:
    """How much nearer in pitch neighbouring turns of the two are, each re own median, than other turns of theirs."""
    return _proximity(session, "f0_st", _VOICED)


@_dyadic("voice.intensity_proximity_db", "dB", _VOICED)
def intensity_proximity_db(session: Session, _: str) -> float:
    """How much nearer in loudness neighbouring turns of the two are, each re own median, than other turns of theirs."""
    return _proximity(session, "intensity_db", _VOICED)


@_dyadic(
    "voice.rate_proximity_per_s",
    "1/s",
    _SPOKEN,
    source=f"{_SOURCE}; re own median as the other two, for a constant difference would hide what happens.",
)
def rate_proximity_per_s(session: Session, _: str) -> float:
    """How much nearer in syllables per second neighbouring turns are, each re own median, than others of theirs."""
    return _proximity(session, "articulation_per_s", _SPOKEN)


@_dyadic("voice.f0_convergence_r", "r", _VOICED)
def f0_convergence_r(session: Session, _: str) -> float:
    """Whether neighbouring turns grow alike in pitch (re own median): rank correlation of -|difference| with time."""
    return _convergence(session, "f0_st", _VOICED)


@_dyadic("voice.intensity_convergence_r", "r", _VOICED)
def intensity_convergence_r(session: Session, _: str) -> float:
    """Whether neighbouring turns grow alike in loudness (re own median): rank correlation of -|difference| and time."""
    return _convergence(session, "intensity_db", _VOICED)


@_dyadic("voice.rate_convergence_r", "r", _SPOKEN)
def rate_convergence_r(session: Session, _: str) -> float:
    """Whether neighbouring turns grow alike in syllables per second: rank correlation of -|difference| with time."""
    return _convergence(session, "articulation_per_s", _SPOKEN)


@_dyadic(
    "voice.f0_synchrony_r",
    "r",
    _VOICED,
    expect="lower",
    source=f"{_SOURCE}. Synchrony of pitch goes with poorer relationships: Reich et al. 2014; r = -.20 in the "
    "meta-analysis of Jennissen et al. 2024.",
)
def f0_synchrony_r(session: Session, _: str) -> float:
    """Rank correlation of the pitch of neighbouring turns of the two."""
    return _synchrony(session, "f0_st", _VOICED)


@_dyadic("voice.intensity_synchrony_r", "r", _VOICED)
def intensity_synchrony_r(session: Session, _: str) -> float:
    """Rank correlation of the loudness of neighbouring turns of the two."""
    return _synchrony(session, "intensity_db", _VOICED)


@_dyadic(
    "voice.rate_synchrony_r",
    "r",
    _SPOKEN,
    source=f"{_SOURCE}; in psychotherapy, Rocco et al. 2018.",
)
def rate_synchrony_r(session: Session, _: str) -> float:
    """Rank correlation of the syllables per second of neighbouring turns of the two."""
    return _synchrony(session, "articulation_per_s", _SPOKEN)


def _proximity(session: Session, value: str, what: str) -> float:
    met = neighbours(session)
    first, second = (_centred(getattr(one, value)) for one in (met.first, met.second))
    _pairs(met, first, second, what)
    return proximity(first, second, met.of_first, met.of_second)


def _convergence(session: Session, value: str, what: str) -> float:
    met = neighbours(session)
    x, y, at_s = _pairs(met, getattr(met.first, value), getattr(met.second, value), what)
    return rank_r(-np.abs(x - y), at_s)


def _synchrony(session: Session, value: str, what: str) -> float:
    met = neighbours(session)
    x, y, _ = _pairs(met, getattr(met.first, value), getattr(met.second, value), what)
    return rank_r(x, y)


def _pairs(met: Neighbours, first: Floats, second: Floats, what: str) -> tuple[Floats, Floats, Floats]:
    """Values of neighbours that both have one, and when, shape (k,) each."""
    x, y = first[met.of_first], second[met.of_second]
    there = np.isfinite(x) & np.isfinite(y)
    need_count(int(there.sum()), SEVERAL, f"pairs of neighbouring {what}")
    return x[there], y[there], met.at_s[there]


def _centred(values: Floats) -> Floats:
    """Minus their median, if there are any."""
    there = values[np.isfinite(values)]
    return values - np.median(there) if len(there) else values


def _micro(seconds: float) -> int:
    return round(seconds * 1e6)


def _index(times_s: Floats) -> dict[int, int]:
    return {_micro(at): k for k, at in enumerate(times_s.tolist())}
