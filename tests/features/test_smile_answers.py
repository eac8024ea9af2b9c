from __future__ import annotations

import numpy as np
import pytest
from acted import lose, plateau, session, table, times

from vsa.features.registry import TooLittle, features, find
from vsa.features.smiles import find_smiles

SECONDS = 300
#: The first one smiles every 25 s for 3 s; the second one answers all but every third.
ASKED = 10 + 25.0 * np.arange(12)
ANSWERED = np.array([k % 3 > 0 for k in range(12)])
DELAY_S = 0.8


def value(name, of, scope):
    return find(f"face.{name}").compute(of, scope)


def smiles(t, starts, lasting_s=3.0):
    return 0.5 * np.clip(sum((plateau(t, a, a + lasting_s) for a in starts), np.zeros_like(t)), 0, 1)


def person(t, who, score, **others):
    return table(t, who, mouthSmileLeft=score, mouthSmileRight=score, **others)


def pair(first, second, fps=25.0, lasting_s=3.0):
    t = times(SECONDS, fps)
    return session(*(person(t, who, smiles(t, at, lasting_s)) for who, at in (("p1", first), ("p2", second))))


def test_who_answers_how_often_and_how_fast():
    talk = pair(ASKED, ASKED[ANSWERED] + DELAY_S)
    assert value("smile_answer_share", talk, "p2") == pytest.approx(8 / 12)
    assert value("smile_answer_latency_median_s", talk, "p2") == pytest.approx(DELAY_S, abs=0.03)
    # within 2 s of 60 nearby two smiles of three begin, in 21.7 s each without a smile
    chance = 2 * 8 / 12 / (25 - 3.2 * 8 / 12)
    assert value("smile_answer_lift", talk, "p2") == pytest.approx(8 / 12 - chance, abs=0.03)
    # the other one smiles already when these begin
    with pytest.raises(TooLittle, match="smiles of the partner that could be answered: 0, and 8 are needed"):
        value("smile_answer_share", talk, "p1")
    with pytest.raises(TooLittle, match="smiles of the partner that this person answered: 0"):
        value("smile_answer_latency_median_s", talk, "p1")


def test_a_smile_after_two_seconds_is_no_answer():
    talk = pair(ASKED, ASKED + 2.3)
    assert value("smile_answer_share", talk, "p2") == 0
    assert value("smile_answer_lift", talk, "p2") < 0


def test_chance_is_what_moved_smiles_get():
    rng = np.random.default_rng(5)
    first, second = (np.sort(rng.uniform(5, SECONDS - 8, 14)) for _ in range(2))
    talk = pair(first, second)
    lift, share = (value(f"smile_answer_{what}", talk, "p2") for what in ("lift", "share"))
    asked, own = (find_smiles(talk.faces[who]) for who in ("p1", "p2"))
    seen = talk.faces["p2"].t[[0, -1]]

    def answered(at):
        """None if it could not be answered."""
        busy = ((own.start_s <= at) & (at <= own.end_s)).any()
        if busy or at < seen[0] or at + 2 > seen[1]:
            return None
        return bool(((own.start_s > at) & (own.start_s <= at + 2)).any())

    chances = []
    for at in asked.start_s:
        if answered(at) is not None:
            moved = [answered(at + by) for by in np.arange(-30, 30, 0.02)]
            chances.append(np.mean([found for found in moved if found is not None]))
    assert share - lift == pytest.approx(np.mean(chances), abs=0.005)


@pytest.mark.parametrize("alone_s", [0, 150], ids=["all along", "in the second half"])
def test_people_who_smile_independently_do_not_answer_each_other(alone_s):
    rng = np.random.default_rng(3)
    lifts, shares, mimicry = [], [], []
    for _ in range(30):
        first, second = (np.sort(rng.uniform(alone_s + 1, SECONDS - 4, 16)) for _ in range(2))
        talk = pair(first, second, fps=12.5, lasting_s=1.0)
        for who in ("p1", "p2"):
            try:
                lifts.append(value("smile_answer_lift", talk, who))
                shares.append(value("smile_answer_share", talk, who))
            except TooLittle:
                continue
            mimicry.append(value("mimicry_r", talk, who))
    assert len(lifts) > 30
    assert abs(np.mean(lifts)) < 3 * np.std(lifts) / np.sqrt(len(lifts))
    assert abs(np.mean(mimicry)) < 3 * np.std(mimicry) / np.sqrt(len(mimicry))
    assert np.mean(shares) > 0.05


