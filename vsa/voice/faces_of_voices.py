"""Which face has which voice: voices told apart by their sound, and lips that say whose they are.

While one voice is heard alone, each face in view speaks for or against having it (`vsa.voice.lip_sync`); over a session
that adds up. A voice goes to the face that it fits, one voice to each face, if there is enough evidence; others belong
to nobody in view. What diarization gets wrong shows in the lips, too:

- one person heard as two voices: a second voice that fits a face as well, and is never heard together with the first,
  is the same person's;
- two people heard as one voice: if some of its stretches fit one face, and others another or nobody, lips decide
  between these, as they do without voices.

Then a hidden Markov model goes over activity, voices and lips. A face keeps its voice while it is turned away, hidden
or its camera is off.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt

from vsa.voice import lip_sync
from vsa.voice.activity import STEP_S, stretches
from vsa.voice.diarization import Diarization
from vsa.voice.hmm import posterior
from vsa.voice.speakers import (
    PAIRS_UP_TO,
    Speakers,
    by_column,
    decided,
    dynamics,
    who_speaks,
)

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

#: A voice has a face if lips are this much in favour, nats (ten to one).
LEAST_EVIDENCE = 2.3
#: It takes more to say that diarization was wrong (a hundred to one).
LEAST_AGAINST_DIARIZATION = 4.6
#: Up to so many are looked for who share what was taken for one voice.
MOST_SHARE = 3
#: Two voices that are heard together for more of the time of the rarer one are two people.
MOST_TOGETHER = 0.05

_STRETCH_S = 4.0
_TELLS_NOTHING = 0.1
_ACTIVITY_NEWS_S = 0.032
_VOICE_NEWS_S = 0.1  # voices weigh about 40 nats a second where they are sure, lips up to 5
_UNSEEN_PER_S = -3.0  # nats, for a face without a voice


def voices_and_lips(
    lips: Mapping[str, Floats], speech: Floats, envelope: Floats, diarization: Diarization
) -> Speakers:
    """Tell who speaks in one mixed sound, from voices and lips.

    Parameters
    ----------
    lips, speech, envelope
        As in `vsa.voice.speakers.who_speaks`.
    diarization
        From `vsa.voice.diarization.diarize`, on the same steps.

    Returns
    -------
    Speakers. Participants are those of `lips`, then ``voice1``, … for voices that no face in view has; without faces
    these are all. A face that has a voice has a probability also where it can't be seen. Nobody is left for the last
    column, somebody off camera who is no participant: it is 0. If no voice is heard, this is what `who_speaks` returns.
    """
    heard = np.nan_to_num(np.asarray(speech, np.float32))
    if not diarization.voices:
        return who_speaks(lips, speech, envelope)
    mouths = lip_sync.aligned(list(lips.values()), envelope, heard)
    faces = len(lips)
    fits = [mouths.evidence(k) for k in range(faces)]
    voices = np.nan_to_num(diarization.probability)
    owners = _owners(fits, voices, heard)
    columns = [[v for v, who in enumerate(owners) if k in who] for k in range(faces)]
    columns += [[v] for v, who in enumerate(owners) if faces in who]
    participants = (*lips, *_names(len(columns) - faces, lips))

    states = _states(len(columns))
    evidence = _evidence(states, columns, mouths, voices, heard)
    share = np.array([1.0 if mine else 0.1 for mine in columns])
    belief = posterior(evidence, *dynamics(states, share))
    probability = np.zeros((len(heard), len(columns) + 1), np.float32)
    probability[:, :-1] = by_column(belief, states, len(columns))
    somebody = belief[:, : len(states)].sum(1) > 0.5
    confidence = _confidence(probability, somebody, columns, _certainty(fits, voices, heard, owners))
    openings = [
        None if mine else lip_sync.delayed(lip[:, 0], mouths.steps)
        for mine, lip in zip(columns, lips.values(), strict=False)
    ]
    probability, chosen = decided(probability, somebody, openings, speech)
    method = _method(lips, any(columns[:faces]), diarization.detail)
    return Speakers(participants, probability, chosen, mouths.offset_s, confidence, method)


def _method(lips: Mapping[str, Floats], told: bool, detail: str) -> str:
    if not any(np.isfinite(lip).any() for lip in lips.values()):
        return f"voices ({detail}): told apart by their sound; no face in view"
    if not told:
        return f"voices ({detail}) and lips: told apart by their sound; no mouth in view moves with any"
    return f"voices ({detail}) and lips: told apart by their sound, and the mouth that moves with each has it"


def _names(count: int, taken: Mapping[str, Floats]) -> list[str]:
    free = (f"voice{n}" for n in range(1, count + len(taken) + 1))
    return [name for name in free if name not in taken][:count]


def _alone(voices: Floats, heard: Floats, v: int) -> Bools:
    """Where this voice is heard and no other."""
    says = voices > 0.5
    return np.asarray(says[:, v] & (says.sum(axis=1) == 1) & (heard > 0.5))


def _owners(fits: list[Floats], voices: Floats, heard: Floats) -> list[list[int]]:
    """Who has each voice: faces by number, or nobody in view, which is the number after theirs.

    Several of them if they share what diarization took for one voice.
    """
    from scipy.optimize import linear_sum_assignment

    count, nobody = voices.shape[1], len(fits)
    owners = [[nobody] for _ in range(count)]
    if not nobody:
        return owners
    parts = [_stretches_of(_alone(voices, heard, v), fits) for v in range(count)]
    total = np.stack([part.sum(axis=0) for part in parts])
    gain = np.maximum(total - LEAST_EVIDENCE, 0.0)
    for v, k in zip(*linear_sum_assignment(-gain), strict=True):
        if gain[v, k] > 0:
            owners[v] = [int(k)]
    says = voices > 0.5
    for v in range(count):
        best = int(total[v].argmax())
        if owners[v] == [nobody] and total[v, best] >= LEAST_AGAINST_DIARIZATION:
            others = says[:, [u for u in range(count) if best in owners[u]]]
            if _together(says[:, v], others) <= MOST_TOGETHER:
                owners[v] = [best]
    return [_sharers(np.pad(part, ((0, 0), (0, 1))), who) for part, who in zip(parts, owners, strict=True)]


def _stretches_of(when: Bools, fits: list[Floats]) -> npt.NDArray[np.float64]:
    """Evidence for each face in each stretch of at most `_STRETCH_S`; (stretches, faces).

    Now and then lips tell nothing: the picture is frozen, or a hand is before the mouth.
    """
    longest = round(_STRETCH_S / STEP_S)
    starts = [s for start, end in stretches(when) for s in range(start, end, longest)]
    if not starts or not fits:
        return np.zeros((1, len(fits)))
    evidence = np.stack([np.where(when, np.nan_to_num(fit), 0.0) for fit in fits], axis=1)
    total = np.add.reduceat(evidence.astype(np.float64), starts, axis=0)
    return np.asarray(np.logaddexp(np.log1p(-_TELLS_NOTHING) + total, np.log(_TELLS_NOTHING)))


def _together(one: Bools, others: Bools) -> float:
    """Greatest share of the rarer voice's time in which two are heard at once."""
    shares = [
        float((one & other).sum()) / max(1, min(int(one.sum()), int(other.sum()))) for other in others.T
    ]
    return max(shares, default=0.0)


