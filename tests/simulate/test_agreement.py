"""Agreement of results with the truth, on tables whose figures can be worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from acted import lids, lose, nodding, plateau, table, times, voices
from sklearn.metrics import cohen_kappa_score

from vsa.errors import InputError
from vsa.simulate.agreement import agreement, compare, markdown_head
from vsa.simulate.pairing import Tables, beside, same_people
from vsa.simulate.scores import NAN, Errors, Matches, kappa, matched, near_event, same_event, slope

SECONDS, FPS = 40.0, 25.0
T = times(SECONDS, FPS)
#: By participant; a blink is shut for 0.17 s about its time, and events have their ramps.
BLINKS = {"p1": (3.0, 9.0, 15.0, 31.0), "p2": (5.0, 20.0, 33.0)}
NODS = {"p1": (12.0, 24.0), "p2": (7.0, 27.0, 36.0)}
SMILES = {"p1": ((17.0, 19.5),), "p2": ((22.0, 24.5), (29.0, 31.0))}
AWAY = {"p1": ((6.0, 7.5), (27.0, 29.0)), "p2": ((10.0, 12.0),)}
HEAD_TURN = {"p1": (20.5, 22.5), "p2": (14.0, 17.0)}
SPEECH = {"p1": ((1.0, 8.0), (20.0, 30.0)), "p2": ((9.0, 18.0), (29.5, 38.0))}
TILES = {"p1": [0, 0, 640, 720], "p2": [640, 0, 640, 720]}
ROLES = {"p1": "therapist", "p2": "client"}


def face_rows(who, t=T):
    """Truth, and what a camera without error would measure of it: the columns have the same meaning."""
    pitch = nodding(t, NODS[who], size_deg=4.0)
    turn = plateau(t, HEAD_TURN[who][0] + 0.4, HEAD_TURN[who][1] - 0.4, 0.4)
    looks = sum(plateau(t, a + 0.03, b - 0.03, 0.03) for a, b in AWAY[who])
    smile = sum(plateau(t, a + 0.3, b - 0.3, 0.3) for a, b in SMILES[who])
    lid = lids(t, BLINKS[who])
    return table(
        t,
        who,
        head_yaw=10.0 * turn,
        head_pitch=pitch,
        head_roll=np.sin(t),
        gaze_yaw=25.0 * looks,
        gaze_pitch=-5.0 * looks,
        eye_open_left=lid,
        eye_open_right=lid,
        mouthSmileLeft=0.6 * smile,
        mouthSmileRight=0.6 * smile,
    )


def events():
    rows = []
    for who in TILES:
        rows += [(who, "blink", at - 0.095, at + 0.155) for at in BLINKS[who]]
        rows += [(who, "nod", at, at + 1.0) for at in NODS[who]]
        rows += [(who, "smile", a, b) for a, b in SMILES[who]]
        rows += [(who, "look_away", a, b) for a, b in AWAY[who]]
        rows += [(who, "head_turn", *HEAD_TURN[who])]
    return pd.DataFrame(rows, columns=["participant", "kind", "start", "end"])


def turns(speech=SPEECH):
    rows = [(who, a, b, "turn") for who, spans in speech.items() for a, b in spans]
    return pd.DataFrame(rows, columns=["participant", "start", "end", "kind"])


def record(**change):
    people = [{"id": who, "role": ROLES[who], "tile": tile, **change} for who, tile in TILES.items()]
    source = {"width": 1280, "height": 720}
    return {"session_id": "made", "status": "complete", "source": source, "participants": people}


@pytest.fixture
def truth():
    return Tables(
        record(gaze_neutral_deg=[0.0, 0.0]),
        pd.concat([face_rows(who) for who in TILES], ignore_index=True),
        voices(SECONDS, SPEECH).table,
        turns(),
        events(),
    )


def faces(tables, **change):
    """The tables with columns of the face changed: arrays or functions of the old ones."""
    face = tables.face.copy()
    for name, how in change.items():
        face[name] = how(face)
    return replace(tables, face=face)


def speaking(tables, speech):
    return replace(tables, voice=voices(SECONDS, speech).table, turns=turns(speech))


def test_the_truth_agrees_with_itself(truth):
    got = agreement(truth, truth)
    assert got.people == Matches(2, 2, 2)
    assert got.face_share == 1
    assert got.gaze.median == got.gaze_raw.p95 == pytest.approx(0, abs=1e-4)
    assert 0.9 * 2 * SECONDS * FPS < got.gaze.n < 2 * SECONDS * FPS  # blinks are left out
    assert got.on_screen_kappa == pytest.approx(1)
    for head in (got.head_yaw, got.head_pitch, got.head_roll):
        assert head == Errors(0, 0, int(2 * SECONDS * FPS))
    assert got.head_turn_gain == pytest.approx(1)
    assert got.blinks == Matches(7, 7, 7)
    assert got.nods == Matches(5, 5, 5)
    assert got.smiles == Matches(3, 3, 3)
    assert got.looks_away == Matches(3, 3, 3)
    assert got.turns == Matches(4, 4, 4)
    assert got.turn_edges_s == Errors(0, 0, 8)
    # 17 + 17.5 s, less the half second in which both speak, twice
    assert got.speech_s == pytest.approx(17 + 17.5 - 2 * 0.5, abs=0.03)
    assert got.speaker_share == got.speaker_of_given_share == 1
    assert set(got.confusion_s) == {"p1", "p2"}


def test_a_constant_error_is_in_the_raw_figure_only(truth):
    moved = faces(truth, gaze_yaw=lambda face: face.gaze_yaw + 6.0, head_yaw=lambda face: face.head_yaw + 4)
    moved = replace(moved, record=record(gaze_neutral_deg=[6.0, 0.0]))
    got = agreement(truth, moved)
    assert got.gaze_raw.median == pytest.approx(6, abs=0.02)
    assert got.gaze.p95 == pytest.approx(0, abs=1e-3)
    assert got.head_yaw.p95 == pytest.approx(0, abs=1e-6)
    assert got.on_screen_kappa == pytest.approx(1)


def test_errors_of_one_person_are_over_that_persons_mean(truth):
    """Off by 3 degrees to either side in turn: the mean is right, and every picture is off by 3."""
    sign = np.where(np.arange(len(truth.face)) % 2, 3.0, -3.0)
    shaky = faces(
        truth, head_pitch=lambda face: face.head_pitch + sign, head_roll=lambda face: face.head_roll
    )
    got = agreement(truth, shaky)
    assert got.head_pitch.median == pytest.approx(3, abs=0.01)
    assert got.head_pitch.p95 == pytest.approx(3, abs=0.01)
    assert got.head_roll.p95 == 0


def test_half_the_turn_of_the_head_is_a_gain_of_a_half(truth):
    got = agreement(truth, faces(truth, head_yaw=lambda face: face.head_yaw / 2))
    assert got.head_turn_gain == pytest.approx(0.5)
    assert got.head_yaw.p95 > 2


def test_looks_that_are_not_seen_cost_kappa_and_looks(truth):
    """p2 is measured to look on all the time: p1's looks away alone agree."""
    blind = faces(
        truth,
        gaze_yaw=lambda face: face.gaze_yaw.where(face.participant == "p1", 0.0),
        gaze_pitch=lambda face: face.gaze_pitch.where(face.participant == "p1", 0.0),
    )
    got = agreement(truth, blind)
    assert got.looks_away == Matches(3, 2, 2)
    away = {who: sum((a < T) & (b > T) for a, b in AWAY[who]) for who in AWAY}
    expected = cohen_kappa_score(
        np.concatenate([away["p1"], away["p2"]]), np.concatenate([away["p1"], 0 * T.astype(int)])
    )
    assert 0.5 < expected < 0.9
    assert got.on_screen_kappa == pytest.approx(expected, abs=0.02)


