"""The table of evidence: what it names exists, and what it says stays within what is known."""

from __future__ import annotations

import re

import pytest

from vsa.features.registry import DYAD, find
from vsa.report.sheet.evidence import behaviours

ALL = list(behaviours().values())
DIRECTED = [one for one in ALL if one.directed]


def ids(one):
    return one.key


@pytest.mark.parametrize("one", [one for one in ALL if one.feature], ids=ids)
def test_features_exist_and_do_not_contradict_the_registry(one):
    entry = find(one.feature)
    assert one.feature.startswith(f"{DYAD}." if entry.scope == "dyad" else "therapist.")
    opposite = {"higher": "lower", "lower": "higher"}
    assert opposite.get(one.links) != entry.expect
    if one.shown_by:
        shown = find(one.shown_by)
        assert one.shown_by.startswith(f"{DYAD}." if shown.scope == "dyad" else "therapist.")
        assert shown.group != "sync", "synchrony has no moments"


@pytest.mark.parametrize("one", ALL, ids=ids)
def test_every_behaviour_has_evidence_its_strength_and_its_limits(one):
    assert one.links in ("higher", "lower", "conflicting", "unknown")
    assert one.grade in ("moderate", "weak", "conflicting", "none")
    assert (one.links == "unknown") == (one.grade == "none")
    assert one.evidence.endswith(".")
    assert one.limits.endswith(".")
    if one.links != "unknown":
        cited = re.search(r"\(.*(\d{4}|PsyArXiv \w+|\".+\").*\)", one.evidence)
        assert cited, "a direction names its source"


@pytest.mark.parametrize("one", DIRECTED, ids=ids)
def test_what_may_be_picked_has_all_its_sentences(one):
    assert one.feature.startswith("therapist.")
    said = one.seen.format(value="12 %", among="higher than in 9 of 10 sessions of this study")
    assert "12 %" in said
    assert "9 of 10" in said
    assert one.attempt.startswith("You could try")
    assert one.more
    assert one.less


def test_several_behaviours_may_be_picked():
    assert len(DIRECTED) >= 4


@pytest.mark.parametrize("one", ALL, ids=ids)
def test_words_do_not_judge_command_or_name_feelings(one):
    words = " ".join([one.name, one.seen, one.attempt, one.evidence, one.limits]).lower()
    for never in (
        "eye contact",
        "emotion",
        "happy",
        "warm",
        "should",
        "must ",
        "poor",
        "good ",
        "bad ",
        "diagnos",
    ):
        assert never not in words, never
