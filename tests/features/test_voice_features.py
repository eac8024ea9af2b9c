"""Voices: what is known of a speaker and a pair is found, and what can't be known has a reason."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from acted import Heard, lose, session, table, times, voices
from hypothesis import given, settings
from hypothesis import strategies as st
from mixed_sound import Mixed, samples
from people import clip_path

from vsa.features.entrainment import proximity, rank_r
from vsa.features.registry import TooLittle, features, find
from vsa.features.session import Session
from vsa.voice.activity import speaking
from vsa.voice.ipu import speech_stretches
from vsa.voice.prosody import prosody

#: Where the features that are tested here are written down.
MODULES = ("vocal", "pace", "entrainment")


def names(scope: str) -> list[str]:
    homes = [importlib.import_module(f"vsa.features.{module}").__name__ for module in MODULES]
    return [f.name for f in features() if f.scope == scope and f.compute.__module__ in homes]


def value(one: Session, name: str, scope: str = "p1") -> float:
    return find(name).compute(one, scope)


def row(one: Session) -> dict[str, float | str]:
    """Every voice feature of everybody and of the pair, or the reason why there is none."""

    def told(name: str, scope: str) -> float | str:
        try:
            return value(one, name, scope)
        except TooLittle as reason:
            return str(reason)

    found = {f"{who}.{name}": told(name, who) for who in one.scopes for name in names("role")}
    return found | {f"dyad.{name}": told(name, "dyad") for name in names("dyad")}


def faces(seconds: float, who: Sequence[str] = ("p1", "p2"), start_s: float = 0.0) -> list[pd.DataFrame]:
    return [table(times(seconds, 5, start_s), one) for one in who]


class Turn(NamedTuple):
    who: str
    start: float
    end: float
    f0_st: float = 0.0
    intensity_db: float = 0.0
    syllables_hz: float = 4.0


def conversation(
    turns: Sequence[Turn], *, seconds: float = 0.0, base_hz: Mapping[str, float] | None = None
) -> Heard:
    """Turns of known pitch (semitones over `base_hz`), loudness and speed."""
    base_hz = base_hz or {"p1": 120.0, "p2": 210.0}

    def during(who: str, what: str):
        own = [turn for turn in turns if turn.who == who]
        starts = np.array([turn.start for turn in own]) - 1e-9
        levels = np.array([getattr(turn, what) for turn in own])
        return lambda t: levels[np.clip(np.searchsorted(starts, t) - 1, 0, None)]

    people = sorted(base_hz)
    return voices(
        seconds or max(turn.end for turn in turns) + 1,
        {who: [(turn.start, turn.end) for turn in turns if turn.who == who] for who in people},
        f0_hz={
            who: (lambda t, who=who: base_hz[who] * 2 ** (during(who, "f0_st")(t) / 12)) for who in people
        },
        intensity_db={who: during(who, "intensity_db") for who in people},
        syllables_hz={who: during(who, "syllables_hz") for who in people},
    )


def talk(turns: Sequence[Turn], **how) -> Session:
    heard = conversation(turns, **how)
    return session(*faces(heard.table["t"].max(), sorted(heard.table["participant"].unique())), heard=heard)


def exchanges(first: Sequence[dict], second: Sequence[dict], length_s: float = 3.0) -> list[Turn]:
    """A turn of each and a lapse, again and again; who ended goes on after it: no turn has two neighbours."""
    turns, at = [], 1.0
    for k, values in enumerate(zip(first, second, strict=True)):
        people = [("p1", values[0]), ("p2", values[1])]
        for who, how in people if k % 2 == 0 else people[::-1]:
            turns.append(Turn(who, at, at + length_s, **how))
            at += length_s + 0.3
        at += 4.0
    return turns


# one speaker


def test_pitch_that_swings_by_known_semitones():
    swing = 3.0  # semitones to either side, and unvoiced for 4 of 10 s

    def f0(t):
        hz = 200 * 2 ** (swing * np.sin(2 * np.pi * t / 2) / 12)
        return np.where(t % 10 < 6, hz, np.nan)

    heard = voices(60, {"p1": [(0, 60)], "p2": []}, f0_hz=f0)
    one = session(*faces(60), heard=heard)
    assert value(one, "voice.f0_median_hz") == pytest.approx(200, rel=0.01)
    # half of a sine lies within 0.7071 of its amplitude, nine tenths within 0.9877
    assert value(one, "voice.f0_sd_st") == pytest.approx(2 * 0.7071 * swing / 1.349, rel=0.02)
    assert value(one, "voice.f0_range_st") == pytest.approx(2 * 0.9877 * swing, rel=0.02)
    assert value(one, "voice.voiced_share") == pytest.approx(0.6, abs=0.005)


def test_spread_is_the_standard_deviation_of_normal_pitch_and_octave_errors_hardly_move_it():
    rng = np.random.default_rng(4)
    st_ = rng.normal(0, 2.5, 12_000)
    wrong = st_ + 12 * rng.choice([-1, 0, 1], len(st_), p=[0.02, 0.96, 0.02])
    found = {}
    for name, course in {"right": st_, "wrong": wrong}.items():
        f0 = 180 * 2 ** (course / 12)
        one = session(*faces(120), heard=voices(120, {"p1": [(0, 120)], "p2": []}, f0_hz=lambda t, f0=f0: f0))
        found[name] = [value(one, f"voice.{x}") for x in ("f0_sd_st", "f0_range_st", "f0_median_hz")]
    assert found["right"] == [
        pytest.approx(2.5, rel=0.04),
        pytest.approx(2.5 * 3.29, rel=0.04),
        pytest.approx(180, rel=0.01),
    ]
    assert np.std(wrong) > 1.35 * np.std(st_)
    assert found["wrong"] == [
        pytest.approx(found["right"][0], rel=0.08),
        pytest.approx(found["right"][1], rel=0.25),
        pytest.approx(found["right"][2], rel=0.01),
    ]


def test_loudness_and_timbre_of_voiced_speech():
    heard = voices(60, {"p1": [(0, 30)], "p2": [(31, 59)]}, f0_hz=lambda t: np.where(t < 45, 150.0, np.nan))
    own = heard.table["participant"] == "p1"
    # every syllable swings by 6 dB to either side, and the tilt by 4
    heard.table.loc[own, "spectral_tilt_db"] = np.where(
        heard.table["t"][own] < 30, -12 + 4 * np.sin(2 * np.pi * heard.table["t"][own]), np.nan
    )
    # unvoiced speech and what is not speech have no say
    heard.table.loc[heard.table["t"] > 45, "intensity_db"] = -40.0
    one = session(*faces(60), heard=heard)
    for who in ("p1", "p2"):
        assert value(one, "voice.intensity_sd_db", who) == pytest.approx(2 * 0.7071 * 6 / 1.349, rel=0.05)
        assert value(one, "voice.intensity_range_db", who) == pytest.approx(2 * 0.9877 * 6, rel=0.02)
    assert value(one, "voice.spectral_tilt_db") == pytest.approx(-12, abs=0.1)
    assert value(one, "voice.spectral_tilt_sd_db") == pytest.approx(2 * 0.7071 * 4 / 1.349, rel=0.02)


@pytest.mark.parametrize("rate", [3.0, 5.0])
def test_rates_with_and_without_pauses(rate):
    """Turns of 4 s, a pause of 1 s and 4 s again, six times; what the other says meanwhile is a backchannel."""
    spoken, other = [], []
    for k in range(6):
        spoken += [(30 * k + 1, 30 * k + 5), (30 * k + 6, 30 * k + 10)]
        other += [(30 * k + 5.2, 30 * k + 5.7), (30 * k + 11, 30 * k + 28)]
        spoken += [(30 * k + 20, 30 * k + 20.5)]  # and own backchannels are no turns
    heard = voices(180, {"p1": spoken, "p2": other}, syllables_hz={"p1": rate, "p2": 4.0})
    one = session(*faces(180), heard=heard)
    assert value(one, "voice.articulation_rate_per_s") == pytest.approx(rate, abs=0.26)
    assert value(one, "voice.pause_share") == pytest.approx(1 / 9, abs=1e-6)
    assert value(one, "voice.speech_rate_per_s") == pytest.approx(rate * 8 / 9, abs=0.26)
    assert value(one, "voice.pause_share", "p2") == 0
    quiet = session(*faces(180), heard=voices(180, {"p1": spoken, "p2": []}, syllables_hz=rate))
    assert value(quiet, "voice.articulation_rate_per_s") == pytest.approx(rate, abs=0.35)


def test_the_spread_of_rates_over_turns():
    rates = [3.0, 5.0] * 8
    turns = exchanges([{"syllables_hz": r} for r in rates], [{}] * 16, length_s=6.0)
    one = talk(turns)
    assert value(one, "voice.speech_rate_sd_per_s") == pytest.approx(np.std(rates, ddof=1), abs=0.12)
    assert value(one, "voice.speech_rate_sd_per_s", "p2") < 0.12


# two speakers


def levels(key: str, steps: np.ndarray, unit: float, middle: float = 0.0) -> list[dict]:
    return [{key: middle + unit * float(step)} for step in steps]


VALUES = {
    "f0": ("f0_st", 1.0, 0.0, "voice.f0_proximity_st"),
    "intensity": ("intensity_db", 2.0, 0.0, "voice.intensity_proximity_db"),
    "rate": ("syllables_hz", 0.5, 5.0, "voice.rate_proximity_per_s"),
}


@pytest.mark.parametrize("what", VALUES)
def test_who_answers_alike_is_near_and_in_synchrony(what):
    key, unit, middle, nearness = VALUES[what]
    steps = np.random.default_rng(1).permutation(11) - 5
    a = levels(key, steps, unit, middle)
    copied = talk(exchanges(a, a, 5.0))
    opposite = talk(exchanges(a, levels(key, -steps, unit, middle), 5.0))
    # two of the steps -5 to 5 are 4 apart on average, and neighbours have the same
    assert value(copied, nearness, "dyad") == pytest.approx(4 * unit, rel=0.12)
    assert value(copied, f"voice.{what}_synchrony_r", "dyad") > 0.95
    # |s + s'| of two different steps is 2.8 on average where neighbours' |2 s| is 5.45
    far = np.abs(steps[:, None] + steps[None, :])[~np.eye(11, dtype=bool)].mean() - np.abs(2 * steps).mean()
    assert value(opposite, nearness, "dyad") == pytest.approx(far * unit, rel=0.15)
    assert value(opposite, f"voice.{what}_synchrony_r", "dyad") < -0.95
    # copying is neither coming closer nor drifting apart
    if what != "rate":
        with pytest.raises(TooLittle, match="don't differ"):
            value(copied, f"voice.{what}_convergence_r", "dyad")


@pytest.mark.parametrize("what", VALUES)
def test_differences_that_shrink_converge(what):
    key, unit, middle, _ = VALUES[what]
    rng = np.random.default_rng(2)
    own = rng.permutation(16) % 4 - 1.5
    apart = np.linspace(4, 0, 16) * np.tile([1, -1], 8)
    closer = exchanges(levels(key, own, unit, middle), levels(key, own + apart, unit, middle), 6.0)
    name = f"voice.{what}_convergence_r"
    assert value(talk(closer), name, "dyad") > 0.9
    away = exchanges(levels(key, own, unit, middle), levels(key, own + apart[::-1], unit, middle), 6.0)
    assert value(talk(away), name, "dyad") < -0.9


def test_backchannels_are_no_neighbours():
    steps = np.random.default_rng(1).permutation(12) - 5.5
    turns = exchanges(levels("f0_st", steps, 1.0), levels("f0_st", steps, 1.0), 5.0)
    listened = [Turn("p2", t.start + 2, t.start + 2.6, f0_st=9 - t.f0_st) for t in turns if t.who == "p1"]
    one = talk(sorted(turns + listened, key=lambda turn: turn.start))
    assert (one.turns.turns["kind"] == "backchannel").sum() == 12
    assert value(one, "voice.f0_synchrony_r", "dyad") > 0.95


def test_turns_of_people_who_do_not_mind_each_other_give_nothing_on_average():
    rng = np.random.default_rng(6)
    near, r = [], []
    for _ in range(300):
        a, b = rng.gamma(2, 1, 12), rng.gamma(2, 1, 12)
        of_a, of_b = np.repeat(np.arange(12), 2)[:-1], np.repeat(np.arange(12), 2)[1:]
        of_b = np.minimum(of_b - of_b[0], 11)
        near.append(proximity(a, b, of_a, of_b))
        r.append(rank_r(a[of_a], b[of_b]))
    assert abs(np.mean(near)) < 3 * np.std(near) / np.sqrt(len(near))
    assert abs(np.mean(r)) < 3 * np.std(r) / np.sqrt(len(r))
    # and the same estimate sees people who do
    a = rng.gamma(2, 1, 12)
    assert proximity(a, a + rng.normal(0, 0.3, 12), np.arange(12), np.arange(12)) > 0.5


def test_turns_without_a_value_take_no_part():
    a, b = np.array([0.0, 1.0, 2.0, np.nan]), np.array([0.5, np.nan, 2.0, 7.0])
    every = np.arange(4)
    # left: 0 with 0.5, 2 with 2; the others are 2 and 7, 0.5 and 7, from the other side 1 and 2, 0 and 1
    usual = [(np.mean([2, 7]) + np.mean([0.5, 1.5])) / 2, (np.mean([1.5, 5]) + np.mean([2, 1])) / 2]
    assert proximity(a, b, every, every) == pytest.approx(np.mean(np.array(usual) - [0.5, 0.0]))
    assert np.isnan(proximity(np.full(4, np.nan), b, every, every))


# what must not matter


@cache
def lively(seed: int = 3) -> tuple[Turn, ...]:
    """Five minutes of uneven turns of two people."""
    rng = np.random.default_rng(seed)
    turns, at, who = [], 1.0, 0
    while at < 285:
        length = rng.uniform(2.2, 9)
        now = Turn(f"p{who + 1}", at, at + length, rng.normal(0, 2), rng.normal(0, 3), rng.uniform(3, 6))
        if length > 6:  # with a pause
            turns += [now._replace(end=at + 3), now._replace(start=at + 3.5)]
        else:
            turns.append(now)
        at += length + rng.choice([0.3, 0.5, 0.8])
        who = 1 - who
    return tuple(turns)


@cache
def plain() -> dict[str, float | str]:
    return row(talk(lively(), seconds=300))


def test_all_voice_features_have_a_value_for_five_minutes_of_talk():
    found = plain()
    assert len(names("role")) + len(names("dyad")) >= 20
    assert [name for name, what in found.items() if isinstance(what, str)] == []
    assert all(np.isfinite(list(found.values())))
    entries = {f.name: f for f in features()}
    for name, what in found.items():
        low, high = entries[name.partition(".")[2]].range
        assert low is None or what >= low
        assert high is None or what <= high


@settings(max_examples=6, deadline=None)
@given(factor=st.floats(0.6, 1.6), gain_db=st.floats(-30, 30), start_s=st.floats(0, 5000))
def test_level_of_the_voice_gain_of_the_microphone_and_start_do_not_matter(factor, gain_db, start_s):
    start_s = round(start_s, 2)
    heard = conversation(lively(), seconds=300)
    changed = heard.table.assign(
        t=np.round(heard.table["t"] + start_s, 6),
        f0_hz=heard.table["f0_hz"] * factor,
        intensity_db=heard.table["intensity_db"] + gain_db,
    )
    speech = heard.speech.assign(start=heard.speech["start"] + start_s, end=heard.speech["end"] + start_s)
    moved = row(session(*faces(300, start_s=start_s), heard=Heard(changed, speech, heard.sound)))
    for name, before in plain().items():
        scale = factor if name.endswith("f0_median_hz") else 1.0
        assert moved[name] == pytest.approx(before * scale, rel=2e-3, abs=2e-3), name


def test_order_of_participants_does_not_matter():
    heard = conversation(lively(), seconds=300)
    turned = row(session(*faces(300, ("p2", "p1")), heard=heard))
    assert {name: turned[name] for name in plain()} == pytest.approx(plain())


def test_names_of_the_two_do_not_matter_to_the_pair():
    """What is said of both is the same when they swap their names."""
    swapped = tuple(turn._replace(who={"p1": "p2", "p2": "p1"}[turn.who]) for turn in lively())
    other = row(talk(swapped, seconds=300, base_hz={"p2": 120.0, "p1": 210.0}))
    for name in names("dyad"):
        assert other[f"dyad.{name}"] == pytest.approx(plain()[f"dyad.{name}"], abs=1e-6), name


def test_a_part_is_measured_against_the_whole_session():
    one = talk(lively(), seconds=300)
    halves = [one.part(0, 150), one.part(150, 300)]
    pairs = [find("voice.f0_synchrony_r").compute(half, "dyad") for half in halves]
    assert all(-1 <= r <= 1 for r in pairs)
    # pitch rises by an octave half-way: each half has its own median, and no more spread than before
    rising = talk([t._replace(f0_st=12.0 * (t.start > 150)) for t in lively()], seconds=300)
    early, late = rising.part(0, 145), rising.part(155, 300)
    assert value(late, "voice.f0_median_hz") == pytest.approx(
        2 * value(early, "voice.f0_median_hz"), rel=1e-3
    )
    assert value(early, "voice.f0_sd_st") == 0
    assert value(rising, "voice.f0_sd_st") > 5


# what can't be known


def reasons(one: Session) -> dict[str, str]:
    found = row(one)
    assert all(isinstance(what, str) for what in found.values()), found
    return found


def test_without_sound_nothing_is_said():
    assert set(reasons(session(*faces(60))).values()) == {"there is no sound"}


def test_twenty_seconds_are_too_little():
    turns = [Turn("p1", 1, 6), Turn("p2", 6.5, 10), Turn("p1", 10.5, 14), Turn("p2", 14.5, 19)]
    found = reasons(talk(turns, seconds=20))
    assert found["p1.voice.f0_median_hz"] == "this person speaks for 8.5 s, and 10 s are needed"
    assert found["p2.voice.speech_rate_sd_per_s"] == "turns with 2 s of speech: 2, and 8 are needed"
    assert (
        "pairs of neighbouring turns with 0.5 s of voiced speech: 3, and 8 are needed"
        in found["dyad.voice.f0_synchrony_r"]
    )


def test_one_participant_has_a_voice_and_the_pair_has_none():
    alone = talk([Turn("p1", 10 * k, 10 * k + 6) for k in range(10)], base_hz={"p1": 150.0})
    found = row(alone)
    assert all(isinstance(found[f"dyad.{name}"], str) for name in names("dyad"))
    assert found["p1.voice.f0_median_hz"] == pytest.approx(150)
    assert found["dyad.voice.f0_synchrony_r"] == "there is one person only"


def test_silent_people_have_no_voice_features():
    found = row(session(*faces(60), heard=voices(60, {"p1": [(0, 59)], "p2": []})))
    for name in names("role"):
        assert "0.0 s" in found[f"p2.{name}"] or found[f"p2.{name}"].split(": ")[-1].startswith("0,"), found[
            f"p2.{name}"
        ]


def test_unknown_speakers_make_no_pauses():
    """Where it isn't known who speaks, silence is no pause, and a voice that is never known has a reason."""
    spoken = [(20 * k, 20 * k + 12.0) for k in range(5)]
    sure = session(*faces(100), heard=voices(100, {"p1": [*spoken], "p2": []}))
    gaps = [(20 * k + 5, 20 * k + 6) for k in range(5)]
    halved = [part for a, b in spoken for part in ((a, a + 5), (a + 6, b))]
    told = session(*faces(100), heard=voices(100, {"p1": halved, "p2": []}))
    lost = session(*faces(100), heard=voices(100, {"p1": halved, "p2": []}, unknown=gaps))
    assert value(sure, "voice.pause_share") == 0
    assert value(told, "voice.pause_share") == pytest.approx(1 / 12)
    assert value(lost, "voice.pause_share") == 0
    heard = voices(100, {"p1": halved, "p2": []}, unknown=gaps)
    one_track = Heard(heard.table[heard.table["participant"] == "p1"], heard.speech, heard.sound)
    found = row(session(*faces(100), heard=one_track))
    assert found["p1.voice.pause_share"] == "it is never known whether p2 speaks"
    assert found["p2.voice.f0_median_hz"] == "it is never known whether this person speaks"
    assert isinstance(found["p1.voice.articulation_rate_per_s"], float)