def test_what_was_not_seen_is_neither_asked_nor_answered():
    t = times(SECONDS, 25)
    first, second = (person(t, who, smiles(t, at)) for who, at in (("p1", ASKED), ("p2", ASKED + DELAY_S)))
    # of twelve smiles the second one is not in view in two, the first one comes into view smiling in one
    away = ((t > 5) & (t < 20)) | ((t > 110.5) & (t < 120))
    came = (t > 30) & (t < 35.5)
    talk = session(lose(first, came), lose(second, away))
    assert value("smile_answer_share", talk, "p2") == 1
    fewer = session(lose(first, came | (t > 205)), lose(second, away))
    with pytest.raises(TooLittle, match="smiles of the partner that could be answered: 5, and 8 are needed"):
        value("smile_answer_share", fewer, "p2")


def test_smiles_that_two_people_share():
    # 12 smiles of 3 s and 8 of them with one that begins 0.8 s later: 8 times 2.2 s
    talk = pair(ASKED, ASKED[ANSWERED] + DELAY_S)
    both, first, second = 8 * 2.35 / SECONDS, 12 * 3.2 / SECONDS, 8 * 3.2 / SECONDS
    assert value("shared_smile_share", talk, "dyad") == pytest.approx(both, abs=0.003)
    assert value("shared_smile_lift", talk, "dyad") == pytest.approx(both - first * second, abs=0.003)
    assert value("smile_first_share", talk, "p1") == 1
    assert value("smile_first_share", talk, "p2") == 0
    turns = pair(ASKED, ASKED + np.where(ANSWERED, DELAY_S, -0.5))
    assert value("smile_first_share", turns, "p1") == pytest.approx(8 / 12)
    assert value("smile_first_share", turns, "p2") == pytest.approx(4 / 12)
    together = pair(ASKED, ASKED)
    assert value("smile_first_share", together, "p1") == 0.5
    serious = pair(ASKED, [])
    assert value("shared_smile_share", serious, "dyad") == 0
    with pytest.raises(TooLittle, match="smiles of p2: 0, and 3 are needed"):
        value("shared_smile_lift", serious, "dyad")


def brows(t, at):
    up = 0.5 * sum((plateau(t, a, a + 2) for a in at), np.zeros_like(t))
    return {"browInnerUp": up, "browOuterUpLeft": up, "browOuterUpRight": up}


def test_a_face_that_follows_another_one():
    t = times(SECONDS, 25)
    rng = np.random.default_rng(4)
    raised = 20 + 30.0 * np.arange(9)
    first = person(t, "p1", smiles(t, ASKED), **brows(t, raised))
    second = person(t, "p2", smiles(t, ASKED + 1.0), **brows(t, raised + 1.0))
    talk = session(first, second)
    assert value("mimicry_r", talk, "p2") == pytest.approx(1, abs=0.01)
    assert value("mimicry_r", talk, "p1") < 0.1
    # as often, but not after what the other one does
    apart = person(t, "p2", smiles(t, ASKED + 12), **brows(t, raised + 12))
    assert abs(value("mimicry_r", session(first, apart), "p2")) < 0.1
    noisy = second.assign(browInnerUp=second["browInnerUp"] + rng.normal(0, 0.05, len(t)))
    assert 0.7 < value("mimicry_r", session(first, noisy), "p2") < 1
    with pytest.raises(TooLittle, match="a face hardly moves"):
        value("mimicry_r", session(first, table(t, "p2")), "p2")


ROOMS = ("vsa.features.smile_answers", "vsa.features.mimicry")
PAIRED = [entry for entry in features() if entry.compute.__module__ in ROOMS]


