"""Simulated calls whose turns are known, from file to turns: boundaries, counts and floor transfers.

The plan keeps `CLEAR_S` away from the limits at which one kind of event becomes another, so that counts can be right to
the last one; the tests at the end leave that out. What is easier here than in life: see `vsa.simulate.conversation`.
"""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from known_turns import CLEAR_S, CONDITIONS, SECONDS, counted, heard, off_s

from vsa import assets
from vsa.simulate.conversation import plan_conversation
from vsa.voice.activity import MODEL
from vsa.voice.turns import find_turns

pytestmark = pytest.mark.slow

SEEDS = (21, 22)
TRIO = ("client", "partner", "therapist")

needs_model = pytest.mark.skipif(
    any(state.asset.name == MODEL and state.state != "ok" for state in assets.status()),
    reason="the speech model is not here (vsa models pull)",
)


def kinds(units: pd.DataFrame) -> dict[str, list[str]]:
    return {str(who): mine["kind"].tolist() for who, mine in units.groupby("participant")}


@needs_model
@pytest.mark.parametrize("condition", CONDITIONS)
def test_turns_and_backchannels_begin_and_end_where_they_do(condition: str) -> None:
    off = [
        off_s(talk.turns, turns.turns, edge)
        for talk, turns in (heard(condition, seed) for seed in SEEDS)
        for edge in ("start", "end")
    ]
    together = np.concatenate(off)
    print(f"{condition}: median {np.median(together):.3f} s, 95%: {np.percentile(together, 95):.3f} s")
    assert max(np.median(one) for one in off) < 0.02  # 0.06 is what is asked for
    assert np.percentile(together, 90) < 0.04
    assert np.mean(together < 0.1) > 0.97


@needs_model
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_events_are_counted_right(condition: str, seed: int) -> None:
    talk, turns = heard(condition, seed)
    planned, found = asdict(talk.counts), asdict(counted(turns))
    lost = {kind: planned[kind] - found[kind] for kind in planned if planned[kind] != found[kind]}
    print(f"{condition}, seed {seed}: {talk.counts}; lost {lost or 'nothing'}")
    how = CONDITIONS[condition]
    if how.backchannels_lost:
        assert 0 <= lost.pop("backchannels", 0) <= how.backchannels_lost
        assert 0 <= lost.pop("overlaps_within", 0) <= how.backchannels_lost
    if how.pauses_lost:
        assert 0 <= lost.pop("pauses", 0) <= how.pauses_lost * talk.counts.pauses
    assert not lost
    if found == planned:
        assert kinds(turns.units) == kinds(talk.units)
    by_whom = ["participant", "interrupted", "taken"]
    assert turns.interruptions[by_whom].values.tolist() == talk.interruptions[by_whom].values.tolist()


@needs_model
@pytest.mark.parametrize("condition", CONDITIONS)
def test_floor_transfers_have_the_offsets_that_they_have(condition: str) -> None:
    off, medians = [], []
    for talk, turns in (heard(condition, seed) for seed in SEEDS):
        assert turns.transfers["participant"].tolist() == talk.transfers["participant"].tolist()
        off.append(turns.transfers["offset"].to_numpy() - talk.transfers["offset"].to_numpy())
        medians.append(turns.transfers["offset"].median() - talk.transfers["offset"].median())
    print(
        f"{condition}: offsets off by {np.median(np.concatenate(off)):+.3f} s, medians by {np.round(medians, 3)}"
    )
    assert abs(np.median(np.concatenate(off))) < 0.015
    assert np.percentile(np.abs(np.concatenate(off)), 90) < 0.06
    assert max(np.abs(medians)) < 0.03


@needs_model
@pytest.mark.parametrize("condition", ["clean stereo", "bleed at -20 dB"])
def test_close_to_the_limits_only_what_is_close_is_counted_wrong(condition: str) -> None:
    """Gaps and overlaps of a few ms may become each other, and pauses of 200 ms none; nothing else may change."""
    for seed in SEEDS:
        talk, turns = heard(condition, seed, clear_s=0.0)
        planned, found = talk.counts, counted(turns)
        close = int((talk.transfers["offset"].abs() < CLEAR_S).sum())
        assert abs(found.gaps - planned.gaps) <= close
        assert abs(found.overlaps_between - planned.overlaps_between) <= close
        assert found.turns == planned.turns
        assert found.backchannels == planned.backchannels
        assert found.interruptions == planned.interruptions
        assert found.failed_interruptions == planned.failed_interruptions
        assert abs(turns.transfers["offset"].median() - talk.transfers["offset"].median()) < 0.03


@needs_model
def test_three_people_on_three_streams() -> None:
    """Of a deep voice's shortest backchannels (one vowel), the speech detector misses some: one in ten at most."""
    talk, turns = heard("streams", 24, people=TRIO)
    planned, found = talk.counts, counted(turns)
    least = 0.9 * planned.backchannels
    assert least <= found.backchannels <= planned.backchannels + 1
    for what in ("turns", "gaps", "overlaps_between", "interruptions", "failed_interruptions"):
        assert getattr(found, what) == getattr(planned, what)
    assert turns.transfers["participant"].tolist() == talk.transfers["participant"].tolist()
    assert np.median(off_s(talk.turns, turns.turns, "start")) < 0.02


@pytest.mark.parametrize("people", [("client", "therapist"), TRIO])
@pytest.mark.parametrize("clear_s", [0.0, CLEAR_S])
def test_the_definitions_find_every_plan_again(people: tuple[str, ...], clear_s: float) -> None:
    """The plan knows what it meant; `find_turns` sees times only."""
    for seed in range(15):
        talk = plan_conversation(SECONDS, seed, participants=people, clear_s=clear_s)
        turns = find_turns(talk.units[["participant", "start", "end"]])
        assert counted(turns) == talk.counts
        assert kinds(turns.units) == kinds(talk.units)
        pd.testing.assert_frame_equal(turns.transfers, talk.transfers, check_dtype=False, atol=1e-6)
        for name in ("silences", "overlaps"):
            pd.testing.assert_frame_equal(
                getattr(turns, name)[["start", "end", "kind"]],
                getattr(talk, name),
                check_dtype=False,
                atol=1e-6,
            )
        pd.testing.assert_frame_equal(turns.interruptions, talk.interruptions, check_dtype=False, atol=1e-6)
