"""When a face is that of somebody who speaks, listens or is silent: the voices' steps at the times of pictures."""

from __future__ import annotations

import numpy as np

from vsa.features.limits import voice_of
from vsa.features.person import STEP_S
from vsa.features.session import Session
from vsa.features.signals import Flags, Floats

#: Lips move this long before a voice is heard, and after it.
LIPS_S = 0.3


def speaks(session: Session, role: str, t: Floats) -> Flags:
    """Whether this person speaks at each time, shape of `t`; `TooLittle` if that is never known."""
    return session.at(voice_of(session, role).speaking, t)


def listens(session: Session, role: str, t: Floats) -> Flags:
    """Whether somebody else speaks and this person doesn't, shape of `t`; `TooLittle` if that is never known."""
    voice_of(session, role)
    return session.at(session.listening(role), t)


def keeps_silent(session: Session, role: str, t: Floats) -> Flags:
    """Whether this person has not spoken for `LIPS_S` and won't for as long, shape of `t`; `TooLittle` as above."""
    voice = voice_of(session, role)
    reach = round(LIPS_S / STEP_S)
    talk = np.concatenate([[0], np.cumsum(voice.speaking | ~voice.known)])
    at = np.arange(len(voice.speaking))
    near = talk[np.minimum(at + reach + 1, len(at))] - talk[np.maximum(at - reach, 0)]
    return session.at(near == 0, t)
