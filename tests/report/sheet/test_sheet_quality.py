"""Recordings that are too poor for a sheet, and the words that say so."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from conversing import conversation

from vsa.report.sheet.quality import why_no_sheet


def test_a_session_that_is_seen_and_heard_gets_a_sheet(talk, features):
    assert why_no_sheet(talk, features.row) == ""


@pytest.mark.parametrize(
    ("feature", "value", "why"),
    [
        ("client.quality.tracked_share", 0.49, "The face of the client was followed in 49 % of the session"),
        ("therapist.quality.tracked_share", 0.1, "The face of the therapist was followed in 10 %"),
        ("therapist.quality.tracked_share", math.nan, "in a share of the session that is not known"),
        ("dyad.quality.speakers_known_share", 0.3, "Who speaks is known in 30 % of the session"),
        ("dyad.quality.speakers_confidence", 0.2, "It is too unsure who speaks when"),
    ],
)
def test_poor_quality_is_said_in_words(talk, features, feature, value, why):
    assert why in why_no_sheet(talk, {**features.row, feature: value})


def test_half_of_the_session_is_enough(talk, features):
    shares = (
        "client.quality.tracked_share",
        "dyad.quality.speakers_known_share",
        "dyad.quality.speakers_confidence",
    )
    assert why_no_sheet(talk, {**features.row, **dict.fromkeys(shares, 0.5)}) == ""


def test_a_short_talk_gets_none(features):
    short = conversation(seed=3, seconds=280.0, fps=5.0).session()
    assert why_no_sheet(short, features.row) == "Who speaks is known for 4.7 min, and 5 min are needed."


def test_without_sound_there_is_none(features):
    silent = conversation(seed=3, seconds=310.0, fps=5.0).session(silent=True)
    assert why_no_sheet(silent, features.row) == "It is not known who speaks: there is no sound."


def test_one_person_is_too_few_and_three_without_roles_too_many(talk, features):
    faces = list(talk.faces.values())
    alone = replace(talk, faces={"client": faces[0]})
    assert why_no_sheet(alone, features.row) == "One person is in the recording, and a sheet is about two."
    three = replace(talk, faces={"p1": faces[0], "p2": faces[1], "p3": faces[0]})
    assert why_no_sheet(three, features.row).startswith("3 people are in the recording")


def test_an_interpreter_beside_client_and_therapist_does_no_harm(talk, features):
    faces = list(talk.faces.values())
    assert why_no_sheet(replace(talk, faces={**talk.faces, "interpreter": faces[0]}), features.row) == ""
