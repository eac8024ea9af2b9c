"""Sessions of a simulated cohort as signals: a results folder whose features follow a latent bond, as was asked."""

import json

import numpy as np
import pandas as pd
import pytest

import vsa
from vsa.face.table import COLUMNS
from vsa.features.coupled import RATE_HZ, head
from vsa.features.registry import find
from vsa.features.session import Session
from vsa.features.synchrony import synchrony
from vsa.run.cohort_simulation import write_sessions
from vsa.simulate.cohort_behaviour import (
    BEHAVIOURS,
    EFFECTS,
    PAIR,
    PAIR_BEHAVIOURS,
    ROLES,
    SHOWN_BY,
    draw_habits,
)
from vsa.simulate.cohort_signals import session_signals
from vsa.study.results import Results

pytestmark = pytest.mark.slow

FPS = 12.5
#: No other number of these tests is written so.
BOND = 0.7182818
#: Features that a minute is enough for.
PRESENT = (
    *("gaze.on_screen_share", "face.smile_share", "face.expressivity_per_s", "head.nod_rate_per_min"),
    *("head.movement_deg_per_s", "voice.f0_median_hz", "voice.speech_rate_per_s", "turns.talk_share"),
    *("turns.latency_median_s", "quality.tracked_share", "quality.face_height_px"),
)


def cohort(n_clients, sessions_each, bond_z):
    client = np.repeat(np.arange(n_clients), sessions_each)
    number = np.tile(np.arange(sessions_each) + 1, n_clients)
    return pd.DataFrame(
        {
            "session_id": [f"c{c}-s{s}" for c, s in zip(client, number, strict=True)],
            "client_id": [f"c{c}" for c in client],
            "therapist_id": [f"t{c // 2}" for c in client],
            "session_number": number,
            "bond_z": bond_z,
        }
    )


def write(out, sessions, seed=1, seconds=60.0, **effects):
    write_sessions(out, sessions, seconds=seconds, fps=FPS, seed=seed, **effects)
    return pd.read_parquet(out / "features.parquet").set_index("session_id")


def same_files(one, other):
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert len(names) > 1
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


@pytest.fixture(scope="module")
def strong(tmp_path_factory):
    """Pairs of sessions that differ in nothing but the bond, which is far below and far above the mean."""
    effects = {name: 5 * shift for name, shift in EFFECTS.items()}
    folder = tmp_path_factory.mktemp("strong")
    return {
        bond: (folder / name, write(folder / name, cohort(8, 1, bond), seconds=90.0, effects=effects))
        for name, bond in (("low", -1.5), ("high", 1.5))
    }


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    out = tmp_path_factory.mktemp("usual") / "out"
    sessions = cohort(2, 1, BOND).assign(bond=[4.25, None], dropout=[True, False], latent_therapist=BOND)
    told = []
    write_sessions(
        out, sessions, seconds=60, fps=FPS, seed=3, progress=lambda done, of: told.append((done, of))
    )
    assert told == [(0, 2), (1, 2), (2, 2)]
    return out, sessions


def test_sessions_open_as_those_of_extraction_do(usual):
    out, sessions = usual
    results = vsa.open_results(out)
    assert list(results) == list(sessions["session_id"])
    assert not results.damaged
    table = pd.read_parquet(out / "features.parquet")
    assert list(table["session_id"]) == list(sessions["session_id"])
    for name, session in results.items():
        record = Results(out).finished(name)
        assert {p["role"] for p in record["participants"]} == set(ROLES)
        assert len(session.face) == 2 * 60 * FPS
        assert len(session.voice) == 2 * 60 * 100
        assert session.duration_s == 60


def test_features_are_there_but_for_those_that_need_more(usual):
    out, _ = usual
    for name in Results(out).sessions():
        record = Results(out).finished(name)
        row = pd.read_parquet(out / name / "features.parquet").iloc[0]
        missing = record["quality"]["features_missing"]
        assert set(row.index[row.isna()]) == set(missing)
        for full in [f"{role}.{short}" for role in ROLES for short in PRESENT]:
            assert np.isfinite(row[full]), (full, missing.get(full))


def test_everything_says_that_it_is_simulated(usual):
    out, sessions = usual
    for name in sessions["session_id"]:
        record = json.loads((out / name / "session.json").read_text("utf-8"))
        assert record["simulated"] is True
        assert record["facts"]["simulated"] == "true"
        assert record["quality"]["notes"][0].startswith("SIMULATED")
        assert "simulated" in record["source"]["name"]


def test_facts_are_the_further_columns_as_text_and_nothing_latent(usual):
    out, _ = usual
    first, second = (Results(out).finished(name)["facts"] for name in ("c0-s1", "c1-s1"))
    assert first == {
        "client_id": "c0",
        "therapist_id": "t0",
        "session_number": "1",
        "bond": "4.25",
        "dropout": "true",
        "simulated": "true",
    }
    assert "bond" not in second
    for path in out.rglob("*"):
        if path.is_file():
            said = path.read_bytes()
            assert not any(word in said for word in (b"bond_z", b"latent_", str(BOND).encode()))
    tables = [pd.read_parquet(path) for path in out.rglob("*.parquet")]
    assert not any(
        np.isclose(table.select_dtypes("number"), BOND, rtol=0, atol=1e-6).any() for table in tables
    )