def test_mixed_sound_is_not_measured_where_both_speak():
    """In overlap nobody's sound is known: it makes neither pauses nor slow speech."""
    spoken = {
        "p1": [(25 * k, 25 * k + 12) for k in range(6)],
        "p2": [(25 * k + 8, 25 * k + 20) for k in range(6)],
    }
    heard = voices(150, spoken, syllables_hz=4.0)
    both = (heard.table["t"] % 25).between(7.995, 11.995)
    mixed = heard.table.copy()
    mixed.loc[both, ["f0_hz", "intensity_db", "spectral_tilt_db"]] = np.nan
    apart, together = (
        row(session(*faces(150), heard=Heard(t, heard.speech, {}))) for t in (heard.table, mixed)
    )
    for name in ("articulation_rate_per_s", "speech_rate_per_s", "pause_share", "voiced_share"):
        assert together[f"p1.voice.{name}"] == pytest.approx(apart[f"p1.voice.{name}"], abs=0.2), name


def test_a_whisper_has_no_pitch_and_a_telephone_no_tilt():
    whisper = row(session(*faces(60), heard=voices(60, {"p1": [(0, 59)], "p2": []}, f0_hz=np.nan)))
    assert whisper["p1.voice.f0_sd_st"] == "this person's voice has a pitch for 0.0 s, and 5 s are needed"
    assert whisper["p1.voice.voiced_share"] == 0
    phone = voices(60, {"p1": [(0, 59)], "p2": []})
    phone.table["spectral_tilt_db"] = np.nan
    found = row(session(*faces(60), heard=phone))
    assert "sound up to 5 kHz" in found["p1.voice.spectral_tilt_db"]
    assert found["p1.voice.f0_median_hz"] == pytest.approx(150)


