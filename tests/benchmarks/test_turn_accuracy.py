"""How well turns are found in calls whose turns are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
from known_turns import CLEAR_S, CONDITIONS, SECONDS, counted, heard, off_s

pytestmark = pytest.mark.benchmark

SEEDS = (31, 32, 33, 34)


def test_turns_of_simulated_calls(figures: Callable[[str, str], Callable[[str], None]]) -> None:
    say = figures("accuracy", "Turns of simulated calls")
    say(
        f"{len(SEEDS)} conversations of {SECONDS:.0f} s, synthesized speech, events {1000 * CLEAR_S:.0f} ms from the "
        "limits of their kinds. Counts: absolute errors, added up over the conversations. Floor transfer: the largest "
        "error of a conversation's median offset. No real call has such a truth: expect less.\n"
    )
    say(
        "| recorded | edges of turns, median (95%), ms | floor transfer, ms | "
        + " | ".join(NAMES.values())
        + " |"
    )
    say("|---|---|---|" + "---|" * len(NAMES))
    planned = dict.fromkeys(NAMES, 0)
    for condition in CONDITIONS:
        off, medians, wrong = [], [], dict.fromkeys(NAMES, 0)
        planned = dict.fromkeys(NAMES, 0)
        for seed in SEEDS:
            talk, turns = heard(condition, seed)
            off += [off_s(talk.turns, turns.turns, edge) for edge in ("start", "end")]
            medians.append(abs(turns.transfers["offset"].median() - talk.transfers["offset"].median()))
            truth, found = asdict(talk.counts), asdict(counted(turns))
            for name in NAMES:
                wrong[name] += abs(truth[name] - found[name])
                planned[name] += truth[name]
        ms = 1000 * np.concatenate(off)
        say(
            f"| {condition} | {np.median(ms):.0f} ({np.percentile(ms, 95):.0f}) | {1000 * max(medians):.0f} | "
            + " | ".join(str(wrong[name]) for name in NAMES)
            + " |"
        )
        assert np.median(ms) < 60
    say("| *of so many* | | | " + " | ".join(str(planned[name]) for name in NAMES) + " |")


NAMES = {
    "turns": "turns",
    "backchannels": "backchannels",
    "gaps": "gaps",
    "overlaps_between": "overlaps between",
    "overlaps_within": "within",
    "pauses": "pauses",
    "interruptions": "interruptions",
    "failed_interruptions": "failed",
}