def test_events_that_are_not_found_lower_recall_and_made_up_ones_precision(truth):
    p1 = truth.face.participant == "p1"
    lid = np.concatenate([lids(T, (3.0, 9.0, 25.5)), lids(T, BLINKS["p2"])])  # two lost, one made up
    pitch = np.concatenate([nodding(T, (24.0,), size_deg=4.0), nodding(T, (*NODS["p2"], 18.0), size_deg=4.0)])
    made = faces(
        truth,
        eye_open_left=lambda face: lid,
        eye_open_right=lambda face: lid,
        head_pitch=lambda face: pitch,
        mouthSmileLeft=lambda face: face.mouthSmileLeft.where(p1, 0.0),
        mouthSmileRight=lambda face: face.mouthSmileRight.where(p1, 0.0),
    )
    got = agreement(truth, made)
    assert got.blinks == Matches(7, 6, 5)
    assert (got.blinks.recall, got.blinks.precision) == pytest.approx((5 / 7, 5 / 6))
    assert got.nods == Matches(5, 5, 4)
    assert got.smiles == Matches(3, 1, 1)
    assert got.smiles.f1 == pytest.approx(0.5)


def test_results_that_come_late_are_joined_with_the_pictures_of_their_time(truth):
    """A second late: blinks, nods and turns of speech don't match any more, or with an error of a second."""
    late = replace(
        truth,
        face=truth.face.assign(t=truth.face.t + 1.0),
        turns=truth.turns.assign(start=truth.turns.start + 1.0, end=truth.turns.end + 1.0),
    )
    got = agreement(truth, late)
    assert got.blinks == Matches(7, 7, 0)
    assert got.turn_edges_s.median == pytest.approx(1)
    assert got.turn_edges_s.n == 8
    assert got.head_pitch.p95 > 1
    assert got.head_yaw.n == 2 * (SECONDS - 1) * FPS  # the last second has no truth beside it


