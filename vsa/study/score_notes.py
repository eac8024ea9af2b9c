"""What whoever reads scores should know of them, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vsa.study.answers import NOT_ANSWERED, Answers
from vsa.study.instruments import Instrument
from vsa.study.reliability import Reliability
from vsa.study.scoring import PERCENTILE_FROM, PERCENTILE_WARNED, STYLES

if TYPE_CHECKING:
    import pandas as pd

#: Share of scores at the end of a scale from which it is said to have a ceiling or floor (Terwee et al. 2007).
_MANY = 0.15
_PARTS = {
    "items": "how many items there are",
    "range": "the range of an answer",
    "reversed": "which items are reversed",
    "scales": "which items make which scale",
}


def from_memory(instrument: Instrument) -> str:
    """Which parts of a key nobody has compared with a source; "" if none."""
    parts = [_PARTS[part] for part in instrument.unverified]
    if not parts:
        return ""
    told = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Of this key, {told}: from memory, not compared with the form. Check before you rely on it."


def notes(
    answers: Answers,
    instrument: Instrument,
    table: pd.DataFrame,
    reliabilities: Mapping[str, Sequence[Reliability]],
    *,
    already_reversed: bool,
) -> list[str]:
    """Everything worth a sentence, the weightiest first.

    Parameters
    ----------
    answers, instrument
        What was scored.
    table
        Of `vsa.study.scoring.score`.
    reliabilities
        Respondent -> of each scale.
    already_reversed
        As it was scored.
    """
    found = [from_memory(instrument), *_coding(answers, instrument)]
    for rater, scales in reliabilities.items():
        found.extend(_items(rater, scales, already_reversed=already_reversed))
    found.extend(_gaps(answers, instrument))
    found.extend(_people(answers, table))
    if instrument.bond is not None:
        found.extend(_percentiles(table))
    if any(not np.isnan(scale.alpha) for scales in reliabilities.values() for scale in scales):
        found.extend(_nested(table, answers))
    for rater, scales in reliabilities.items():
        found.extend(_ends(rater, scales, instrument))
    if set(STYLES) <= set(instrument.items):
        found.append(
            "Column style names the description rated highest; a tie goes to the forced choice, if that is one of the "
            "tied, and is missing otherwise."
        )
    found.extend(
        f"{cut.scale}_cut: the {cut.scale} {cut.score} is {cut.at:g} or below ({cut.source})."
        for cut in instrument.cuts
    )
    return [note for note in (*found, *instrument.notes) if note]


def _coding(answers: Answers, instrument: Instrument) -> Iterator[str]:
    """Answers that fit the range if all are moved: 0 to 4 instead of 1 to 5."""
    low, high = instrument.low, instrument.high
    outside = [problem.value for problem in answers.problems if problem.what == "out of range"]
    given = [float(value.replace(",", ".")) for value in outside] + answers.values[
        ~np.isnan(answers.values)
    ].tolist()
    if outside and max(given) - min(given) <= high - low:
        yield (
            f"Answers run from {min(given):g} to {max(given):g}, those to {instrument.id} from {low:g} to {high:g}. "
            "If they were coded otherwise, all scores are wrong: recode the table."
        )
    elif outside:
        yield (
            "Answers out of range count as not answered. If such a number means that nothing was answered, that is "
            "right; otherwise correct the table."
        )


def _items(rater: str, scales: Sequence[Reliability], *, already_reversed: bool) -> Iterator[str]:
    opposed = [scale.scale for scale in scales if scale.opposed]
    if opposed and already_reversed:
        yield (
            f"{rater}: in {', '.join(opposed)}, items that are to be reversed go against the others. They look not "
            "reversed yet: leave --already-reversed away."
        )
    elif opposed:
        yield (
            f"{rater}: in {', '.join(opposed)}, reversed items go against the others. The table looks reversed "
            "already: if it is, score it with --already-reversed."
        )
    against: dict[str, list[str]] = {}
    for scale in scales:
        for item in scale.negative:
            against.setdefault(item, []).append(f"{scale.item_totals[item]:+.2f} in {scale.scale}")
    for item, told in against.items():
        yield (
            f"{rater}: item {item} goes against its scale (item-total r {', '.join(told)}). It looks "
            "not reversed, or reversed twice: compare it with the form."
        )


def _gaps(answers: Answers, instrument: Instrument) -> Iterator[str]:
    if absent := [item for item in instrument.items if item not in answers.items.of]:
        yield f"No column for item {', '.join(absent)}: they count as not answered."
    if answers.blank:
        yield f"{answers.blank} without any answer are left out."
    faulty = sum(problem.what != NOT_ANSWERED for problem in answers.problems)
    if faulty:
        yield f"{faulty} answers can't be scored and count as not answered; nothing was moved into the range."


def _people(answers: Answers, table: pd.DataFrame) -> Iterator[str]:
    raters = sorted(set(answers.raters))
    if len(raters) > 1:
        yield (
            f"The table holds answers of {' and '.join(raters)}. 'vsa train --bonds' takes one row a session: score "
            "again with --respondent."
        )
    if answers.key != "session_id":
        yield (
            "There are no sessions in this table: one row a client. Copy what you need into the manifest, by client_id."
        )
    said = table["simulated"].dropna().str.lower() if "simulated" in table else ()
    if any(one in ("true", "1", "yes") for one in said):
        yield "Some or all of these answers are simulated (column simulated)."


def _percentiles(table: pd.DataFrame) -> Iterator[str]:
    for rater, count in table.groupby("rater")["bond_percentile_n"].first().items():
        if count < PERCENTILE_FROM:
            yield f"{rater}: no percentiles, they take {PERCENTILE_FROM} bond scores and there are {count}."
        elif count < PERCENTILE_WARNED:
            yield (
                f"{rater}: percentiles are among {count} bond scores only; with fewer than {PERCENTILE_WARNED} they "
                "are rough."
            )
    yield "Percentiles are among the scores of this table: no norms are shipped, since none were found that hold."


def _nested(table: pd.DataFrame, answers: Answers) -> Iterator[str]:
    if answers.key == "session_id" and "client_id" not in table:
        yield "Alpha and omega take rows as independent; there is no client_id to see whether they are."
    elif answers.key == "session_id" and table.duplicated(["rater", "client_id"]).any():
        yield (
            "Alpha and omega take rows as independent. Several are of the same clients: they mix differences between "
            "clients with changes within them."
        )


def _ends(rater: str, scales: Sequence[Reliability], instrument: Instrument) -> Iterator[str]:
    for scale in scales:
        if scale.at_max >= _MANY and scale.scored >= PERCENTILE_FROM and scale.items > 1:
            yield (
                f"{rater}: {scale.at_max:.0%} of the {scale.scale} scores are the highest possible. Differences among "
                "these can't be seen, and correlations come out too small."
            )