@pytest.mark.parametrize("entry", PAIRED, ids=lambda entry: entry.name)
def test_it_takes_two_people_who_are_seen_for_long_enough(entry):
    t = times(SECONDS, 25)
    first, second = (person(t, who, smiles(t, at)) for who, at in (("p1", ASKED), ("p2", ASKED + DELAY_S)))
    scope = "p2" if entry.scope == "role" else "dyad"
    alone = session(first)
    with pytest.raises(TooLittle, match="it takes two people, and there is 1"):
        entry.compute(alone, "p1" if entry.scope == "role" else "dyad")
    whole, swapped, observed = (
        session(*people)
        for people in ((first, second), (second, first), (first, second, lose(table(t, "p3"), t > 0)))
    )
    unseen = observed.part(1, SECONDS)
    expected = entry.compute(whole, scope)
    assert entry.compute(swapped, scope) == expected
    assert entry.compute(unseen, scope) == pytest.approx(expected, abs=0.02)
    if entry.scope == "role":
        with pytest.raises(TooLittle, match="not one of the pair"):
            entry.compute(unseen, "p3")
    short = whole.part(0, 20)
    if entry.name != "face.shared_smile_share":
        with pytest.raises(TooLittle, match="needed"):
            entry.compute(short, scope)
    # never both in view
    apart = session(lose(first, t < 150), lose(second, t >= 150))
    with pytest.raises(TooLittle):
        entry.compute(apart, scope)


@pytest.mark.parametrize("entry", PAIRED, ids=lambda entry: entry.name)
def test_pairs_do_not_depend_on_start_and_frame_rate(entry):
    scope = "p2" if entry.scope == "role" else "dyad"
    t = times(SECONDS, 25)

    def at(start_s, every):
        shown = [person(t, who, smiles(t, on)) for who, on in (("p1", ASKED), ("p2", ASKED + DELAY_S))]
        return session(*(frame.assign(t=frame["t"] + start_s).iloc[::every] for frame in shown))

    expected = entry.compute(at(0, 1), scope)
    assert entry.compute(at(987.654, 1), scope) == pytest.approx(expected, abs=0.003)
    assert entry.compute(at(0, 2), scope) == pytest.approx(expected, rel=0.04, abs=0.003)


def test_real_faces_set_side_by_side(face_table):
    """The webcam clip over and over; the other man smiles 0.9 s after its smile, three times out of four."""
    first, second = (face_table(clip) for clip in ("webcam_man_53s.mp4", "smiling_man_360p.mp4"))
    times_over, smile_s, begins_s = 12, 6.9, 0.6  # looked at: when each of the smiles begins in its clip
    t = times(times_over * 53.0, 25)
    played = np.abs((t % 0.8) - 0.4)  # the first 0.4 s of the clip, in which he waits, to and fro
    for k in range(times_over):
        since = t - (53.0 * k + smile_s + 0.9) + begins_s - 0.4
        shown = (since >= 0) & (since < 3.4) & (k % 4 > 0)
        played[shown] = 0.4 + np.minimum(since, 3.4 - since)[shown]
    looped = [
        frame.iloc[np.searchsorted(frame["t"].to_numpy()[:-1], when)].assign(t=t, participant=who)
        for who, frame, when in (("p1", first, t % 53.0), ("p2", second, played))
    ]
    talk = session(*looped)
    assert value("smile_answer_share", talk, "p2") == pytest.approx(9 / 12)
    assert value("smile_answer_lift", talk, "p2") == pytest.approx(9 / 12 - 2 * 9 / 12 / 53, abs=0.03)
    assert value("smile_answer_latency_median_s", talk, "p2") == pytest.approx(0.9, abs=0.1)
    assert value("smile_first_share", talk, "p1") == 1
    assert value("mimicry_r", talk, "p2") > 0.15 > abs(value("mimicry_r", talk, "p1"))
    # one smiles with the eyes, the other without
    assert value("duchenne_share", talk, "p2") == 1
    assert value("duchenne_share", talk, "p1") == 0