def test_pictures_at_another_rate_have_the_nearest_truth_beside_them():
    known = face_rows("p1").assign(head_yaw=T)
    t = np.array([-0.03, 0.0, 0.019, 0.021, 10.0, SECONDS - 0.02, SECONDS + 0.03])
    near = beside(known, t, ["head_yaw"])
    assert near.shown.tolist() == [False, True, True, True, True, True, False]
    np.testing.assert_allclose(near.head_yaw[1:6], [0, 0, 0.04, 10, SECONDS - 0.04], atol=1e-9)


def test_what_happens_while_the_camera_is_off_counts_neither_way(truth):
    """Off from 8.5 to 13 s: p1's blink at 9 s and nod at 12 s, p2's look away at 10 s."""
    off = truth.face.t.between(8.5, 13).to_numpy()
    known = replace(truth, face=lose(truth.face, off))
    got = agreement(known, truth)
    assert got.blinks == Matches(6, 6, 6)
    assert got.nods == Matches(4, 4, 4)
    assert got.looks_away == Matches(2, 2, 2)
    assert got.head_yaw.n == 2 * SECONDS * FPS - off.sum()
    assert got.face_share == 1


def test_faces_that_are_lost_are_counted(truth):
    lost = replace(truth, face=lose(truth.face, (truth.face.t < 10).to_numpy()))
    got = agreement(truth, lost)
    assert got.face_share == pytest.approx(0.75)
    assert got.blinks == Matches(7, 4, 4)


def test_what_features_would_not_count_is_nothing_to_compare(truth):
    """Five pictures a second are too few for blinks, nods and looks; faces of 60 px too small for lids and gaze."""
    slow = replace(truth, face=truth.face[np.arange(len(truth.face)) % 5 == 0])
    got = agreement(truth, slow)
    assert got.blinks == got.nods == got.looks_away == Matches()
    assert got.smiles == Matches(3, 3, 3)
    assert got.head_yaw.n == 2 * SECONDS * 5
    assert np.isnan(got.blinks.recall)
    small = agreement(truth, faces(truth, box_h=lambda face: 60.0))
    assert small.blinks == small.looks_away == Matches()
    assert small.gaze == small.gaze_raw == Errors()
    assert np.isnan(small.gaze.median)
    assert np.isnan(small.on_screen_kappa)
    assert small.on_screen_n == 0
    assert small.nods == Matches(5, 5, 5)


def test_exchanged_speakers_get_no_speech_right(truth):
    got = agreement(truth, speaking(truth, {"p1": SPEECH["p2"], "p2": SPEECH["p1"]}))
    assert got.speaker_share == got.speaker_of_given_share == 0
    assert got.confusion_s["p1"]["p2"] == pytest.approx(16.5, abs=0.03)
    assert got.turns.both == 0


