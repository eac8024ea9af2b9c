"""An evaluation for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from vsa.bond.evaluation.baselines import NAMES, NEEDS_HISTORY
from vsa.bond.evaluation.flag_scores import BUDGETS
from vsa.bond.evaluation.held_out import VERDICTS
from vsa.bond.model import SIMULATED

if TYPE_CHECKING:
    from vsa.bond.evaluation.resampling import Estimate
    from vsa.bond.model import ModelInfo
    from vsa.bond.new_cohort import NewCohort, Performance

_COLUMNS = (
    ("R2", "r2"),
    ("r", "r"),
    ("Spearman", "spearman"),
    ("within", "within_r"),
    ("between", "between_r"),
    ("MAE", "mae"),
)
#: Parts in which the model errs on one side by more than this share of the bond's SD are told.
_BIASED = 0.25


def evaluation_text(info: ModelInfo) -> str:
    """What is to be known of a model, in some forty lines."""
    return "\n".join(_lines(info))


def _lines(info: ModelInfo) -> Iterator[str]:
    found = info.evaluation
    if info.simulated:
        yield SIMULATED
    therapists = (
        "" if info.therapists is None else f", {info.therapists} therapist{'s' * (info.therapists != 1)}"
    )
    people = f" of {info.clients} clients{therapists}" if info.grouped_by == "client" else ""
    yield f"{info.family.capitalize()} on {len(info.features)} signals of {info.sessions} sessions{people}."
    yield f"Bond: {info.label_source}; mean {info.bond_mean:.2f}, SD {info.bond_sd:.2f}."
    for warning in found["warnings"]:
        yield f"\nLOOK: {warning}"
    for test in found["held_out"]:
        yield from _held_out(test)
    yield from _tests(found)
    yield from _flags(found["flags"], info.weak.said(info.target, info.weak_cut))
    if words := found["effects"].get("words"):
        yield "\nSingle signals"
        yield from (f"  {line}" for line in words)
    yield from _parts(found["parts"], info.bond_sd)
    for note in info.notes:
        yield f"\nNote: {note}"


def _held_out(test: Mapping[str, Any]) -> Iterator[str]:
    by = test["by"]
    yield f"\nNew {by}s (all sessions of a {by} held out together, {test['groups']} {by}s)"
    yield f"  {'':<30}" + "".join(f"{head:>10}" for head, _ in _COLUMNS)
    starred = False
    for name, words in NAMES.items():
        if name not in test["scores"]:
            continue
        starred |= name in NEEDS_HISTORY
        mark = "> " if name == test["model"] else "  "
        yield f"{mark}{words:<30}" + "".join(
            f"{_number(test['scores'][name][key]['value'], name, key):>10}" for _, key in _COLUMNS
        )
    if starred:
        yield "  * knows what the same client reported before; the others don't."
    over = "covariates" if test["over"] == "covariates" else "the training mean"
    yield f"  What signals add to {over}: R2 {_interval(test['increment'])}."
    yield f"  Squared error against the training mean: {-test['gain']['value']:+.1%} " + (
        f"(95 % interval {-test['gain']['high']:+.1%} to {-test['gain']['low']:+.1%})."
        if test["gain"]["low"] is not None
        else ""
    )
    yield f"  The model is {VERDICTS[test['verdict']]}"


def _number(value: float | None, predictor: str, key: str) -> str:
    # those that know earlier bonds tell clients apart by them, which is no prediction of level or change
    if value is None or (predictor in NEEDS_HISTORY and key in ("within_r", "between_r")):
        return "-"
    return f"{value:.2f}"


def _tests(found: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    for test in found["permutation"]:
        yield (
            f"{test['kind'].capitalize()} clients: r = {test['statistic']:.2f}, permutation p = {test['p']:.3f} "
            f"({test['permutations']} permutations; chance gives up to {test['null_p95']:.2f})."
        )
    if leakage := found["leakage"]:
        yield (
            f"Split by session instead (no evidence, only to see leakage): r = {leakage['session_r']:.2f}, "
            f"by client {leakage['client_r']:.2f}."
        )
    covered = found["coverage"]
    yield (
        f"Intervals meant to hold {covered['level']:.0%}: held {_percent(covered['share'])} for new people, and are "
        f"{covered['width']['value']:.2f} points wide."
    )
    if top := found["ceiling"]:
        yield (
            f"With a reliability of {top['reliability']:.2f} ({top['source']}) no model can reach more than "
            f"r = {top['r']:.2f}."
        )


def _flags(flags: Mapping[str, Any] | None, said: str) -> Iterator[str]:
    yield f"\nFlags of a weak bond ({said})"
    if flags is None:
        yield "  Too few of them, or none other, to give probabilities."
        return
    scores = flags["scores"]
    yield (
        f"  AUC {_interval(scores['auc'])}; average precision {_interval(scores['average_precision'])} where lots give "
        f"{flags['base_rate']:.2f}."
    )
    top = ", ".join(f"{share:.0%}: {_percent(scores[f'precision_{share * 100:.0f}'])}" for share in BUDGETS)
    yield f"  Weak among the sessions flagged first, with a budget of {top}."
    yield (
        f"  Brier {_interval(scores['brier'])}, calibration slope {_interval(scores['calibration_slope'])} "
        f"(1 is right)."
    )


def _parts(parts: list[Mapping[str, Any]], sd: float) -> Iterator[str]:
    off = [part for part in parts if abs(part["bias"]) > _BIASED * sd]
    if off:
        yield "\nErrs on one side for some people (all parts are in evaluation.json)"
    for part in off:
        side = "too much" if part["bias"] > 0 else "too little"
        yield (
            f"  {part['by']} {part['value']}: expects {abs(part['bias']):.2f} points {side} "
            f"({part['clients']} clients)."
        )


def new_cohort_text(found: NewCohort, info: ModelInfo) -> str:
    """What `vsa evaluate` found."""
    return "\n".join(_new_lines(found, info))


def _new_lines(found: NewCohort, info: ModelInfo) -> Iterator[str]:
    for note in found.notes:
        yield f"Note: {note}"
    if found.performance is None:
        yield found.why
    else:
        yield from _performed(found.performance, info)
    yield "\nHow these sessions differ from those of the training"
    yield from (f"  {line}" for line in found.drift.said())
    yield f"\n{len(found.outside)} of {found.sessions} sessions can't be judged."
    for _, row in found.outside.head(10).iterrows():
        yield f"  {row['session_id']}: {row['reason']}"
    if len(found.outside) > 10:
        yield f"  and {len(found.outside) - 10} more (--out lists them)."


def _performed(told: Performance, info: ModelInfo) -> Iterator[str]:
    yield f"{told.sessions} sessions with a bond, of {told.clients} clients"
    yield f"  {'':<18}{'R2':>24}{'r':>24}{'MAE':>24}"
    for name, scores in (("model", told.scores), ("its training mean", told.training_mean)):
        yield f"  {name:<18}" + "".join(f"{scores[key]!s:>24}" for key in ("r2", "r", "mae"))
    trained = info.evaluation["held_out"][0]["scores"][info.evaluation["held_out"][0]["model"]]["r"]
    yield f"  In its training, for people held out: r {_interval(trained)}."
    yield (
        f"  Reported minus expected bond: {told.shift} points on average (0 is right); slope {told.slope} (1 is right)."
    )
    yield (f"  Intervals meant to hold {told.coverage.level:.0%} held {_percent(vars(told.coverage.share))}.")
    if told.flags is not None:
        yield (
            f"  Weak bonds ({info.weak.said(info.target, info.weak_cut)}; {told.base_rate:.0%} of these): AUC "
            f"{told.flags['auc']}, calibration slope {told.flags['calibration_slope']}."
        )
    if _off(told.shift) or not _holds(told.slope):
        yield "  It is not calibrated here: 'vsa train --start-from' recalibrates it."


def _off(shift: Estimate) -> bool:
    return shift.low is not None and shift.high is not None and (shift.low > 0 or shift.high < 0)


def _holds(slope: Estimate) -> bool:
    return slope.low is None or slope.high is None or slope.low <= 1 <= slope.high


def _interval(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    if found["low"] is None:
        return f"{found['value']:.2f}"
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def _percent(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "-"
    if found["low"] is None:
        return f"{found['value']:.0%}"
    return f"{found['value']:.0%} ({found['low']:.0%} to {found['high']:.0%})"