def _sharers(parts: npt.NDArray[np.float64], owner: list[int]) -> list[int]:
    """The owner of a voice, or those who share it: each has some of its stretches.

    Parameters
    ----------
    parts
        Evidence for each face, and for nobody (0), in each stretch.
    owner
        Who has it according to all stretches together. A face shares only with faces: that its mouth does not move at
        times is no reason to doubt that two stretches are one voice.
    """
    nobody = parts.shape[1] - 1
    candidates = range(nobody + (owner == [nobody]))
    best, who = float(parts[:, owner].sum()), owner
    for count in range(2, MOST_SHARE + 1):
        for group in combinations(candidates, count):
            if owner[0] not in (*group, nobody):
                continue
            worth = _shared(parts[:, group]) - (count - 1) * LEAST_AGAINST_DIARIZATION
            if worth > best:
                best, who = worth, list(group)
    return who


def _shared(parts: npt.NDArray[np.float64]) -> float:
    """Log likelihood of stretches if each belongs to one of these, at the shares that make it greatest."""
    share = np.full(parts.shape[1], 1 / parts.shape[1])
    for _ in range(20):
        weighted = parts + np.log(share)
        total = np.logaddexp.reduce(weighted, axis=1, keepdims=True)
        share = np.maximum(np.exp(weighted - total).mean(axis=0), 1e-3)
        share /= share.sum()
    return float(np.logaddexp.reduce(parts + np.log(share), axis=1).sum())