def test_speech_that_is_given_to_nobody_or_to_both_is_not_right(truth):
    """p1's first 7 s are lost; p2's first 9 s are given to both."""
    got = agreement(truth, speaking(truth, {"p1": ((9.0, 18.0), (20.0, 30.0)), "p2": SPEECH["p2"]}))
    assert got.confusion_s["p1"] == pytest.approx({"nobody": 7.0, "p1": 9.5}, abs=0.03)
    assert got.confusion_s["p2"] == pytest.approx({"several": 9.0, "p2": 8.0}, abs=0.03)
    assert got.speaker_share == pytest.approx(17.5 / 33.5, abs=0.002)
    assert got.speaker_of_given_share == pytest.approx(17.5 / 26.5, abs=0.002)
    assert got.turns == Matches(4, 4, 3)


def test_edges_of_turns_are_off_by_what_they_are_off(truth):
    off = ((1.1, 8.0), (20.0, 30.3)), ((9.0, 18.0), (29.5, 38.0))
    got = agreement(truth, speaking(truth, dict(zip(TILES, off, strict=True))))
    assert got.turns == Matches(4, 4, 4)
    assert got.turn_edges_s.median == 0
    assert got.turn_edges_s.p95 == pytest.approx(np.percentile([0.1, 0.3, 0, 0, 0, 0, 0, 0], 95))


def test_a_voice_off_camera_is_who_it_is_and_strangers_are_others(truth):
    more = {**SPEECH, "off_camera": ((39.0, 39.8),)}
    known, seen = speaking(truth, more), speaking(truth, {**SPEECH, "p7": ((39.0, 39.4),)})
    got = agreement(known, seen)
    assert got.confusion_s["off_camera"] == pytest.approx({"other": 0.4, "nobody": 0.4}, abs=0.02)
    assert agreement(known, known).confusion_s["off_camera"] == pytest.approx({"off_camera": 0.8}, abs=0.02)
    assert got.turns == Matches(5, 5, 4)


def test_backchannels_are_counted_apart_from_turns(truth):
    """One of two is found, 0.1 of its 0.5 s too long; the other is taken for a turn."""
    said = pd.DataFrame([("p2", 3.0, 3.5), ("p1", 33.0, 33.4)], columns=["participant", "start", "end"])
    known = replace(truth, turns=pd.concat([turns(), said.assign(kind="backchannel")]))
    found = said.assign(end=[3.6, 33.4], kind=["backchannel", "turn"])
    got = agreement(known, replace(truth, turns=pd.concat([turns(), found])))
    assert got.backchannels == Matches(2, 1, 1)
    assert got.turns == Matches(4, 5, 4)
    assert got.turn_edges_s == Errors(0, 0, 8)


def test_a_silent_session_has_no_figures_of_speech(truth):
    silent = replace(truth, voice=truth.voice.iloc[:0], turns=truth.turns.iloc[:0])
    got = agreement(silent, silent)
    assert got.turns == Matches()
    assert got.speech_s == 0
    assert np.isnan(got.speaker_share)
    unheard = agreement(truth, silent)
    assert unheard.speaker_share == 0
    assert np.isnan(unheard.speaker_of_given_share)


def test_ids_in_another_order_are_matched_by_role(truth):
    other = {"p1": "p2", "p2": "p1"}
    people = [{**p, "id": other[p["id"]]} for p in truth.record["participants"]]
    renamed = {
        name: table.assign(participant=table.participant.astype(str).map(other))
        for name, table in (("face", truth.face), ("voice", truth.voice), ("turns", truth.turns))
    }
    got = agreement(truth, replace(truth, record={**truth.record, "participants": people}, **renamed))
    assert got == agreement(truth, truth)


def test_without_roles_people_are_matched_by_place_also_in_a_smaller_picture():
    seen = record(role=None)
    seen["source"] = {"width": 640, "height": 360}
    for person, tile in zip(seen["participants"], ([320, 0, 320, 360], [0, 0, 320, 360]), strict=True):
        person["tile"] = tile
    assert same_people(record(role=None), seen) == {"p1": "p2", "p2": "p1"}
    assert same_people(record(), seen) == {"p1": "p2", "p2": "p1"}


