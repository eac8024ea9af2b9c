"""Rows of a sheet against the session that they describe."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from acted import session, table, times, voices

from vsa.features.words import value
from vsa.report.pages.view_timeline import Synchrony
from vsa.report.sheet.content import compose
from vsa.report.sheet.measured import NOT_KNOWN, wait
from vsa.report.sheet.rows import trouble_of
from vsa.voice.repair import OVERLAP, SILENCE, repairs


def nothing(feature, side):
    return ()


@pytest.fixture(scope="module")
def sheet(talk, features, study, together):
    moved = {"therapist.gaze.on_screen_listening_share": 8, "dyad.turns.silence_share": -8}
    return compose(talk, features.row, features.missing, study(moved), together, nothing)


def row(rows, label):
    return next(one for one in rows if one.label.startswith(label))


def test_columns_are_the_therapist_and_then_the_client(sheet):
    assert sheet.people == ("therapist", "client")


def test_each_persons_value_stands_in_its_own_column(sheet, features):
    shown = row(sheet.communication, "Share of the talking").cells
    assert [cell.text for cell in shown] == [
        value(name, features.row[name]) for name in ("therapist.turns.talk_share", "client.turns.talk_share")
    ]
    waits = row(sheet.communication, "Typical wait").cells
    assert [cell.text for cell in waits] == [
        wait(features.row[f"{who}.turns.latency_median_s"]) for who in sheet.people
    ]


def test_where_a_value_lies_in_the_study_is_told_in_words_and_as_a_share(sheet):
    looks = row(sheet.communication, "Looks toward the screen").cells
    assert looks[0].more == "higher than in 9 of 10 sessions"
    assert looks[0].below == pytest.approx(18.5 / 21)
    assert looks[1].more == "about as in most sessions"
    silence = row(sheet.communication, "Nobody speaks").cells
    assert len(silence) == 1
    assert silence[0].more == "lower than in 9 of 10 sessions"


def test_what_chance_gives_stands_beside_what_goes_together(sheet, features):
    both = row(sheet.security, "Both smile").cells[0]
    chance = features.row["dyad.face.shared_smile_share"] - features.row["dyad.face.shared_smile_lift"]
    assert both.more.startswith(f"{value('dyad.face.shared_smile_share', chance)} by chance")


def test_synchrony_is_told_against_chance_only(sheet, talk, features, study):
    shown = row(sheet.security, "Movement of the two").cells[0]
    assert shown.text == "more than by chance"
    assert shown.more == "2.3 standard deviations above the same two at other times (p = 0.01)"
    weak = Synchrony(np.empty(0), np.empty(0), 60.0, 1.2, 0.11, "")
    less = compose(talk, features.row, features.missing, study(), weak, nothing)
    assert row(less.security, "Movement of the two").cells[0].text == "no more than by chance"
    none = replace(weak, overall_z=math.nan, overall_p=math.nan, why_none="the camera was off")
    gone = compose(talk, features.row, features.missing, study(), none, nothing)
    assert row(gone.security, "Movement of the two").cells[0].text == NOT_KNOWN
    assert row(gone.security, "Movement of the two").cells[0].more == "the camera was off"


def test_what_is_missing_is_missing_with_its_reason_and_never_zero(talk, features, study, together):
    names = [f"{who}.head.nod_listening_per_min" for who in ("therapist", "client")]
    values = {**features.row, names[0]: math.nan}
    found = compose(
        talk, values, {names[0]: "9.0 new pictures a second, and 12 are needed"}, study(), together, nothing
    )
    nods = row(found.communication, "Nods").cells
    assert (nods[0].text, nods[0].more) == (NOT_KNOWN, "9.0 new pictures a second, and 12 are needed")
    assert math.isnan(nods[0].below)
    assert nods[1].text == value(names[1], features.row[names[1]])


def test_a_reason_that_both_share_is_told_once(talk, features, study, together):
    names = [f"{who}.head.nod_listening_per_min" for who in ("therapist", "client")]
    values = {**features.row, **dict.fromkeys(names, math.nan)}
    found = compose(talk, values, dict.fromkeys(names, "too dark"), study(), together, nothing)
    assert [(cell.text, cell.more) for cell in row(found.communication, "Nods").cells] == [
        (NOT_KNOWN, "too dark")
    ]


def test_the_course_goes_from_early_to_late(sheet, features):
    looks = row(sheet.course, "Both look toward their screens").cells
    assert [cell.text for cell in looks] == [
        value("dyad.gaze.mutual_share", features.row[f"dyad.gaze.{third}_mutual_share"])
        for third in ("early", "middle", "late")
    ]


def test_repair_is_counted_as_the_conversation_has_it(sheet, talk):
    found = repairs(talk.turns, talk.span_s[1])
    for kind, label in (
        (OVERLAP, "Smooth turns again after overlaps"),
        (SILENCE, "Smooth turns again after long"),
    ):
        own = found[(found["kind"] == kind) & (found["outcome"] != "open")]
        assert len(own), "the conversation has some of both"
        back = int((own["outcome"] == "repaired").sum())
        assert row(sheet.security, label).cells[0].text == f"after {back} of {len(own)}"
    silences = found[found["kind"] == SILENCE]
    shown = row(sheet.communication, "Silences of 3 s").cells[0]
    assert shown.text == str(len(silences))
    assert f"therapist {(silences['first'] == 'therapist').sum()}" in shown.more


@pytest.mark.parametrize(("hole", "outcomes"), [((), ["not repaired"]), ((30, 34), ["open"]), ((18, 22), [])])
def test_what_nobody_heard_is_not_judged(hole, outcomes):
    """A silence from 20 to 24 s, after which one goes on alone; the microphones are off for 4 s, or not."""
    said = {"p1": [(0, 19.5), (24, 60)], "p2": [(19.7, 20.0)]}
    faces = [table(times(60, 10), who) for who in ("p1", "p2")]
    heard = voices(60, said, unknown=[hole] if hole else ())
    found = trouble_of(session(*faces, roles=("client", "therapist"), heard=heard))
    assert found["outcome"].tolist() == outcomes


def test_without_sound_trouble_is_not_known_and_why():
    faces = [table(times(60, 10), who) for who in ("p1", "p2")]
    assert trouble_of(session(*faces, roles=("client", "therapist"))) == "there is no sound"


def test_two_people_without_roles_get_a_sheet_of_what_is_measured(talk, features, study, together):
    plain = {
        name.replace("therapist.", "p2.").replace("client.", "p1."): x for name, x in features.row.items()
    }
    renamed = replace(
        talk,
        faces=dict(zip(("p1", "p2"), talk.faces.values(), strict=True)),
        voices=dict(zip(("p1", "p2"), talk.voices.values(), strict=True)),
        turns=talk.turns.renamed({"client": "p1", "therapist": "p2"}),
    )
    norms = study()
    found = compose(renamed, plain, {}, norms, together, nothing)
    assert found.people == ("p1", "p2")
    assert row(found.communication, "Share of the talking").cells[1].text == value(
        "p2.turns.talk_share", features.row["therapist.turns.talk_share"]
    )
    assert found.training.strength is None
    assert "therapist" in found.training.why_no_strength


def test_a_study_of_few_sessions_is_not_compared_with(talk, features, study, together):
    found = compose(talk, features.row, features.missing, study(sessions=4), together, nothing)
    assert found.compared == "Not compared with other sessions: this study has 4, and 10 are needed."
    assert not found.placed
    assert isinstance(trouble_of(talk), pd.DataFrame)
