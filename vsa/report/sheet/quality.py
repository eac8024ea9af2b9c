"""Whether a recording carries a practitioner's sheet: what is poorly seen or heard is not put before its people.

The limits are conventions of this project.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vsa.features.person import STEP_S

if TYPE_CHECKING:
    from vsa.features.session import Session

#: Each of the two must be followed in this share of the session, and who speaks known for as much of it.
LEAST_SHARE = 0.5
#: For how long it must be known who speaks, s.
LEAST_TALK_S = 300.0
#: How sure it must be who speaks when, 0-1; below it voices could not be matched with people.
LEAST_CONFIDENCE = 0.5

THERAPIST, CLIENT = "therapist", "client"


def people_of(session: Session) -> tuple[str, ...]:
    """Whom a sheet is about: therapist and client if they are there, else all participants."""
    scopes = session.scopes
    return (THERAPIST, CLIENT) if {THERAPIST, CLIENT} <= set(scopes) else scopes


def why_no_sheet(session: Session, values: Mapping[str, float]) -> str:
    """Why there is no sheet of a session, for people; empty if there can be one.

    Parameters
    ----------
    session
        The session.
    values
        Its features; of them those of quality count.
    """
    people = people_of(session)
    if len(people) != 2:
        count = {0: "Nobody is", 1: "One person is"}.get(len(people), f"{len(people)} people are")
        return f"{count} in the recording, and a sheet is about two."
    for scope in people:
        seen = values.get(f"{scope}.quality.tracked_share", math.nan)
        if not seen >= LEAST_SHARE:
            return f"The face of {_called(scope)} was followed {_in(seen)}, and {100 * LEAST_SHARE:.0f} % are needed."
    if session.turns is None:
        return f"It is not known who speaks: {session.no_turns}."
    known = values.get("dyad.quality.speakers_known_share", math.nan)
    if not known >= LEAST_SHARE:
        return f"Who speaks is known {_in(known)}, and {100 * LEAST_SHARE:.0f} % are needed."
    known_s = float(session.known.sum()) * STEP_S
    if known_s < LEAST_TALK_S:
        return f"Who speaks is known for {known_s / 60:.1f} min, and {LEAST_TALK_S / 60:.0f} min are needed."
    sure = values.get("dyad.quality.speakers_confidence", math.nan)
    if sure < LEAST_CONFIDENCE:
        return f"It is too unsure who speaks when: {sure:.2f} of 1, and {LEAST_CONFIDENCE} are needed."
    return ""


def _called(scope: str) -> str:
    return f"the {scope}" if scope in (THERAPIST, CLIENT) else scope


def _in(share: float) -> str:
    return (
        f"in {100 * share:.0f} % of the session"
        if math.isfinite(share)
        else "in a share of the session that is not known"
    )
