"""What is made a strength, and what a thing to try: from sessions that are placed in a study by hand."""

from __future__ import annotations

import pytest

from vsa.report.pages.view import Moment
from vsa.report.sheet.evidence import behaviours
from vsa.report.sheet.measured import Measured
from vsa.report.sheet.training import training

PAIR = ("therapist", "client")
SMILES = "therapist.face.smile_share"
LOOKS = "therapist.gaze.on_screen_listening_share"
CUTS = "therapist.turns.interruption_rate_per_min"
WAIT = "therapist.turns.latency_median_s"
#: Of 21 sessions, one moved by 8 lies above 18 and has 2 above it.
UP, DOWN, FARTHER = 8, -8, 10


@pytest.fixture
def told(features, study):
    def make(moved, moments_of, people=PAIR, sessions=21):
        measured = Measured(features.row, features.missing, study(moved, sessions))
        return training(measured, people, moments_of)

    return make


def test_the_strength_lies_on_the_side_that_studies_name_and_the_thing_to_try_on_the_other(told, two_moments):
    found = told({SMILES: UP, LOOKS: DOWN}, two_moments)
    assert found.strength.seen.startswith("The therapist smiled")
    assert "higher than in 9 of 10 sessions of this study" in found.strength.seen
    assert found.strength.suggestion == ""
    assert found.attempt.seen.startswith("While the client spoke, the therapist looked toward the screen")
    assert "lower than in 9 of 10 sessions of this study" in found.attempt.seen
    assert found.attempt.suggestion.startswith("You could try")
    assert not found.why_no_strength
    assert not found.why_no_attempt


def test_fewer_interruptions_are_a_strength_and_more_are_a_thing_to_try(told, two_moments):
    assert "lower than in" in told({CUTS: DOWN}, two_moments).strength.seen
    more = told({CUTS: UP}, two_moments)
    assert more.strength is None
    assert "took the turn" in more.attempt.seen
    assert more.attempt.show == "where it was most often"


def test_moments_are_looked_for_on_the_side_that_is_told(told):
    asked = []

    def moments_of(feature, side):
        asked.append((feature, side))
        return (Moment(0.0, 60.0, feature, 0.5), Moment(90.0, 150.0, feature, 0.5))

    told({SMILES: UP, CUTS: UP}, moments_of)
    assert asked == [(SMILES, "high"), (CUTS, "high")]
    asked.clear()
    told({SMILES: DOWN, CUTS: DOWN}, moments_of)
    assert asked == [(CUTS, "low"), (SMILES, "low")]


def test_of_two_that_stand_out_the_farther_one_is_told(told, two_moments):
    assert "smiled" in told({SMILES: FARTHER, LOOKS: UP}, two_moments).strength.seen
    assert "looked toward" in told({SMILES: UP, LOOKS: FARTHER}, two_moments).strength.seen


def test_one_with_two_moments_goes_before_one_that_stands_out_more(told, two_moments):
    def only_looks(feature, side):
        return two_moments(feature, side) if feature == LOOKS else two_moments(feature, side)[:1]

    found = told({SMILES: FARTHER, LOOKS: UP}, only_looks)
    assert "looked toward" in found.strength.seen
    assert [(one.start_s, one.end_s, one.text) for one in found.strength.moments] == [
        (60, 120, "50 %"),
        (240, 300, "25 %"),
    ]
    assert found.strength.why_none == ""


def test_without_any_moments_the_farthest_is_told_and_says_so(told):
    found = told({SMILES: FARTHER, LOOKS: UP}, lambda feature, side: ())
    assert "smiled" in found.strength.seen
    assert found.strength.moments == ()
    assert found.strength.why_none == "No part of this recording stands out in it."


def test_the_middle_60_percent_do_not_stand_out(told, two_moments):
    inside = told({SMILES: 6, LOOKS: -6}, two_moments)
    assert inside.strength is None
    assert inside.attempt is None
    assert inside.why_no_strength.startswith("Nothing stood out")
    assert inside.why_no_attempt.startswith("Nothing stood out")
    assert inside.notes == ()
    assert told({SMILES: 7, LOOKS: -7}, two_moments).strength is not None


def test_what_studies_conflict_on_is_neither_strength_nor_thing_to_try(told, two_moments):
    assert behaviours()["latency"].links == "conflicting"
    for side in (FARTHER, -FARTHER):
        found = told({WAIT: side, "therapist.turns.talk_share": side}, two_moments)
        assert found.strength is None
        assert found.attempt is None


def test_what_the_client_does_is_no_strength_of_the_therapist(told, two_moments):
    found = told(
        {"client.face.smile_share": FARTHER, "client.gaze.on_screen_listening_share": -FARTHER}, two_moments
    )
    assert found.strength is None
    assert found.attempt is None


def test_nine_sessions_are_too_few_to_tell(told, two_moments):
    found = told({}, two_moments, sessions=9)
    assert found.why_no_strength == found.why_no_attempt
    assert found.why_no_strength == "This study has 9 sessions; to tell what stands out takes 10."
    assert told({SMILES: 4}, two_moments, sessions=10).strength is not None


def test_without_roles_there_is_no_training_part(told, two_moments):
    found = told({SMILES: UP}, two_moments, people=("p1", "p2"))
    assert found.strength is None
    assert "which of the two is the therapist" in found.why_no_strength


def test_footnotes_belong_to_what_is_told(told, two_moments):
    both = told({SMILES: UP, LOOKS: DOWN}, two_moments)
    names = {note.number: note.name for note in both.notes}
    assert names[both.strength.note] == "Smiling"
    assert names[both.attempt.note] == "Looking toward the screen while listening"
    one = told({LOOKS: DOWN}, two_moments)
    assert [(note.number, note.name) for note in one.notes] == [(one.attempt.note, names[both.attempt.note])]


def test_nothing_that_was_measured_is_told_as_such(features, study, two_moments):
    gone = {name: float("nan") for name in features.row}
    found = training(Measured(gone, {}, study()), PAIR, two_moments)
    assert found.why_no_strength.startswith("None of this could be measured")
