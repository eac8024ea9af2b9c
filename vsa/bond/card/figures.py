"""The figures of a model card: what was found of people held out, with intervals, beside what any claim must beat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vsa.bond.card.signals import signals
from vsa.bond.card.tables import (
    NONE,
    count,
    interval,
    number,
    percent,
    percents,
    probability,
    shown,
    table,
)
from vsa.bond.evaluation.baselines import NAMES, NEEDS_HISTORY
from vsa.bond.evaluation.flag_scores import BUDGETS
from vsa.bond.evaluation.held_out import VERDICTS
from vsa.bond.evaluation.parts import LEAST_PEOPLE

if TYPE_CHECKING:
    from vsa.bond.model import ModelInfo

Record = Mapping[str, Any]

#: Head of a column -> score.
SCORES: Mapping[str, str] = {
    "R2": "r2",
    "r": "r",
    "Spearman": "spearman",
    "r within clients": "within_r",
    "r between clients": "between_r",
    "MAE, points": "mae",
    "RMSE, points": "rmse",
    "CCC": "ccc",
}
#: Who knows a client's earlier bonds tells clients apart by them, which is no prediction of level or change.
_NOT_WITH_HISTORY = ("within_r", "between_r")
_FLAGS: Mapping[str, tuple[str, str]] = {
    "auc": ("AUC", "0.50 is a draw of lots"),
    "average_precision": ("Average precision", "the share of weak bonds is a draw of lots"),
    **{
        f"precision_{share * 100:.0f}": (
            f"Weak among the {100 * share:.0f} % flagged first",
            "the share of weak bonds is a draw of lots",
        )
        for share in BUDGETS
    },
    "brier": ("Brier score", "lower is better"),
    "brier_skill": ("Brier skill", "0 is giving everybody the share of weak bonds"),
    "calibration_slope": ("Calibration slope", "1 is right, below 1 too bold"),
    "calibration_intercept": ("Calibration intercept", "0 is right on average"),
}


def figures(info: ModelInfo, images: Mapping[str, str]) -> Iterator[str]:
    """Lines of Markdown.

    Parameters
    ----------
    info
        The model's.
    images
        Name of a picture without its ending -> the Markdown that shows it. Those of other names come last.
    """
    found = info.evaluation
    for warning in found["warnings"]:
        yield f"**Look:** {shown(warning)}\n"
    for k, test in enumerate(found["held_out"]):
        yield from _held_out(test)
        if k == 0:
            yield from _picture(images, "expected")
    yield from _picture(images, "predictors")
    yield from _chance(found)
    yield from _intervals(found["coverage"])
    yield from _flags(found["flags"], images)
    yield "### Which signals\n"
    yield from signals(info, images.get("signals", ""))
    yield from _parts(found["parts"])
    yield from _learning(found["learning"], images)
    placed = ("expected", "predictors", "flags", "signals", "learning")
    yield from (f"{image}\n" for name, image in images.items() if name not in placed)


def _picture(images: Mapping[str, str], name: str) -> Iterator[str]:
    if name in images:
        yield f"{images[name]}\n"


def _held_out(test: Record) -> Iterator[str]:
    by = test["by"]
    yield f"### New {by}s\n"
    held = (
        f"All sessions of a {by} were held out together; {count(test['groups'], by)}."
        if by != "session"
        else f"Each of {test['groups']} sessions was held out by itself: whose they are is not known, so this says "
        "nothing about new clients."
    )
    yield f"{held} In bold: the model.\n"
    names = [name for name in NAMES if name in test["scores"]]
    rows = (
        (
            _predictor(name, test["model"]),
            *(_score(test["scores"][name], name, key) for key in SCORES.values()),
        )
        for name in names
    )
    yield from table(("Predictor", *SCORES), rows)
    if set(names) & set(NEEDS_HISTORY):
        yield "\\* knows what the same client reported before; the others don't.\n"
    over = "covariates alone" if test["over"] == "covariates" else "the training mean"
    yield f"- What signals add to {over}: R2 {interval(test['increment'])}."
    gain = {key: None if value is None else -value for key, value in test["gain"].items()}
    gain = {"value": gain["value"], "low": gain["high"], "high": gain["low"]}
    yield f"- Squared error against that of the training mean: {percents(gain)}; below 0 is closer."
    yield f"- The model is {VERDICTS[test['verdict']]}\n"


def _predictor(name: str, model: str) -> str:
    text = shown(NAMES[name])
    return f"**{text}**" if name == model else text


def _score(scores: Record, predictor: str, key: str) -> str:
    if predictor in NEEDS_HISTORY and key in _NOT_WITH_HISTORY:
        return NONE
    return interval(scores[key])


def _chance(found: Record) -> Iterator[str]:
    yield "### Could it be chance, or leakage?\n"
    rows = (
        (
            f"{test['kind']} clients",
            number(test["statistic"]),
            probability(test["p"]),
            number(test["null_mean"]),
            number(test["null_p95"]),
            str(test["permutations"]),
        )
        for test in found["permutation"]
    )
    head = ("Signals alone", "r", "p", "Chance, mean", "Chance, 95th percentile", "Permutations")
    lines = table(head, rows)
    if lines:
        yield "The whole procedure was run again on bonds that were given to others, at each level by itself.\n"
    yield from lines or ["No permutation test was made (--permutations 0).\n"]
    if leakage := found["leakage"]:
        yield (
            f"- Split by session instead of by client (no evidence, only to see leakage) the model shows r = "
            f"{number(leakage['session_r'])}; by client {number(leakage['client_r'])}. The gap is "
            f"{number(leakage['gap'])}."
        )
    else:
        yield "- Every session is of another client, or clients are not known: no gap to a split by session."
    if top := found["ceiling"]:
        corrected = (
            ""
            if top["corrected_r"] is None
            else f" Of a bond without error of measurement the model's r would be {number(top['corrected_r'])}; "
            "that is a secondary figure."
        )
        yield (
            f"- With a reliability of {number(top['reliability'])} ({shown(top['source'])}) no model can reach more "
            f"than r = {number(top['r'])}, R2 = {number(top['r2'])}.{corrected}"
        )
    else:
        yield "- The bond's reliability is not known, nor how well a model could do at best (--reliability)."
    yield ""


def _intervals(covered: Record) -> Iterator[str]:
    yield "### Intervals around the expected bond\n"
    share = covered["width_of_scale"]
    of_scale = "" if share is None else f", {percent(share)} of the questionnaire's range"
    yield (
        f"Meant to hold {percent(covered['level'])} of the reported bonds, they held {percents(covered['share'])} of "
        f"those of new people. They are {interval(covered['width'])} points wide{of_scale}.\n"
    )


def _flags(flags: Record | None, images: Mapping[str, str]) -> Iterator[str]:
    yield "### Flags of a weak bond\n"
    if flags is None:
        yield "Weak bonds, or others, were too few to learn probabilities and to test flags.\n"
        return
    yield (
        f"{flags['sessions']} sessions whose people were held out; {percent(flags['base_rate'])} of their bonds are "
        f"weak ({shown(flags['weak'])}), which is what a review at random finds.\n"
    )
    rows = ((name, interval(flags["scores"][key]), means) for key, (name, means) in _FLAGS.items())
    yield from table(("Score", "Value", "To compare"), rows, words=3)
    curve = ((percent(mean), percent(weak), str(n)) for mean, weak, n in flags["curve"])
    yield "Fifths of the sessions, by probability:\n"
    yield from table(("Mean probability", "Weak", "Sessions"), curve, words=0)
    yield from _picture(images, "flags")


def _parts(parts: Sequence[Record]) -> Iterator[str]:
    yield "### By group\n"
    if not parts:
        yield f"No group of {LEAST_PEOPLE} or more clients is known.\n"
        return
    yield (
        f"Groups of {LEAST_PEOPLE} or more clients, all of them held out. Bias above 0: the model expects a higher "
        "bond than they reported.\n"
    )
    rows = (
        (
            shown(part["by"]),
            shown(part["value"]),
            str(part["clients"]),
            str(part["sessions"]),
            number(part["mae"]),
            number(part["bias"]),
            percent(part["coverage"]),
            percent(part["missing_face"]),
        )
        for part in parts
    )
    head = (
        "What",
        "Value",
        "Clients",
        "Sessions",
        "MAE, points",
        "Bias, points",
        "Intervals held",
        "Face not seen",
    )
    yield from table(head, rows, words=2)


def _learning(points: Sequence[Record], images: Mapping[str, str]) -> Iterator[str]:
    yield "### With fewer clients\n"
    rows = ((str(point["clients"]), number(point["r2"]), number(point["r"])) for point in points)
    yield from table(("Clients", "R2", "r"), rows, words=0)
    yield from _picture(images, "learning")
