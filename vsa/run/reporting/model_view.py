"""The model of a report: what it learned from, how it did for people held out, its pictures and its card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.bond.evaluation.baselines import NAMES
from vsa.bond.evaluation.held_out import VERDICTS
from vsa.report.pages.site import MODEL, link
from vsa.report.pages.view_cohort import ModelView
from vsa.run.evaluation_files import CARD, evaluation_folder

if TYPE_CHECKING:
    from vsa.bond.model import ModelInfo

#: Pictures of an evaluation (`vsa.report.evaluation.draw_evaluation`), and what they show.
_PICTURES: Mapping[str, str] = {
    "expected.png": "Reported against expected bond of people held out, session by session and in fifths.",
    "predictors.png": "How well the model does for people held out, beside simpler predictors.",
    "flags.png": "How well flags of a weak bond do for people held out.",
    "signals.png": "Single signals and the bond, within and between clients.",
    "learning.png": "How much better the model becomes with more clients.",
}


def model_view(info: ModelInfo, file: Path, report: Path) -> ModelView:
    """Tell of the model; its card and pictures, where they lie beside it, are copied into the report."""
    pictures, card = _copied(evaluation_folder(file), report / MODEL)
    if not card:
        card = _card(info, file, report / MODEL)
    test = info.evaluation["held_out"][0]
    return ModelView(
        name=file.name,
        verdict=f"For people held out in its training, the model is {VERDICTS[test['verdict']]}",
        about=_about(info),
        results=_results(info, test),
        pictures=pictures,
        card=card,
    )


def _copied(folder: Path, target: Path) -> tuple[dict[str, str], str]:
    pictures: dict[str, str] = {}
    card = ""
    for name in (*_PICTURES, f"{CARD}.html"):
        if (folder / name).is_file():
            target.mkdir(exist_ok=True)
            shutil.copyfile(folder / name, target / name)
            if name in _PICTURES:
                pictures[link(MODEL, name)] = _PICTURES[name]
            else:
                card = link(MODEL, name)
    return pictures, card


def _card(info: ModelInfo, file: Path, target: Path) -> str:
    """The card alone, where the evaluation's folder is not beside the model."""
    from vsa.bond.card.card import card_page, model_card

    target.mkdir(exist_ok=True)
    name = f"{CARD}.html"
    (target / name).write_text(card_page(model_card(info), f"Model card: {file.name}"), "utf-8")
    return link(MODEL, name)


def _about(info: ModelInfo) -> dict[str, str]:
    people = f"{info.clients} clients" if info.grouped_by == "client" else "clients not known"
    therapists = "" if info.therapists is None else f", {info.therapists} therapists"
    of = "SIMULATED: " if info.simulated else ""
    told = {
        "Learned from": f"{of}{info.sessions} sessions, {people}{therapists}",
        "Bond": f"{info.label_source}; mean {info.bond_mean:.2f}, SD {info.bond_sd:.2f}",
        "Weak bond": info.weak.said(info.target, info.weak_cut),
        "Kind": f"{info.family} on {len(info.features)} signals",
    }
    return told | ({"Started from": info.started_from} if info.started_from else {})


def _results(info: ModelInfo, test: Mapping[str, Any]) -> dict[str, str]:
    """Scores for new people, with 95 % intervals."""
    own = test["scores"][test["model"]]
    told = {
        f"Held out: all sessions of a {test['by']} together": f"{test['groups']} {test['by']}s",
        "Correlation of expected and reported bond": _interval(own["r"]),
        "Explained variance (R2)": _interval(own["r2"]),
        "Mean absolute error, points": _interval(own["mae"]),
    }
    if mean := test["scores"].get("mean"):
        told[f"Mean absolute error of {NAMES.get('mean', 'the training mean')}, points"] = _interval(
            mean["mae"]
        )
    covered = info.evaluation["coverage"]
    told[f"Intervals meant to hold {covered['level']:.0%} held"] = _interval(covered["share"], percent=True)
    if flags := info.evaluation["flags"]:
        told["Weak before not weak: probability in the right order (AUC)"] = _interval(flags["scores"]["auc"])
        told["Weak among the first tenth of the list"] = _interval(
            flags["scores"]["precision_10"], percent=True
        )
        told["Weak among all"] = f"{flags['base_rate']:.0%}"
    for found in info.evaluation["permutation"]:
        told[f"Chance, {found['kind']} clients (permutation p)"] = f"{found['p']:.3f}"
    return told


def _interval(found: Mapping[str, Any], *, percent: bool = False) -> str:
    form = "{:.0%}" if percent else "{:.2f}"
    if found["value"] is None:
        return "not known"
    if found["low"] is None:
        return form.format(found["value"])
    return f"{form.format(found['value'])} ({form.format(found['low'])} to {form.format(found['high'])})"
