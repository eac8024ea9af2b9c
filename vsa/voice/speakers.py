"""Who of the people on screen speaks, from their lips and one mixed sound.

A hidden Markov model joins what single moments say. Its states are

- one participant speaks; two participants speak at once (their openings together follow the sound better than either
  alone); somebody off camera speaks;
- nobody speaks, for each of those who may have spoken last: after a pause the same person mostly goes on, so that the
  evidence of utterances before and after adds up.

What a state explains: that there is speech (the activity detector's probability), that the lips follow the sound and
that they move at all (`vsa.voice.lip_sync`). Nobody's lips have to follow the voice of someone off camera.

What this cannot do, as measured on recombined lips and sound, mostly of one talker (tests/voice/test_speakers.py holds
most of it). The settings were chosen on the same talker and one other, so expect less of new faces:

- tell a short utterance from another voice by agreement alone. 4 s of another's voice over lips that say something
  else went off camera for 3/4 of the time, 8 s for 9/10; a voice over resting mouths goes there within half a second;
- keep all short turns: of the speech in turns of about a second, one fifth to one tenth went off camera or to the
  listener; of turns of 2.5 s about one twelfth, of 4 s one twentieth;
- notice short overlaps. Two who spoke at once for 8 s were both seen for half of the time, for 2 s hardly ever;
- see that someone on screen and someone off camera speak at once, or three on screen: the strongest gets it.

A participant whose camera is off, or whose mouth is hidden for longer than about a second, counts as off camera.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from vsa.voice import lip_sync
from vsa.voice.activity import STEP_S
from vsa.voice.hmm import posterior, transition_matrix

Floats = npt.NDArray[np.float32]

#: Values of `Speakers.chosen` that are no column.
NOBODY, UNKNOWN = -1, -2

#: A mouth that is out of sight for longer has no probability of its own: whoever speaks is off camera.
LONGEST_UNSEEN_S = 1.0
#: Two at once are looked for among up to this many participants.
PAIRS_UP_TO = 4

# How often a second a state gives way: ordinary conversation has utterances of 1 to 2 s, pauses and gaps of a few
# tenths of a second, and overlaps of half a second (Heldner & Edlund 2010, J Phonetics 38). What a state is worth
# against the others follows from the evidence; halving or doubling any of these moves few decisions.
_INTO_PAUSE = 0.8
_INTO_OTHER = 0.2
_INTO_PAIR = 0.1
_OUT_OF_PAIR = 1.0
_OUT_OF_PAUSE = 1.0
_SAME_AGAIN = 0.7
_OFF_CAMERA_WEIGHT = 0.15  # how often speech comes from off camera, against one participant

_ACTIVITY_NEWS_S = 0.032  # the detector's own step
_UNSEEN_PER_S = -3.0  # nats: a lost face may speak for a moment, a camera that is off is off camera


@dataclass(frozen=True)
class Speakers:
    """Who speaks, on the 10 ms grid of the sound.

    Attributes
    ----------
    participants
        In the order of the columns.
    probability
        float32 (m, k + 1): each participant speaks; last, somebody off camera does. Rows need not sum to 1: nobody, or
        two, may speak. NaN where it cannot be said: no sound, no face at all, this face out of sight for long.
    chosen
        int8 (m,): the most probable column where speech is more probable than not, else `NOBODY`; `UNKNOWN` where
        there is no sound, or somebody speaks and speakers can't be told apart.
    offset_s
        How much later the sound is than the picture; NaN if it could not be measured (0 was used).
    confidence
        Mean probability of what was chosen, over the time in which somebody speaks; NaN without speech.
    method
        One line for people.
    """

    participants: tuple[str, ...]
    probability: Floats
    chosen: npt.NDArray[np.int8]
    offset_s: float
    confidence: float
    method: str

    def speaking(self, participant: str) -> npt.NDArray[np.bool_]:
        """When this participant speaks, alone or with another; bool (m,)."""
        column = self.probability[:, self.participants.index(participant)]
        return np.asarray(column > 0.5)


def who_speaks(lips: Mapping[str, Floats], speech: Floats, envelope: Floats) -> Speakers:
    """Tell who of the participants speaks, in one mixed sound.

    Parameters
    ----------
    lips
        From `vsa.voice.lips.lip_movement` for each participant: (m, 2), opening and its speed, NaN where untracked.
    speech
        Probability that somebody speaks, (m,), 0-1; NaN where there is no sound.
    envelope
        From `vsa.voice.lips.speech_envelope`, (m,).

    Returns
    -------
    Speakers. Without any face, nothing is said about anybody: probabilities are NaN and `method` says so.
    """
    participants = tuple(lips)
    heard = np.nan_to_num(np.asarray(speech, np.float32))
    if not any(np.isfinite(lip).any() for lip in lips.values()):
        return _untold(participants, heard)
    mouths = lip_sync.aligned(list(lips.values()), envelope, heard)
    offset_s = mouths.offset_s
    states = _states(len(participants))
    evidence = _evidence(states, mouths, heard)
    share = np.array([1.0] * len(participants) + [_OFF_CAMERA_WEIGHT])
    belief = posterior(evidence, *dynamics(states, share))
    probability = by_column(belief, states, len(share))
    somebody = belief[:, : len(states)].sum(1) > 0.5
    confidence = float(probability.max(1)[somebody].mean()) if somebody.any() else float("nan")
    openings = [lip_sync.delayed(lip[:, 0], mouths.steps) for lip in lips.values()]
    probability, chosen = decided(probability, somebody, openings, speech)
    method = (
        "lips: the mouth that moves with the sound"
        if np.isfinite(offset_s)
        else "lips: too little speech, or no mouth moves with the sound"
    )
    return Speakers(participants, probability, chosen, offset_s, confidence, method)


def _untold(participants: tuple[str, ...], heard: Floats) -> Speakers:
    return Speakers(
        participants,
        np.full((len(heard), len(participants) + 1), np.nan, np.float32),
        np.where(heard > 0.5, UNKNOWN, NOBODY).astype(np.int8),
        float("nan"),
        float("nan"),
        "none: speakers can't be told apart (one mixed sound and no face in view)",
    )


def decided(
    probability: Floats, somebody: npt.NDArray[np.bool_], openings: Sequence[Floats | None], speech: Floats
) -> tuple[Floats, npt.NDArray[np.int8]]:
    """Who speaks, and probabilities only where something can be said.

    Parameters
    ----------
    probability
        Of each column, (m, columns).
    somebody
        Where anybody speaks, (m,).
    openings
        For the first columns, how far their mouth is open on the sound's time, (m,): they are judged by what is seen of
        it; None for one who is known by the voice.
    speech
        (m,), NaN where there is no sound.

    Returns
    -------
    `Speakers.probability` and `Speakers.chosen`.
    """
    out = probability.copy()
    chosen = np.where(somebody, probability.argmax(1), NOBODY)
    for column, opening in enumerate(openings):
        if opening is not None:
            out[_long_unseen(opening), column] = np.nan
    no_sound = ~np.isfinite(speech)
    out[no_sound] = np.nan
    chosen[no_sound] = UNKNOWN
    return out, chosen.astype(np.int8)


def _long_unseen(opening: Floats) -> npt.NDArray[np.bool_]:
    """Where a mouth is out of sight for longer than `LONGEST_UNSEEN_S`; bool (m,)."""
    from scipy.ndimage import binary_opening

    steps = round(LONGEST_UNSEEN_S / STEP_S)
    padded = np.pad(~np.isfinite(opening), steps)
    return np.asarray(binary_opening(padded, np.ones(steps, bool))[steps:-steps], np.bool_)


def _states(k: int) -> list[tuple[int, ...]]:
    """Columns that speak in each state of speech: one participant, off camera (column k), two participants."""
    pairs = list(combinations(range(k), 2)) if k <= PAIRS_UP_TO else []
    return [*((column,) for column in range(k + 1)), *pairs]


def _evidence(states: list[tuple[int, ...]], mouths: lip_sync.Aligned, heard: Floats) -> Floats:
    """Log likelihood per step, (m, states of speech + pauses after each single speaker)."""
    k = len(mouths.movements)
    out = np.zeros((len(heard), len(states) + k + 1), np.float32)
    probable = np.clip(heard, 0.02, 0.98)
    weight = STEP_S / _ACTIVITY_NEWS_S
    out[:, : len(states)] += weight * np.log(probable)[:, None]
    out[:, len(states) :] += weight * np.log1p(-probable)[:, None]
    for n, who in enumerate(states):
        if who == (k,):
            continue
        fits = mouths.evidence(*who)
        out[:, n] += np.where(np.isfinite(fits), fits, np.float32(_UNSEEN_PER_S * STEP_S))
    return out


def by_column(belief: Floats, states: list[tuple[int, ...]], columns: int) -> Floats:
    """Probability that each one speaks, alone or with another; (m, columns)."""
    speaks = [[n for n, who in enumerate(states) if column in who] for column in range(columns)]
    return np.stack([belief[:, those].sum(1) for those in speaks], axis=1)


def dynamics(
    states: list[tuple[int, ...]], share: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Transition matrix of the states of speech and the pauses after each one, and where a recording begins.

    Parameters
    ----------
    states
        Columns that speak: (0,), (1,), …, then pairs.
    share
        How much each column speaks against the others.

    Returns
    -------
    What `vsa.voice.hmm.posterior` takes. A recording begins in silence, after anybody.
    """
    singles, n = len(share), len(states)
    rates = np.zeros((n + singles, n + singles))
    for i in range(singles):
        others = share * (np.arange(singles) != i)
        others = others / max(others.sum(), 1e-9)
        pause = n + i
        rates[i, pause] = _INTO_PAUSE
        rates[i, :singles] += _INTO_OTHER * others
        rates[pause, i] = _OUT_OF_PAUSE * _SAME_AGAIN
        rates[pause, :singles] += _OUT_OF_PAUSE * (1 - _SAME_AGAIN) * others
        pairs = [m for m in range(singles, n) if i in states[m]]
        for pair in pairs:
            rates[i, pair] = _INTO_PAIR / len(pairs)
            rates[pair, i] = _OUT_OF_PAIR / 2
    initial = np.concatenate([np.zeros(n), share / share.sum()])
    return transition_matrix(rates, STEP_S), initial