def test_a_lost_face_does_not_change_the_voice():
    heard = conversation(lively(), seconds=300)
    half = [lose(face, face["t"].to_numpy() < 150) for face in faces(300)]
    assert row(session(*half, heard=heard)) == plain()


# real voices


def real(name: str, labels: str, record: str) -> Session:
    """The first half minute of a meeting, with who speaks as people marked it, without the pauses in it."""
    sound = samples(name)[: 30 * 16_000]
    heard = speaking(Mixed.of(sound).speech)
    lines = [line.split() for line in clip_path(labels).read_text().splitlines() if line.strip()]
    t = (np.arange(len(heard)) + 0.5) * 0.01
    says: dict[str, np.ndarray] = {}
    for line in lines:
        if line[1] == record:
            start, length = float(line[3]), float(line[4])
            own = says.setdefault(line[7], np.zeros(len(t), bool))
            own |= (t > start) & (t < start + length) & heard
    alone = sum(own.astype(int) for own in says.values()) == 1
    tables = []
    for who, own in says.items():
        how = prosody(sound, 16_000, own & alone)
        measured = {
            "f0_hz": how.f0_hz,
            "intensity_db": how.intensity_db,
            "spectral_tilt_db": how.spectral_tilt_db,
        }
        tables.append(
            pd.DataFrame(
                {"t": t - 0.005, "participant": who, "speech": 1.0 * own, "speaking": own} | measured
            )
        )
    return session(*faces(30, list(says)), heard=Heard(pd.concat(tables), speech_stretches(says), {}))


@pytest.mark.parametrize(
    ("name", "labels", "record", "who", "hz"),
    [
        ("meeting_dev00.wav", "meeting_dev.rttm", "dev00", "MEE009", (95, 135)),  # a man
        ("two_speakers_30s.wav", "two_speakers_30s.rttm", "sample", "speaker90", (160, 240)),
        ("two_speakers_30s.wav", "two_speakers_30s.rttm", "sample", "speaker91", (160, 240)),
    ],
)
def test_people_in_meetings(name, labels, record, who, hz):
    one = real(name, labels, record)
    assert hz[0] < value(one, "voice.f0_median_hz", who) < hz[1]
    assert 1 < value(one, "voice.f0_sd_st", who) < 5
    assert 10 < value(one, "voice.intensity_range_db", who) < 35
    if who == "MEE009":
        assert 3 < value(one, "voice.articulation_rate_per_s", who) < 6
        # he thinks aloud, with pauses
        assert 0.2 < value(one, "voice.pause_share", who) < 0.5
        assert value(one, "voice.speech_rate_per_s", who) < 3.5
