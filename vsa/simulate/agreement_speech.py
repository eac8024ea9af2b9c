"""Speech and turns beside the truth: whose it is, and where turns begin and end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vsa.features.signals import Floats
from vsa.simulate.pairing import OTHER, Tables, spans_of, speaking
from vsa.simulate.scores import Errors, Matches, matched, same_event
from vsa.study.voice_table import STEP_S
from vsa.voice.turns import TURN
from vsa.voice.voice_track import OFF_CAMERA, UNKNOWN

#: Whose speech is taken for when it is taken for nobody's, or for two people's at once.
NOBODY, SEVERAL = "nobody", "several"


def names_of(same: Mapping[str, str], seen: Tables) -> dict[str, str]:
    """What to call those in the results: as the truth does, voices of nobody in view as they are, the rest `OTHER`."""
    heard = {*seen.voice["participant"].astype(str), *seen.turns["participant"].astype(str)}
    known = {found: who for who, found in same.items()}
    return {one: known.get(one, one if one in (OFF_CAMERA, UNKNOWN) else OTHER) for one in heard}


def turns_found(
    known: Tables, seen: Tables, names: Mapping[str, str], kind: str = TURN
) -> tuple[Matches, Errors]:
    """Turns that were found, and how far the edges of matched ones are off, s.

    Parameters
    ----------
    known, seen
        The truth and the results.
    names
        From `names_of`.
    kind
        `TURN` or `BACKCHANNEL`.
    """
    renamed = seen.turns.assign(participant=[names[one] for one in seen.turns["participant"].astype(str)])
    total, off = Matches(), list[Floats]()
    for who in sorted({*known.turns["participant"].astype(str), *renamed["participant"]}):
        true, found = (spans_of(table, who, kind) for table in (known.turns, renamed))
        pairs = matched(true, found, same_event)
        total += Matches(len(true), len(found), len(pairs))
        off.append(np.abs(true[pairs[:, 0]] - found[pairs[:, 1]]))
    return total, Errors.of(off)


def speech_given(known: Tables, seen: Tables, names: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """To whom the speech of each was given, over the time in which one speaks alone.

    Parameters
    ----------
    known, seen, names
        As in `turns_found`.

    Returns
    -------
    Who speaks to who was taken to (or `NOBODY`, `SEVERAL`) to time, s.
    """
    true, found = speaking(known.voice, {}), speaking(seen.voice, names)
    alone = true[true.sum(axis=1) == 1]
    if alone.empty:
        return {}
    speaks = np.array(alone.columns)[alone.to_numpy().argmax(1)]
    told = found.reindex(alone.index, fill_value=False)
    flags = np.column_stack([told.to_numpy(bool), np.ones(len(told), np.bool_)])
    first = np.array([*told.columns, NOBODY], dtype=object)[flags.argmax(1)]
    given = np.where(flags[:, :-1].sum(1) > 1, SEVERAL, first)
    counts = pd.Series(STEP_S, index=[speaks, given]).groupby(level=[0, 1]).sum()
    out: dict[str, dict[str, float]] = {}
    for (who, to), seconds in counts.items():
        out.setdefault(str(who), {})[str(to)] = round(float(seconds), 2)
    return out
