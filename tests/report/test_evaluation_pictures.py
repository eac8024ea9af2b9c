"""Pictures of an evaluation: they show the record and the predictions, and can be read."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from PIL import Image

from vsa.bond.card.signals import MOST
from vsa.bond.evaluation.baselines import NAMES
from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.training import train
from vsa.errors import InputError
from vsa.report.evaluation import draw_evaluation, draw_expected, draw_learning, draw_predictors
from vsa.report.evaluation_flags import draw_flags
from vsa.report.evaluation_signals import draw_signals
from vsa.simulate.cohort import EFFECTS, simulate_cohort

ALL = ("expected.png", "predictors.png", "flags.png", "signals.png", "learning.png")
OWN = "client.own.a_very_long_name_of_a_column_of_ones_own_that_goes_on_and_on_for_$x^2$_and_further_than_a_line"


@pytest.fixture(scope="module")
def trained():
    table = simulate_cohort(40, 3, seed=1, effects={name: 2 * r for name, r in EFFECTS.items()})
    few = [name for name in table if "." not in name or name in EFFECTS or name.endswith("tracked_share")]
    return train(table[few], settings=Settings(seed=2, draws=100, permutations=0, repeats=1, cores=1))


@pytest.fixture(scope="module")
def info(trained):
    return trained.info


def changed(info, **values):
    return replace(info, evaluation={**info.evaluation, **values})


def figures(info, predictions):
    found = {
        "expected": draw_expected(info, predictions),
        "predictors": draw_predictors(info),
        "flags": draw_flags(info),
        "signals": draw_signals(info),
        "learning": draw_learning(info),
    }
    return {name: figure for name, figure in found.items() if figure is not None}


def line_of(ax, label):
    return next(line for line in ax.get_lines() if line.get_label() == label)


def effect(feature, part="level", beta=0.1, p=0.5, q=0.9):
    return {
        "feature": feature,
        "part": part,
        "beta": beta,
        "low": beta - 0.1,
        "high": beta + 0.1,
        "p": p,
        "q": q,
        "n": 90,
        "agrees": "not known",
    }


def with_effects(info, effects, stability=()):
    return changed(
        info, effects={**info.evaluation["effects"], "effects": list(effects)}, stability=list(stability)
    )


@pytest.fixture(scope="module")
def written(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures") / "new" / "folder"
    return folder, draw_evaluation(trained.info, trained.predictions, folder)


def test_pictures_are_written_and_can_be_read(written):
    folder, names = written
    assert names == ALL
    assert sorted(path.name for path in folder.iterdir()) == sorted(ALL)
    for name in ALL:
        with Image.open(folder / name) as picture:
            assert picture.format == "PNG"
            assert picture.width >= 1000
            assert picture.height >= 400
            assert round(picture.info["dpi"][0]) == 150
            pixels = np.asarray(picture.convert("L"))
        assert 0.005 < (pixels < 128).mean() < 0.3


def test_the_same_figures_give_the_same_pictures_and_others_give_others(trained, written, tmp_path):
    predictions, info = trained.predictions, trained.info
    other = predictions.assign(expected=predictions["expected"] + np.linspace(0, 0.5, len(predictions)))
    points = [{**point, "r": 0.5} for point in info.evaluation["learning"]]
    draw_evaluation(changed(info, learning=points), other, tmp_path)
    differing = [name for name in ALL if (tmp_path / name).read_bytes() != (written[0] / name).read_bytes()]
    assert differing == ["expected.png", "learning.png"]


def test_a_picture_that_cannot_be_written_is_said(trained, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        draw_evaluation(trained.info, trained.predictions, tmp_path / "file")


def test_without_tested_flags_or_signals_there_are_no_pictures_of_them(trained, tmp_path):
    bare = with_effects(changed(trained.info, flags=None), [])
    written = draw_evaluation(bare, trained.predictions, tmp_path)
    assert written == ("expected.png", "predictors.png", "learning.png")


def test_every_picture_of_a_simulated_cohort_says_so_and_no_other(trained):
    for simulated in (True, False):
        info = replace(trained.info, simulated=simulated)
        for name, figure in figures(info, trained.predictions).items():
            told = [text.get_text() for text in figure.texts if text.get_fontweight() == "bold"]
            assert len(told) == 1, name
            assert ("SIMULATED" in told[0]) == simulated, name


def test_sessions_lie_where_they_were_reported_and_expected(trained):
    predictions = trained.predictions
    every, fifths = draw_expected(trained.info, predictions).axes
    inside, outside = (np.asarray(part.get_offsets()) for part in every.collections)
    for drawn, rows in (
        (inside, predictions[predictions["in_interval"]]),
        (outside, predictions[~predictions["in_interval"]]),
    ):
        np.testing.assert_allclose(drawn, rows[["expected", "bond"]].to_numpy())
    by = pd.qcut(predictions["expected"], 5)
    means = predictions.groupby(by, observed=True)[["expected", "bond"]].mean().to_numpy()
    drawn = line_of(fifths, "mean of a fifth of the sessions").get_xydata()
    np.testing.assert_allclose(drawn, means)
    for ax in (every, fifths):
        ends, mean = (line.get_xydata() for line in ax.get_lines()[-2:])
        np.testing.assert_allclose(ends[:, 0], ends[:, 1])
        assert mean[0, 1] == pytest.approx(predictions["bond"].mean())


def test_a_model_that_expects_the_same_of_all_can_be_drawn(trained):
    flat = trained.predictions.assign(expected=4.0, bond=4.0)
    for predictions in (flat, trained.predictions.assign(expected=4.0)):
        figure = draw_expected(trained.info, predictions)
        figure.draw_without_rendering()
        assert len(line_of(figure.axes[1], "mean of a fifth of the sessions").get_xydata()) == 1


def test_each_predictor_stands_at_its_r2(trained):
    tests = trained.info.evaluation["held_out"]
    axes = draw_predictors(trained.info).axes
    assert len(axes) == len(tests) == 2
    names = [text.get_text() for text in axes[0].get_yticklabels()]
    for ax, test in zip(axes, tests, strict=True):
        points = {
            line.get_ydata()[0]: line for line in ax.get_lines() if line.get_marker() not in ("None", "")
        }
        assert len(points) == len(test["scores"])
        for k, name in enumerate(names):
            key = next(key for key, words in NAMES.items() if words == name.removesuffix(" (the model)"))
            r2 = test["scores"][key]["r2"]
            assert points[-k].get_xdata()[0] == pytest.approx(r2["value"])
            assert (to_rgba(points[-k].get_markerfacecolor()) == to_rgba("white")) == ("features" not in key)
            spans = [line.get_xdata() for line in ax.get_lines() if len(line.get_xdata()) == 2]
            assert any(np.allclose(span, (r2["low"], r2["high"])) for span in spans)
    assert sum(name.endswith("(the model)") for name in names) == 1
    assert sum(name.endswith("*") for name in names) == 2


def test_a_predictor_far_off_does_not_squeeze_the_others(trained):
    test = trained.info.evaluation["held_out"][0]
    far = {"value": -31.2, "low": -50.0, "high": -20.0}
    scores = {**test["scores"], "quality": {**test["scores"]["quality"], "r2": far}}
    ax = draw_predictors(changed(trained.info, held_out=[{**test, "scores": scores}])).axes[0]
    assert ax.get_xlim()[0] > -1
    assert any("-31.20" in text.get_text() for text in ax.texts)


def test_flags_are_drawn_as_they_were_scored(trained):
    flags = trained.info.evaluation["flags"]
    left, right = draw_flags(trained.info).axes
    np.testing.assert_allclose(
        line_of(left, "a fifth of the sessions").get_xydata(), [point[:2] for point in flags["curve"]]
    )
    assert line_of(left, "share of weak bonds").get_ydata()[0] == pytest.approx(flags["base_rate"])
    by = np.array([[float(t), *values] for t, values in flags["net_benefit"].items()])
    for label, column in (("review those flagged", 1), ("review all", 2)):
        drawn = line_of(right, label).get_xydata()
        np.testing.assert_allclose(drawn, np.column_stack([by[:, 0], 100 * by[:, column]]))
    low, high = right.get_ylim()
    assert low < min(0, 100 * by[:, 1].min())
    assert high > 100 * by[:, 1:].max()


def test_signals_are_in_order_of_p_and_filled_where_sure(trained):
    effects = [
        effect("client.face.smile_share", "level", 0.3, p=0.001, q=0.01),
        effect("client.face.smile_share", "change", -0.1, p=0.3, q=0.6),
        effect("client.head.nod_rate_per_min", "level", 0.2, p=0.0001, q=0.002),
        effect("client.head.nod_rate_per_min", "change", 0.05, p=0.9, q=0.9),
        *(effect(f"client.own.x{k}", "level", 0.01, p=0.5 + k / 100) for k in range(20)),
    ]
    stability = [
        {"feature": "client.face.smile_share", "part": "level", "sign_consistency": 0.97, "selected": 0.9}
    ]
    ax = draw_signals(with_effects(trained.info, effects, stability)).axes[0]
    names = [" ".join(text.get_text().split()) for text in ax.get_yticklabels()]
    assert len(names) == MOST
    assert names[:2] == ["client: nods per minute", "client: share of time smiling"]
    drawn = {
        (round(-line.get_ydata()[0]), line.get_xdata()[0]): to_rgba(line.get_markerfacecolor())
        != to_rgba("white")
        for line in ax.get_lines()
        if line.get_marker() in ("o", "D")
    }
    expected = {(0, 0.2): True, (0, 0.05): False, (1, 0.3): True, (1, -0.1): False}
    assert {key: drawn[key] for key in expected} == expected
    assert sorted(text.get_text() for text in ax.texts) == ["97 %", "same sign"]


def test_the_title_of_signals_does_not_claim_what_may_be_chance(trained):
    for q, said in (((0.2, 0.9), "none stands out"), ((0.01, 0.9), "1 of 2 stands out")):
        effects = [effect(f"client.own.x{k}", q=one) for k, one in enumerate(q)]
        (title,) = [
            text.get_text()
            for text in draw_signals(with_effects(trained.info, effects)).texts
            if text.get_fontweight() == "bold"
        ]
        assert title.endswith(said)


def overlaps(boxes):
    return [(a, b) for (a, one), (b, other) in itertools.combinations(boxes, 2) if one.overlaps(other)]


@pytest.mark.parametrize("long", [False, True])
def test_no_text_lies_over_another_or_beyond_the_edge(trained, long):
    info, predictions = trained.info, trained.predictions
    if long:
        parts = [effect(f"{OWN}_{k}", part, p=k / 100) for k in range(15) for part in ("level", "change")]
        kept = [{"feature": one["feature"], "part": one["part"], "sign_consistency": 1.0} for one in parts]
        info = changed(with_effects(info, parts, kept), held_out=info.evaluation["held_out"][:1])
        info = replace(info, target=OWN)
    for name, figure in figures(info, predictions).items():
        figure.draw_without_rendering()
        for ax in figure.axes:
            told = [ax.title, ax.xaxis.label, *ax.texts, *ax.get_xticklabels()]
            told += [*ax.get_yticklabels(), ax.yaxis.label]
            shown = [text for text in told if text.get_text() and text.get_visible()]
            # ticks beyond the limits are there and not drawn
            low, high = sorted(ax.get_xlim())
            shown = [
                text
                for text in shown
                if text not in ax.get_xticklabels() or low <= text.get_position()[0] <= high
            ]
            bottom, top = sorted(ax.get_ylim())
            shown = [
                text
                for text in shown
                if text not in ax.get_yticklabels() or bottom <= text.get_position()[1] <= top
            ]
            boxes = [(text.get_text(), text.get_window_extent()) for text in (*shown, *figure.texts)]
            assert not overlaps(boxes), name
            for text, box in boxes:
                assert box.x0 >= 0, (name, text)
                assert box.y0 >= 0, (name, text)
                assert box.x1 <= figure.bbox.x1, (name, text)
                assert box.y1 <= figure.bbox.y1, (name, text)
