"""A session of two minutes whose events are known, as the report's pages see it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from vsa.report.pages.view import Flag, Moment, Reason, SessionView
from vsa.report.pages.view_timeline import Interruption, Lane, Synchrony, Timeline, no_spans


def spans(*pairs):
    return np.array(pairs, float).reshape(-1, 2)


NO_SYNCHRONY = Synchrony(np.empty(0), np.empty(0), 60.0, math.nan, math.nan, "the session is too short")


def session(**changed):
    lanes = (
        Lane(
            "client",
            "client",
            turns=spans((5, 20), (40, 70)),
            backchannels=spans((30, 30.5)),
            away=spans((10, 12), (50, 55)),
            gaze_unknown=spans((20, 25)),
            smiles=spans((60, 66)),
            nods=spans((31, 32)),
            unseen=spans((20, 25)),
        ),
        Lane("therapist", "therapist", turns=spans((20, 35), (65, 100)), smiles=spans((58, 62))),
    )
    made = Timeline(
        start_s=0.0,
        end_s=120.0,
        lanes=lanes,
        strangers=no_spans(),
        silences=spans((105, 110)),
        overlaps=spans((65, 70)),
        interruptions=(
            Interruption(65.0, 100.0, "therapist", "client", True),
            Interruption(68.0, 69.0, "client", "therapist", False),
        ),
        synchrony=Synchrony(
            np.array([30.0, 60.0, 90.0]), np.array([0.5, math.nan, 2.4]), 60.0, 1.0, 0.16, ""
        ),
        no_speech="",
    )
    return replace(made, **changed)


def flagged(*reasons):
    return Flag("weak", "review suggested", 0.7, 3.9, 3.1, 4.7, 1, reasons, "", False)


REASONS = (
    Reason("client.face.smile", "low", "client smiles little", (Moment(40.0, 100.0, "f", 0.0),), ""),
    Reason("dyad.turns.gap", "high", "long gaps", (Moment(10.0, 70.0, "f", 3.0),), ""),
)


def view_of(timeline, flag, recording):
    return SessionView(
        "s1",
        "s1.html",
        "",
        "",
        {},
        False,
        "complete",
        120.0,
        (),
        (),
        timeline,
        "",
        {},
        {},
        flag,
        math.nan,
        recording,
    )