def _states(columns: int) -> list[tuple[int, ...]]:
    pairs = list(combinations(range(columns), 2)) if columns <= PAIRS_UP_TO else []
    return [*((column,) for column in range(columns)), *pairs]


def _evidence(
    states: list[tuple[int, ...]],
    columns: list[list[int]],
    mouths: lip_sync.Aligned,
    voices: Floats,
    heard: Floats,
) -> Floats:
    """Log likelihood per step, (m, states of speech + pauses after each single speaker)."""
    faces = len(mouths.movements)
    out = np.zeros((len(heard), len(states) + len(columns)), np.float32)
    active = np.clip(heard, 0.02, 0.98)
    out[:, : len(states)] += (STEP_S / _ACTIVITY_NEWS_S * np.log(active))[:, None]
    out[:, len(states) :] += (STEP_S / _ACTIVITY_NEWS_S * np.log1p(-active))[:, None]
    for n, who in enumerate(states):
        theirs = {tuple(columns[column]) for column in who if columns[column]}
        says = [np.clip(voices[:, list(mine)].sum(axis=1), 0.02, 0.98) for mine in theirs]
        others = sorted(set(range(voices.shape[1])) - {v for mine in theirs for v in mine})
        silent = np.log1p(-np.clip(voices[:, others], 0.02, 0.98)).sum(axis=1)
        out[:, n] += STEP_S / _VOICE_NEWS_S * (sum(np.log(p) for p in says) + silent)
        seen = [column for column in who if column < faces]
        if not seen:
            continue
        unseen = 0.0 if all(columns[column] for column in seen) else _UNSEEN_PER_S * STEP_S
        fits = mouths.evidence(*seen)
        out[:, n] += np.where(np.isfinite(fits), fits, np.float32(unseen))
    return out


def _certainty(fits: list[Floats], voices: Floats, heard: Floats, owners: list[list[int]]) -> Floats:
    """Probability that each voice is whose it was said to be, as far as lips can tell; (v,)."""
    out = np.ones(voices.shape[1], np.float32)
    for v, owner in enumerate(owners):
        total = np.append(_stretches_of(_alone(voices, heard, v), fits).sum(axis=0), 0.0)
        seen = (total != 0) | (np.arange(len(total)) == len(fits))
        if len(owner) == 1:
            out[v] = np.exp(total[owner[0]] - np.logaddexp.reduce(total[seen]))
    return out


def _confidence(probability: Floats, somebody: Bools, columns: list[list[int]], certainty: Floats) -> float:
    if not somebody.any():
        return float("nan")
    sure = np.array([certainty[mine].mean() if mine else 1.0 for mine in columns] + [0.0], np.float32)
    speaker = probability.argmax(1)
    return float((probability.max(1) * sure[speaker])[somebody].mean())