def test_somebody_who_was_not_found_is_not_matched(truth):
    alone = {**truth.record, "participants": truth.record["participants"][:1]}
    got = agreement(truth, replace(truth, record=alone, face=truth.rows_of("p1")))
    assert got.people == Matches(2, 1, 1)
    assert got.blinks == Matches(4, 4, 4)
    assert got.confusion_s["p2"] == pytest.approx({"other": 17.0}, abs=0.03)


def test_folders_are_read_and_others_refused(truth, tmp_path):
    for place in ("truth", "results"):
        folder = tmp_path / place / "made"
        folder.mkdir(parents=True)
        (folder / "session.json").write_text(json.dumps(truth.record), "utf-8")
        for name in ("face", "voice", "turns"):
            getattr(truth, name).to_parquet(folder / f"{name}.parquet", index=False)
        truth.turns.to_parquet(folder / "features.parquet", index=False)
    known, got = (tmp_path / place / "made" for place in ("truth", "results"))
    with pytest.raises(InputError, match=r"no events\.parquet"):
        compare(known, got)
    truth.events.to_parquet(known / "events.parquet", index=False)
    assert compare(known, got) == agreement(truth, truth)
    with pytest.raises(InputError, match="no finished session"):
        compare(known, tmp_path / "nothing")
    damaged = (got / "face.parquet").read_bytes()
    (got / "face.parquet").write_bytes(damaged[:200] + b"PAR1")
    with pytest.raises(InputError, match="can't be read"):
        compare(known, got)


def test_a_row_has_a_cell_for_every_column_and_dashes_where_there_is_nothing(truth):
    head, rule = markdown_head("condition").split("\n")
    row = agreement(truth, truth).markdown("all well")
    assert head.count("|") == rule.count("|") == row.count("|")
    assert "1.00 / 1.00 (7)" in row
    slow = replace(truth, face=truth.face[np.arange(len(truth.face)) % 5 == 0])
    assert agreement(truth, slow).markdown("slow").split("|")[6].strip() == "–"
    assert "nan" not in agreement(truth, slow).markdown("slow")


@pytest.mark.parametrize("seed", range(5))
def test_kappa_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    one = rng.random(200) < 0.3
    other = one ^ (rng.random(200) < 0.15)
    assert kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))


def test_kappa_of_what_never_varies_is_missing():
    assert np.isnan(kappa(np.ones(9, bool), np.ones(9, bool)))
    assert np.isnan(kappa(np.empty(0, bool), np.empty(0, bool)))
    assert kappa(np.ones(4, bool), np.array([1, 1, 0, 0], bool)) == 0


def test_as_many_events_are_paired_as_can_be():
    """The second found one fits both true ones, the first fits the first only."""
    true = np.array([[1.0, 1.2], [1.4, 1.6]])
    found = np.array([[0.8, 0.9], [1.25, 1.35]])
    assert matched(true, found, near_event).tolist() == [[0, 0], [1, 1]]
    assert matched(true[:1], found, near_event).tolist() in ([[0, 0]], [[0, 1]])
    assert matched(true[:0], found, near_event).shape == (0, 2)


def test_long_events_match_from_half_of_their_common_time_on():
    true = np.array([[10.0, 12.0]])
    assert same_event(true, np.array([[11.0, 12.0]])).all()
    assert not same_event(true, np.array([[11.01, 12.0]])).any()
    assert not same_event(true, np.array([[8.0, 14.0]])).any()


def test_counts_and_slopes_without_anything_are_missing():
    nothing = Matches.sum([])
    assert nothing == Matches()
    assert all(np.isnan(x) for x in (nothing.recall, nothing.precision, nothing.f1, Errors.of([]).p95, NAN))
    assert np.isnan(slope([(np.ones(3), np.arange(3.0)), (np.empty(0), np.empty(0))]))
    assert slope(
        [(np.arange(3.0), 2 * np.arange(3.0)), (np.arange(2.0), 5 + np.arange(2.0))]
    ) == pytest.approx((2 * 2 + 0.5) / 2.5)
