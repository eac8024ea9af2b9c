"""What reviewers' marks say of a list, against reviewers whose mind is known and figures that were published."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from vsa.bond.evaluation.reviews import judge
from vsa.bond.evaluation.shares import alpha, design_effect, share_of, wilson
from vsa.report.reviews_text import reviews_text


def marks(*rows, **more):
    """Rows of session, verdict, mark, reviewer."""
    table = pd.DataFrame(rows, columns=["session_id", "verdict", "mark", "reviewer"])
    table["probability"] = np.linspace(0.9, 0.1, len(table))
    table["marked_at"] = pd.date_range("2026-01-05", periods=len(table), freq="h", tz="UTC")
    return table.assign(simulated=False, **more)


def counts(*judges: str) -> np.ndarray:
    """How many judges say what of each unit; a dot is no judgement."""
    said = [one.split() for one in judges]
    kinds = sorted({one for row in said for one in row} - {"."})
    table = np.array([[sum(row[k] == kind for row in said) for kind in kinds] for k in range(len(said[0]))])
    return table[table.sum(1) >= 2].astype(float)


@pytest.mark.parametrize(
    ("judges", "published"),
    [
        (("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), 0.095),
        (("a a b b d c c c e d d a", "b a b b b c c c e d d d"), 0.692),
        (
            (
                "1 2 3 3 2 1 4 1 2 . . .",
                "1 2 3 3 2 2 4 1 2 5 . 3",
                ". 3 3 3 2 3 4 2 2 5 1 .",
                "1 2 3 3 2 4 4 1 2 5 1 .",
            ),
            0.743,
        ),
    ],
)
def test_alpha_is_that_of_krippendorffs_examples(judges, published):
    table = counts(*judges)
    found = alpha(table, np.arange(len(table)).astype(str))
    assert found.value == pytest.approx(published, abs=0.0005)
    assert found.low < found.value < found.high


def test_alpha_is_one_where_all_agree_and_none_where_all_say_the_same():
    units = np.array(list("abcd"))
    assert alpha(np.array([[2, 0], [0, 3], [2, 0], [0, 2]], float), units).value == 1
    assert alpha(np.array([[2, 0]] * 4, float), units).value is None
    assert alpha(np.array([[1, 1]], float), units[:1]).value is None


@pytest.mark.parametrize(("count", "n"), [(0, 4), (1, 7), (12, 16), (40, 41), (9, 9), (250, 1000)])
def test_the_interval_is_wilsons(count, n):
    low, high = proportion_confint(count, n, method="wilson")
    assert wilson(count / n, n) == pytest.approx((low, high), abs=1e-12)
    hits = np.arange(n) < count
    for clients in (None, np.arange(n).astype(str)):
        found = share_of(hits, clients)
        assert (found.share.low, found.share.high) == pytest.approx((low, high), abs=1e-12)


def test_sessions_of_one_client_that_are_all_alike_count_as_one():
    clients = np.repeat(np.arange(20), 5).astype(str)
    alike = np.repeat(np.arange(20) < 12, 5)
    assert design_effect(alike, clients) == pytest.approx(5)
    assert share_of(alike, clients).share.low == pytest.approx(wilson(0.6, 20)[0])
    unlike = np.tile([True, True, True, False, False], 20)
    assert design_effect(unlike, clients) == 1


@pytest.mark.parametrize(
    ("clients", "each", "share", "alike"),
    [(6, 3, 0.7, 1.0), (12, 1, 0.7, 5.0), (20, 4, 0.8, 0.5), (40, 3, 0.9, 3.0), (15, 5, 0.5, 1e9)],
)
def test_the_interval_holds_the_true_precision_as_often_as_it_says(clients, each, share, alike):
    rng = np.random.default_rng(3)
    of_client = np.repeat(np.arange(clients), each).astype(str)
    held = 0
    for _ in range(500):
        chance = rng.beta(share * alike, (1 - share) * alike, clients)
        found = share_of(rng.random(clients * each) < np.repeat(chance, each), of_client).share
        held += found.low <= share <= found.high
    assert held / 500 >= 0.92


def test_what_marks_mean_depends_on_what_the_list_said():
    found = judge(
        marks(
            ("a", "weak", "agree", "AB"),
            ("b", "weak", "disagree", "AB"),
            ("c", "weak", "cannot tell", "AB"),
            ("d", "ok", "agree", "AB"),
            ("e", "ok", "disagree", "AB"),
            ("f", "ok", "agree", "AB"),
            ("g", "abstain", "agree", "AB"),
        )
    )
    assert (found.precision.count, found.precision.of) == (1, 2)
    assert (found.missed.count, found.missed.of) == (1, 3)
    assert (found.cannot_tell.count, found.cannot_tell.of) == (1, 6)
    assert (found.flagged.reviewed, found.flagged.undecided) == (3, 1)
    assert found.by_verdict["abstain"] == {"agree": 1}
    assert (found.sessions, found.marks, found.reviewers) == (7, 7, 1)
    assert found.auc.value is None


def test_a_session_counts_once_and_as_most_of_its_reviewers_say():
    found = judge(
        marks(
            *(("a", "weak", mark, f"R{k}") for k, mark in enumerate(["agree", "agree", "disagree"])),
            *(("b", "weak", mark, f"R{k}") for k, mark in enumerate(["agree", "disagree"])),
            *(("c", "weak", mark, f"R{k}") for k, mark in enumerate(["agree", "cannot tell"])),
            *(("d", "weak", mark, f"R{k}") for k, mark in enumerate(["disagree", "disagree", "agree"])),
        )
    )
    assert (found.flagged.weak, found.flagged.not_weak, found.flagged.undecided) == (1, 1, 2)
    assert (found.precision.count, found.precision.of) == (1, 2)
    assert found.reviewers == 3
    assert found.agreement_sessions == 3
    assert "of all 4, whatever the undecided are, 25% to 75%" in reviews_text(found)


def test_reviewers_of_a_known_precision_are_found_right():
    rng = np.random.default_rng(8)
    weak = rng.random(240) < np.where(np.arange(240) < 120, 0.7, 0.1)
    flagged = np.arange(240) < 120
    table = marks(
        *(
            (
                f"s{k:03d}",
                "weak" if flagged[k] else "ok",
                "agree" if weak[k] == flagged[k] else "disagree",
                "AB",
            )
            for k in range(240)
        )
    )
    found = judge(table.assign(client_id=[f"c{k // 4}" for k in range(240)]))
    assert found.precision.share.low < 0.7 < found.precision.share.high
    assert found.missed.share.low < 0.1 < found.missed.share.high
    assert found.precision.share.value == weak[:120].mean()
    pairs = np.sign(table["probability"].to_numpy()[weak][:, None] - table["probability"].to_numpy()[~weak])
    assert found.auc.value == pytest.approx((pairs + 1).mean() / 2)
    assert found.auc.low < found.auc.value < found.auc.high


def test_what_the_list_flags_and_nobody_marked_is_told():
    flags = pd.DataFrame({"session_id": list("abcdef"), "verdict": ["weak"] * 4 + ["ok"] * 2})
    table = marks(("a", "weak", "agree", "AB"), ("e", "weak", "agree", "AB"), ("f", "ok", "agree", "AB"))
    found = judge(table, flags.assign(in_training=[True, *[False] * 5]))
    assert (found.flagged.listed, found.flagged.reviewed) == (4, 2)
    said = " ".join(found.notes)
    assert "3 of 4 flagged sessions have no mark" in said
    assert "1 session something else now than reviewers saw" in said
    assert "1 of 3 reviewed sessions were in the model's training" in said
    assert "not known which sessions the list flags" in " ".join(judge(table).notes)


def test_lists_that_differ_between_reviewers_are_told():
    found = judge(marks(("a", "weak", "agree", "AB"), ("a", "ok", "disagree", "CD")))
    assert (found.unflagged.weak, found.flagged.reviewed) == (1, 0)
    assert any("saw different verdicts of 1 session:" in note for note in found.notes)
    assert "Flagged:              none was reviewed." in reviews_text(found)


def test_it_goes_into_json_and_names_no_reviewer_and_no_note():
    found = judge(marks(("a", "weak", "agree", "Zoe Quill"), note="she wept", client_id="c1"))
    text = json.dumps(found.record(), allow_nan=False)
    assert json.loads(text)["precision"]["count"] == 1
    assert "Quill" not in text + reviews_text(found)
    assert "wept" not in text + reviews_text(found)