def test_the_same_seed_gives_the_same_bytes_whoever_else_there_is(usual, tmp_path):
    out, sessions = usual
    write_sessions(tmp_path / "one", sessions.iloc[1:], seconds=60, fps=FPS, seed=3)
    write_sessions(tmp_path / "other", sessions.iloc[1:], seconds=60, fps=FPS, seed=4)
    assert same_files(out / "c1-s1", tmp_path / "one" / "c1-s1")
    assert not same_files(out / "c1-s1", tmp_path / "other" / "c1-s1")


def test_every_effect_is_one_of_a_behaviour_and_says_where_it_shows():
    roles = {f"{role}.{name}" for role in ROLES for name in BEHAVIOURS}
    assert set(EFFECTS) <= roles | {f"{PAIR}.{name}" for name in PAIR_BEHAVIOURS}
    assert set(EFFECTS) == set(SHOWN_BY)
    with pytest.raises(TypeError):
        EFFECTS["client.smiling"] = 1.0  # frozen


@pytest.mark.parametrize("effect", sorted(set(SHOWN_BY) - {"pair.coupling"}))
def test_features_move_with_the_bond_as_stated(strong, effect):
    feature, sign = SHOWN_BY[effect]
    low, high = (strong[bond][1][feature] for bond in (-1.5, 1.5))
    both = low.notna() & high.notna()
    assert both.sum() >= 6
    assert sign * (high - low)[both].median() > 0
    assert (sign * (high - low)[both] > 0).mean() >= 0.75


def test_heads_move_together_more_where_the_bond_is_better():
    """Features of synchrony need longer sessions: here the same measure without its surrogates."""
    effects = {name: 5 * shift for name, shift in EFFECTS.items()}

    def coupled(bond, seed):
        rng = np.random.default_rng(seed)
        people = {role: draw_habits(rng) for role in ROLES}
        session = as_session(session_signals(bond, people, 180, FPS, rng, effects=effects))
        return synchrony(*(head(session, role) for role in ROLES), RATE_HZ).profile.max()

    rise = np.array([coupled(1.5, seed) - coupled(-1.5, seed) for seed in range(12)])
    assert rise.mean() > 3 * rise.std(ddof=1) / np.sqrt(len(rise))


def test_behaviour_without_an_effect_stays_as_it_is(strong):
    low, high = (strong[bond][1] for bond in (-1.5, 1.5))
    for feature in ("client.head.nod_rate_per_min", "therapist.gaze.on_screen_share"):
        assert abs((high[feature] - low[feature]).median()) < low[feature].std()
    for feature in ("client.quality.face_height_px", "therapist.gaze.home_yaw_deg"):
        assert (high[feature] == low[feature]).all()


def test_without_effects_nothing_depends_on_the_bond(tmp_path):
    write(tmp_path / "low", cohort(1, 1, -2.0), seconds=30, effects={})
    write(tmp_path / "high", cohort(1, 1, 2.0), seconds=30, effects=dict.fromkeys(EFFECTS, 0.0))
    assert same_files(tmp_path / "low", tmp_path / "high")


def test_sessions_of_one_client_resemble_each_other():
    rng = np.random.default_rng(11)
    therapist = draw_habits(rng)
    n_clients, sessions_each = 24, 3
    rows = []
    for client in range(n_clients):
        people = {"client": draw_habits(rng), "therapist": therapist}
        drawn = [session_signals(0.0, people, 60, FPS, rng) for _ in range(sessions_each)]
        rows += [{"client": client} | measured(signals) for signals in drawn]
    table = pd.DataFrame(rows).groupby("client")
    for feature in rows[0].keys() - {"client"}:
        f = sessions_each * table[feature].mean().var() / table[feature].var().mean()
        assert f > 1.75, (feature, f)  # 5 % of F without habits


def measured(signals):
    """Some features of a client whose signals were not written."""
    names = ("head.movement_deg_per_s", "gaze.on_screen_share", "quality.face_height_px")
    session = as_session(signals)
    found = {name: find(name).compute(session, "client") for name in names}
    return found | {"f0_hz": float(np.nanmedian(signals.voices["client"].f0_hz))}


def as_session(signals):
    """What is seen of both."""
    frames = [
        pd.DataFrame(face.values, columns=list(COLUMNS)).assign(
            t=face.t, participant=role, tracked=face.tracked
        )
        for role, face in signals.faces.items()
    ]
    people = [{"id": role, "role": role} for role in signals.faces]
    return Session.from_tables({"session_id": "drawn", "participants": people}, pd.concat(frames))
