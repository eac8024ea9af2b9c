"""The practitioner's sheet: what one session shows of communication and security, and one thing to take from it.

It is the reading side of what the field recommends for online work, for the therapist and the supervisor: described
behaviour, no appraisal of a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vsa.report.pages.norms import LEAST
from vsa.report.sheet.evidence import behaviours
from vsa.report.sheet.measured import Measured
from vsa.report.sheet.parts import Sheet
from vsa.report.sheet.quality import people_of
from vsa.report.sheet.rows import communication, course, security, trouble_of
from vsa.report.sheet.training import MomentsOf, note_of, training

if TYPE_CHECKING:
    from vsa.features.session import Session
    from vsa.report.pages.norms import Norms
    from vsa.report.pages.view_timeline import Synchrony

__all__ = ["Sheet", "compose"]


def compose(
    session: Session,
    values: Mapping[str, float],
    missing: Mapping[str, str],
    norms: Norms,
    synchrony: Synchrony,
    moments_of: MomentsOf,
) -> Sheet:
    """Put the sheet of a session together. Whether it should have one is `vsa.report.sheet.quality.why_no_sheet`'s.

    Parameters
    ----------
    session
        For its turns, and who takes part.
    values, missing
        Its features, and why some are missing.
    norms
        Features over the study.
    synchrony
        Of the movement of the two, against surrogates.
    moments_of
        Finds moments of the recording in which a feature is ``low`` or ``high``.
    """
    people = people_of(session)
    measured = Measured(values, missing, norms)
    trouble = trouble_of(session)
    return Sheet(
        people=people,
        communication=communication(measured, people, trouble),
        security=security(measured, people, trouble, synchrony),
        course=course(measured, people),
        training=training(measured, people, moments_of),
        compared=_compared(norms),
        studies=tuple(note_of(one) for one in behaviours().values()),
    )


def _compared(norms: Norms) -> str:
    if norms.sessions < LEAST:
        return f"Not compared with other sessions: this study has {norms.sessions}, and {LEAST} are needed."
    return f"Compared with the {norms.sessions} sessions of this study, whoever took part in them."
