"""``vsa score``: questionnaire answers -> scores, with what is missing or odd in them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vsa.commands.places import local_path, place
from vsa.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from vsa.study.addresses import Place
    from vsa.study.answers import Answers, Problem
    from vsa.study.instruments import Instrument
    from vsa.study.reliability import Reliability

#: Problems that are printed; --json and --report have all.
_PRINTED = 20


def _columns(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    """What a column is, and its name: session_id=Session."""
    for one in value:
        if "=" not in one:
            raise click.BadParameter(f"{one!r} is not of the form session_id=NAME.", ctx, param)
    return {role.strip(): name.strip() for role, name in (one.split("=", 1) for one in value)}


@click.command()
@click.argument("answers", type=place, required=False, metavar="ANSWERS")
@click.option("--instrument", metavar="NAME", help="The questionnaire, or a TOML file of your own.")
@click.option("--out", type=local_path, metavar="CSV", help="The scores, one row a session and respondent.")
@click.option(
    "--respondent",
    type=click.Choice(["client", "therapist", "observer"]),
    help="Score only what this person filled in; or say who did, where the table doesn't.",
)
@click.option("--items", metavar="PATTERN", help="How the items are called, as 'wai_{item}'.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    callback=_columns,
    metavar="ROLE=NAME",
    help="How another column is called, as session_id=Session; may be given several times.",
)
@click.option(
    "--prorate",
    type=float,
    metavar="SHARE",
    help="Items of a scale that must be answered, 1 for all.  [default: the questionnaire's]",
)
@click.option("--already-reversed", is_flag=True, help="Reversed items were turned round in the table.")
@click.option("--strict", is_flag=True, help="Stop if an answer can't be scored.")
@click.option("--report", type=local_path, metavar="CSV", help="Write all missing and unusable answers here.")
@click.option("--list", "list_", is_flag=True, help="Name the questionnaires and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def score(
    answers: Place | None,
    instrument: str | None,
    out: Path | None,
    respondent: str | None,
    items: str | None,
    columns: dict[str, str],
    prorate: float | None,
    already_reversed: bool,
    strict: bool,
    report: Path | None,
    list_: bool,
    as_json: bool,
) -> None:
    """Turn questionnaire answers into scores, and say what is missing or odd in them.

    ANSWERS is a CSV or Parquet table with session_id, respondent (client, therapist, observer) and the items: one a
    column, or one answer a row with columns item and value. Keys only are built in: the wording of items, and forms to
    fill in, are their publishers'.
    """
    if list_:
        _list(as_json)
        return
    if answers is None or instrument is None or out is None:
        needed = {"ANSWERS": answers, "--instrument": instrument, "--out": out}
        absent = ", ".join(name for name, value in needed.items() if value is None)
        raise click.UsageError(f"Missing {absent}. 'vsa score --list' names the questionnaires.")
    _check_places(answers, out, report)
    from vsa.study.answers import read_answers
    from vsa.study.instruments import load
    from vsa.study.score_notes import notes
    from vsa.study.scoring import score as scored
    from vsa.study.tables import write_csv

    key = load(instrument)
    given_answers = read_answers(answers, key, respondent=respondent, items=items, columns=columns)
    table = scored(given_answers, key, prorate=prorate, already_reversed=already_reversed)
    scales = _reliabilities(given_answers, key, table, already_reversed=already_reversed)
    faulty = [problem for problem in given_answers.problems if problem.faulty]
    if report:
        write_csv(_problem_table(given_answers, key), report, for_people=True)
    if strict and faulty:
        raise InputError(
            f"{answers.name}: {len(faulty)} answers can't be scored; nothing was scored."
            + "".join(f"\n  {_problem(problem, key)}" for problem in faulty[:_PRINTED]),
            "Correct them; --report FILE.csv lists all. Without --strict they count as not answered.",
        )
    write_csv(table, out)
    _log(out, key, given_answers)
    said = notes(given_answers, key, table, scales, already_reversed=already_reversed)
    if as_json:
        settings = {"prorate": float(table["prorate"].iloc[0]), "already_reversed": already_reversed}
        _print_json({"out": str(out), **settings, **_record(given_answers, key, scales, said)})
    else:
        _print(given_answers, key, scales, said)
        click.echo(f"\nScores: {out}")


def _check_places(answers: Place, out: Path, report: Path | None) -> None:
    places = [one.resolve() for one in (answers, out, report) if isinstance(one, Path)]
    if len(set(places)) < len(places):
        raise InputError("Two of ANSWERS, --out and --report are the same file.", "Give each its own.")


def _reliabilities(
    answers: Answers, key: Instrument, table: pd.DataFrame, *, already_reversed: bool
) -> dict[str, list[Reliability]]:
    from vsa.study.reliability import reliabilities
    from vsa.study.scoring import keyed

    values = keyed(answers.values, key, already_reversed=already_reversed)
    found = {}
    for rater in sorted(set(answers.raters)):
        of = (table["rater"] == rater).to_numpy()
        means = {name: table.loc[of, f"{name}_mean"].to_numpy() for name in key.scales}
        found[rater] = reliabilities(values[of], means, key)
    return found


def _log(out: Path, key: Instrument, answers: Answers) -> None:
    from vsa.study.folder import study_of

    if study := study_of(out):
        from vsa.study.log import record

        outcome: dict[str, int | str] = {
            "scores": os.path.relpath(out, study),
            "instrument": key.id,
            "rows": len(answers),
        }
        record(study, "score", answers.ids if answers.key == "session_id" else (), outcome)


def _print(
    answers: Answers, key: Instrument, scales: Mapping[str, Sequence[Reliability]], said: Sequence[str]
) -> None:
    click.echo(f"{key.name} ({key.id}; {key.source})")
    for rater in scales:
        click.echo(f"{answers.raters.count(rater)} filled in by the {rater} ({answers.told}).")
    click.echo(f"Items: {_named(answers, key)}.")
    if answers.problems:
        click.echo(f"\nMissing or unusable answers: {len(answers.problems)}")
        for problem in (shown := sorted(answers.problems, key=lambda p: not p.faulty)[:_PRINTED]):
            click.echo(f"  {_problem(problem, key)}")
        if more := len(answers.problems) - len(shown):
            click.echo(f"  and {more} more; --report FILE.csv or --json lists all")
    for rater, some in scales.items():
        click.echo(f"\n{rater:<16}{'items':>6}{'n':>6}{'alpha':>8}{'omega':>8}{'at max':>9}{'at min':>9}")
        for scale in some:
            click.echo(
                f"  {scale.scale:<14}{scale.items:>6}{scale.n:>6}{_number(scale.alpha):>8}{_number(scale.omega):>8}"
                f"{_share(scale.at_max):>9}{_share(scale.at_min):>9}"
            )
        reasons: dict[str, list[str]] = {}
        for scale in some:
            for coefficient, why in scale.why.items():
                reasons.setdefault(f"no {coefficient}: {why}", []).append(scale.scale)
        for why, names in reasons.items():
            click.echo(f"  {', '.join(names)}: {why}")
    if said:
        click.echo()
    for note in said:
        click.echo(f"Note: {note}")
    click.echo(f"Rights: {key.rights}")


def _named(answers: Answers, key: Instrument) -> str:
    names = [name for item in key.items for name in answers.items.of.get(item, ())]
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(answers.items.of)})"


def _problem(problem: Problem, key: Instrument) -> str:
    told = f"{problem.id} ({problem.rater}, row {problem.row}), item {problem.item}: "
    if not problem.faulty:
        return told + problem.what
    return f"{told}'{problem.value}' is {problem.what}; {_range(key)}"


def _range(key: Instrument) -> str:
    whole = "whole numbers " if key.whole else ""
    return f"{whole}{key.low:g} to {key.high:g}"


def _problem_table(answers: Answers, key: Instrument) -> pd.DataFrame:
    import pandas as pd

    from vsa.study.cells import neutral

    rows = [
        {
            answers.key: problem.id,
            "rater": problem.rater,
            "row": problem.row,
            "item": problem.item,
            "value": neutral(problem.value),
            "problem": problem.what,
            "allowed": _range(key),
        }
        for problem in answers.problems
    ]
    return pd.DataFrame(rows, columns=[answers.key, "rater", "row", "item", "value", "problem", "allowed"])


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1%}"


def _record(
    answers: Answers, key: Instrument, scales: Mapping[str, Sequence[Reliability]], said: Sequence[str]
) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "instrument": key.id,
        "name": key.name,
        "rights": key.rights,
        "unverified": key.unverified,
        "respondents": {rater: answers.raters.count(rater) for rater in scales},
        "told": answers.told,
        "items": answers.items.of,
        "blank": answers.blank,
        "problems": [
            {answers.key if k == "id" else k: v for k, v in asdict(p).items()} for p in answers.problems
        ],
        "reliability": [
            {"rater": rater, **asdict(scale)} for rater, some in scales.items() for scale in some
        ],
        "notes": said,
    }


def _list(as_json: bool) -> None:
    from dataclasses import asdict

    from vsa.study.instruments import load, names

    keys = [load(name) for name in names()]
    if as_json:
        _print_json([{**asdict(key), "unverified": key.unverified} for key in keys])
        return
    for key in keys:
        state = f"from memory: {', '.join(key.unverified)}" if key.unverified else "key read in sources"
        click.echo(f"{key.id:<12}{key.name}")
        click.echo(
            f"{'':<12}{key.measures}; by the {' or '.join(key.respondents)}; {len(key.items)} items, {_range(key)}; "
            f"{state}"
        )


def _print_json(value: Any) -> None:
    import json

    click.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def _plain(value: Any) -> Any:
    """What JSON has no word for, NaN, becomes null."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
