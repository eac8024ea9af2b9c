"""A session's practitioner's sheet: gathers what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vsa.report.pages.view import Moment
from vsa.report.sheet.content import Sheet, compose
from vsa.report.sheet.quality import why_no_sheet
from vsa.run.moments import Direction, followed

if TYPE_CHECKING:
    from vsa.features.session import Session
    from vsa.report.pages.norms import Norms
    from vsa.report.pages.view_timeline import Synchrony
    from vsa.run.moments import SessionMoments


def sheet_of(
    session: Session,
    values: Mapping[str, float],
    missing: Mapping[str, str],
    norms: Norms,
    synchrony: Synchrony,
    moments: SessionMoments,
) -> Sheet | str:
    """Make the sheet of a session.

    Parameters
    ----------
    session
        The session.
    values, missing
        Its features, and why some are missing.
    norms
        Features over the study.
    synchrony
        Of the movement of the two.
    moments
        Of this session.

    Returns
    -------
    The sheet, or why there is none, for people.
    """
    why = why_no_sheet(session, values)
    if why:
        return why

    def moments_of(feature: str, direction: Direction) -> tuple[Moment, ...]:
        return tuple(
            Moment(one.start_s, one.end_s, followed(feature), one.value)
            for one in moments.find(feature, direction)
        )

    return compose(session, values, missing, norms, synchrony, moments_of)
