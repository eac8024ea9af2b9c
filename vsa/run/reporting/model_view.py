"""The model of a report: what it learned from, how it did for people held out, its pictures and its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.bond.evaluation.baselines import NAMES
from vsa.bond.evaluation.held_out import VERDICTS
from vsa.report.pages.site import MODEL, link
from vsa.report.pages.view_cohort import ModelView
from vsa.run.evaluation_files import CARD, evaluation_file, evaluation_folder

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
_CARD = f"{CARD}.html"
#: What a PNG begins with.
_PNG = b"\x89PNG\r\n\x1a\n"


def model_view(info: ModelInfo, file: Path, report: Path) -> ModelView:
    """Tell of the model; its pictures, where they lie beside it, are copied into the report, and its card made there.

    Parameters
    ----------
    info
        Of the model.
    file
        Where it is.
    report
        The report's folder.
    """
    target = report / MODEL
    target.mkdir(exist_ok=True)
    pictures, left_out = _copied(file, target)
    (target / _CARD).write_text(_card(info, file, pictures), "utf-8")
    test = info.evaluation["held_out"][0]
    return ModelView(
        name=file.name,
        verdict=f"For people held out in its training, the model is {VERDICTS[test['verdict']]}",
        about=_about(info),
        results=_results(info, test),
        pictures={link(MODEL, name): _PICTURES[name] for name in pictures},
        card=link(MODEL, _CARD),
        left_out=left_out,
    )


def _copied(file: Path, target: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Copy the pictures beside a model; names of those copied, and what to tell of others."""
    copied, left_out = list[str](), list[str]()
    for name in _PICTURES:
        path = evaluation_folder(file) / name
        if not (path.is_symlink() or path.exists()):
            continue
        content = b"" if evaluation_file(file, name) is None else path.read_bytes()
        if content.startswith(_PNG):
            (target / name).write_bytes(content)
            copied.append(name)
        else:
            left_out.append(f"{path} is not in the report: it is a link, or no picture of vsa.")
    return tuple(copied), tuple(left_out)


def _card(info: ModelInfo, file: Path, pictures: Sequence[str]) -> str:
    """The card as a page: of the text beside the model, which may name a contact, or of what the model holds.

    The page beside the model is not copied: whoever changed it could have put a script there.
    """
    from vsa.bond.card.card import card_page, model_card

    path = evaluation_file(file, f"{CARD}.md")
    try:
        text = "" if path is None else path.read_text("utf-8")
    except (OSError, ValueError):
        text = ""
    return card_page(text or model_card(info, pictures), f"Model card: {file.name}")


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
