"""Sessions as their page gets them: with a timeline or as a row of a table, judged or not, and with hostile names."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from vsa.features.registry import DYAD, features
from vsa.report.pages.norms import Norms
from vsa.report.pages.session import session_context
from vsa.report.pages.site import SESSIONS, Site
from vsa.report.pages.view import Flag, Frame, Moment, Person, Reason, Recording, SessionView
from vsa.report.pages.view_timeline import Lane, Synchrony, Timeline, no_spans

NAN = math.nan
HOSTILE = "<img src=x onerror=alert(1)>\"'</script><script>alert(2)</script>=1+1 \u202eabc"
FRAME = Frame(
    study="clinic-2026",
    made="2026-11-28",
    version="0.1.0",
    model="bond.skops",
    label="weak: among the 18 of 180 sessions in which a weak bond is most probable",
    simulated_model=False,
    simulated_data="none",
    warnings=(),
    key="0123456789abcdef",
    model_print="0123456789ab",
    pseudonyms=False,
)
FLAG = Flag(
    verdict="weak",
    suggestion="review suggested",
    probability=0.53,
    expected=3.4,
    low=2.4,
    high=4.5,
    rank=1,
    reasons=(
        Reason(
            "client.gaze.on_screen_share",
            "low",
            "client: share of time looking toward the screen: 41 %, lower than in this client's other sessions",
            (
                Moment(75.0, 135.0, "client.gaze.on_screen_share", 0.37),
                Moment(200.0, 260.0, "client.gaze.on_screen_share", NAN),
            ),
            "",
        ),
        Reason(
            "dyad.turns.silence_share",
            "high",
            "both: silence share: 30 %",
            (),
            "it is spread evenly over the session",
        ),
    ),
    unjudged="",
    in_training=False,
)
ABSTAINED = Flag(
    "abstain",
    "cannot tell from this recording",
    NAN,
    NAN,
    NAN,
    NAN,
    None,
    (),
    "client was in view for 12% of the session, and 50% are needed",
    False,
)
TIMELINE = Timeline(
    start_s=0.0,
    end_s=300.0,
    lanes=(
        Lane(
            "client", "client", turns=np.array([[0.0, 60.0], [130.0, 200.0]]), smiles=np.array([[70.0, 74.0]])
        ),
        Lane("therapist", "therapist", turns=np.array([[61.0, 128.0]])),
    ),
    strangers=no_spans(),
    silences=np.array([[205.0, 211.0]]),
    overlaps=no_spans(),
    interruptions=(),
    synchrony=Synchrony(np.empty(0), np.empty(0), 30.0, NAN, NAN, "300 s are too short"),
    no_speech="",
)
VALUES: Mapping[str, float] = {
    "client.face.smile_share": 0.02,
    "therapist.face.smile_share": 0.10,
    "dyad.turns.silence_share": 0.105,
    "client.turns.talk_share": NAN,
    "therapist.turns.talk_share": NAN,
    "client.gaze.down_share": 0.3,
    "therapist.gaze.down_share": NAN,
    "client.blink.rate_per_min": NAN,
    "therapist.blink.rate_per_min": NAN,
    "client.blink.duration_median_s": NAN,
    "therapist.blink.duration_median_s": 0.2,
}
SLOW = "12 new pictures a second, and 15 are needed"
VIEW = SessionView(
    session_id="s01",
    page="s01.html",
    sheet="s01.html",
    why_no_sheet="",
    facts={"client": "c01", "therapist": "t01", "session number": "3"},
    simulated=False,
    status="complete",
    duration_s=300.0,
    people=(
        Person("client", "client", 0.98, 130.0, 221.0),
        Person("therapist", "therapist", 0.31, NAN, 62.0),
    ),
    notes=(),
    timeline=TIMELINE,
    why_no_timeline="",
    values=VALUES,
    missing={
        "client.turns.talk_share": "there is no sound",
        "therapist.turns.talk_share": "there is no sound",
        "therapist.gaze.down_share": "the face is 62 px high, and eyes need 80 px",
        "client.blink.rate_per_min": SLOW,
        "therapist.blink.rate_per_min": SLOW,
        "client.blink.duration_median_s": SLOW,
    },
    flag=FLAG,
    bond=2.2,
    recording=Recording("", 0.0, "The recording is not linked."),
)
#: The same as a row of a table.
TABLE_ROW = replace(
    VIEW,
    status="",
    duration_s=NAN,
    people=(),
    timeline=None,
    why_no_timeline="This session is a row of a table: there are no signals to draw.",
    missing={},
    sheet="",
    why_no_sheet="There are no signals to make a sheet of.",
)
HARM = replace(
    VIEW,
    session_id=HOSTILE,
    page="harm.html",
    facts={"client": HOSTILE, HOSTILE: HOSTILE},
    people=tuple(replace(person, name=HOSTILE) for person in VIEW.people),
    notes=(HOSTILE,) * 5,
    flag=replace(FLAG, reasons=tuple(replace(one, words=HOSTILE, why_none=HOSTILE) for one in FLAG.reasons)),
    missing=dict.fromkeys(VIEW.missing, HOSTILE),
)


def cohort(sessions: int = 100) -> Norms:
    """Every feature of `VALUES` is 0.05, 0.06 … 0.05 + 0.01 (n - 1), in that order."""
    column = 0.05 + 0.01 * np.arange(sessions)
    return Norms(pd.DataFrame(dict.fromkeys(VALUES, column)), VALUES)


def every_feature(people: int = 2) -> tuple[SessionView, Norms]:
    """A session of so many people with all features of the registry, and 50 sessions to compare with."""
    names = tuple(f"p{k + 1}" for k in range(people))
    full = [
        f"{scope}.{one.name}" for one in features() for scope in (names if one.scope == "role" else (DYAD,))
    ]
    draw = np.random.default_rng(5)
    table = pd.DataFrame(draw.normal(size=(50, len(full))), columns=full)
    who = tuple(Person(name, name, 0.9, 60.0, 200.0) for name in names)
    values = dict(zip(full, draw.normal(size=len(full)).tolist(), strict=True))
    view = replace(VIEW, timeline=None, why_no_timeline="", people=who, values=values, missing={})
    return view, Norms(table, full)


def write(
    folder: Path,
    view: SessionView,
    norms: Norms,
    frame: Frame = FRAME,
    neighbours: tuple[str, str] = ("", ""),
) -> Path:
    """Write the page of a session, without the assets."""
    page = f"{SESSIONS}/{view.page}"
    Site(folder, frame).write(page, "session.html", **session_context(view, norms, frame, neighbours))
    return folder / page
