"""The picture of a comparison: it shows what was found, and can be read."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from comparing import people
from matplotlib.colors import to_rgba
from PIL import Image

from vsa.bond.comparison.compare import compare
from vsa.errors import InputError
from vsa.report.comparison import comparison_figure, draw_comparison

LONG = "a_column_of_ones_own_with_a_very_long_name_that_goes_on_and_on_for_$x^2$_and_further"


@pytest.fixture(scope="module")
def found():
    table = people(1, clients=90, in_person_d=1.2)
    rng = np.random.default_rng(0)
    for name in ("goal_mean", "task_mean"):
        table[name] = 3.9 + 0.5 * table["bond"] + rng.normal(0, 0.3, len(table))
    table["bond"] = (3.9 + 0.6 * table["bond"]).clip(1, 5)
    table[["goal_mean", "task_mean"]] = table[["goal_mean", "task_mean"]].clip(1, 5)
    clients = sorted(table["client_id"].unique())
    table["anxiety_mean"] = table["client_id"].map(dict(zip(clients, rng.normal(3, 1, 90), strict=True)))
    table["diagnosis"] = table["diagnosis"].mask(table["client_id"].isin(clients[:2]), "rare")
    table["instrument"] = "wai-sr"
    return compare(table, ["modality", "attachment", "diagnosis", "anxiety_mean"])


def markers(ax):
    return [line for line in ax.get_lines() if line.get_marker() in ("o", "D")]


def test_the_picture_is_written_and_can_be_read(found, tmp_path):
    draw_comparison(found, tmp_path / "new" / "c.png")
    with Image.open(tmp_path / "new" / "c.png") as picture:
        assert picture.format == "PNG"
        assert picture.width >= 1000
        assert round(picture.info["dpi"][0]) == 150
        grey = np.asarray(picture.convert("L"))
    assert 0.005 < (grey < 140).mean() < 0.3
    draw_comparison(found, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "new" / "c.png").read_bytes()


def test_a_picture_that_cannot_be_written_is_said(found, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        draw_comparison(found, tmp_path / "file" / "c.png")


def test_means_stand_where_they_are_with_their_intervals(found):
    axes = comparison_figure(found).axes
    columns = len(found.scores)
    assert len(axes) == 2 * columns
    for ax, score in zip(axes[:columns], found.scores, strict=True):
        groups = [
            group
            for test in found.tests
            if test.outcome == score.name
            for group in test.groups
            if group.tested
        ]
        assert [line.get_xdata()[0] for line in markers(ax)] == pytest.approx([one.mean for one in groups])
        spans = [line.get_xdata() for line in ax.get_lines() if len(line.get_xdata()) == 2]
        for group in groups:
            assert any(np.allclose(span, (group.low, group.high)) for span in spans)
    names = [text.get_text() for text in axes[0].get_yticklabels()]
    assert "rare (<5)" in names
    assert "modality" in names
    assert any(name.startswith("in person (") for name in names)
    assert [text.get_text() for text in axes[0].texts] == ["too few"]


def test_effects_stand_where_they_are_filled_where_they_hold_and_beside_the_margin(found):
    axes = comparison_figure(found).axes[len(found.scores) :]
    for ax, score in zip(axes, found.scores, strict=True):
        tests = [test for test in found.tests if test.outcome == score.name]
        drawn = {-round(line.get_ydata()[0]): line for line in markers(ax)}
        assert sorted(drawn) == [0, 1, 3]
        for k, test in enumerate(tests):
            if k == 2:
                continue
            value = test.r if k == 3 else test.g
            assert drawn[k].get_xdata()[0] == pytest.approx(value)
            assert drawn[k].get_marker() == ("D" if k == 3 else "o")
            hollow = to_rgba(drawn[k].get_markerfacecolor()) == to_rgba("white")
            assert hollow == (test.p_holm >= 0.05)
        assert any(text.get_text().startswith("eta2") for text in ax.texts)
        bands = [np.ptp(band.get_paths()[0].vertices[:, 0]) for band in ax.collections]
        assert bands == pytest.approx([0.6, 0.6])
    filled = {to_rgba(line.get_markerfacecolor()) == to_rgba("white") for ax in axes for line in markers(ax)}
    assert filled == {True, False}


def test_simulated_ones_say_so_and_others_don_t(found):
    for simulated in (True, False):
        figure = comparison_figure(replace(found, simulated=simulated))
        (title,) = [text.get_text() for text in figure.texts if text.get_fontweight() == "bold"]
        assert title.startswith("SIMULATED") == simulated
        assert any("Nobody was assigned" in text.get_text() for text in figure.texts)


def test_scores_on_one_scale_share_their_axis(found):
    axes = comparison_figure(found).axes[: len(found.scores)]
    assert len({ax.get_xlim() for ax in axes}) == 1
    apart = replace(found, scores=tuple(replace(one, scale=None) for one in found.scores))
    assert len({ax.get_xlim() for ax in comparison_figure(apart).axes[: len(found.scores)]}) == 3


def overlaps(boxes):
    return [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]


def shown(ax):
    """Texts of a panel that are drawn: ticks beyond the limits are there and not drawn."""
    out = [ax.title, ax.xaxis.label, *ax.texts]
    for ticks, ends, axis in (
        (ax.get_xticklabels(), ax.get_xlim(), 0),
        (ax.get_yticklabels(), ax.get_ylim(), 1),
    ):
        low, high = sorted(ends)
        out += [text for text in ticks if low <= text.get_position()[axis] <= high]
    return [text for text in out if text.get_text() and text.get_visible()]


@pytest.mark.parametrize("case", ["usual", "one of each", "long names", "numbers only", "many groups"])
def test_no_text_lies_over_another_or_beyond_the_edge(found, case):
    table = people(2, clients=120)
    if case == "one of each":
        found = compare(table, ["modality"])
    elif case == "long names":
        table[LONG] = table["bond"]
        table["other_" + LONG] = table["attachment"].map({"secure": LONG + "1", "insecure": LONG + "2"})
        found = compare(table, ["modality", "other_" + LONG], [LONG, "bond"])
    elif case == "numbers only":
        found = compare(table.assign(anxiety_mean=table["bond"] ** 2), ["anxiety_mean", "age"])
    elif case == "many groups":
        number = table["client_id"].str[-3:].astype(int)
        found = compare(table.assign(ward="ward " + (number % 15).astype(str)), ["ward", "diagnosis"])
    figure = comparison_figure(found)
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent()) for text in figure.texts]
    boxes += [(text.get_text(), text.get_window_extent()) for ax in figure.axes for text in shown(ax)]
    assert not overlaps(boxes)
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text
