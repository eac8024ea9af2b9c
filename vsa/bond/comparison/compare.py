"""Alliance by modality, attachment, diagnosis: who is in the groups, how much they differ, and how sure that is.

The kind of analysis that Mercadal Rotger & Cabré made (JMIR Mental Health 2022, 9(5), e36775), with what such data need
besides: clients count once, variances may differ, intervals, equivalence, correction for the number of tests, models
that allow for clients and therapists. The figures that paper prints don't agree with each other: its kind of analysis
is the model, not its numbers. Nobody was assigned to a group by chance, so nothing here is about causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from vsa.bond.comparison import tests
from vsa.bond.comparison.columns import TOLD_FROM, Outcome, Sessions, read_outcomes, read_sessions
from vsa.bond.comparison.factors import Factor, OneGroup, read_factor, read_factors
from vsa.bond.comparison.features import Behaviour, compare_features, core_features
from vsa.bond.comparison.groups import compare_groups, units
from vsa.bond.comparison.model import Model, over_clients, over_sessions
from vsa.bond.comparison.records import Settings, Test
from vsa.errors import InputError

__all__ = ["COVARIATES", "Comparison", "OneGroup", "Score", "Settings", "compare", "nothing_compared"]

#: Allowed for in the models, where they are in the table and nothing else is asked for.
COVARIATES = ("age", "gender")


@dataclass(frozen=True)
class Score:
    """An outcome, without its values.

    Attributes
    ----------
    name, label
        The column, and what it is called.
    scale
        Lowest and highest score that can be; None if the questionnaire is not known.
    top, at_top
        Highest score that can be (or that occurs, where the scale is not known), and the share of sessions with it.
    ceiling
        Whether that is so often that it is told.
    """

    name: str
    label: str
    scale: tuple[float, float] | None
    top: float
    at_top: float
    ceiling: bool


@dataclass(frozen=True)
class Comparison:
    """All that was found.

    Attributes
    ----------
    source
        Where the table comes from.
    simulated
        The sessions are not of people.
    unit
        What counts once: ``client``, or ``session`` where no client is known.
    sessions, clients, rounded
        How many; rounded to fives where the number of a small group could be reckoned from them.
    settings
        How small a group may be, and the margin of equivalence.
    scores, factors
        What is compared, by what.
    tests
        Score by score, in the order of the factors.
    tested
        How many tests p values are adjusted for.
    models
        Two for each score: over clients, and over sessions.
    behaviours
        Features by the same factors.
    notes
        What was left out, and what to know.
    words
        All of it for people, sentence by sentence.
    """

    source: str
    simulated: bool
    unit: Literal["client", "session"]
    sessions: int
    clients: int
    rounded: bool
    settings: Settings
    scores: tuple[Score, ...]
    factors: tuple[str, ...]
    tests: tuple[Test, ...]
    tested: int
    models: tuple[Model, ...]
    behaviours: tuple[Behaviour, ...]
    notes: tuple[str, ...]
    words: tuple[str, ...] = ()

    def by(self, factor: str) -> tuple[Test, ...]:
        """Tests of one factor."""
        return tuple(test for test in self.tests if test.factor == factor)

    def record(self) -> dict[str, Any]:
        """For JSON; what could not be computed is None."""
        from vsa.bond.evaluation.evaluate import plain

        return {name: plain(value) for name, value in asdict(self).items()}


def compare(
    table: pd.DataFrame,
    by: Iterable[str] | None = None,
    outcomes: Iterable[str] | None = None,
    *,
    covariates: Iterable[str] | None = None,
    settings: Settings | None = None,
) -> Comparison:
    """Compare scores between groups.

    Parameters
    ----------
    table
        One row a session: scores, groups, and, where they are known, `session_id`, `client_id`, `therapist_id`,
        `instrument`, `rater`, `simulated` and features under their full names.
    by
        Columns to compare by; None for modality, attachment and diagnosis, those that are there. A column of numbers
        with more than six values is no set of groups: the correlation with it is given.
    outcomes
        Columns with scores; None for those of `vsa score` that are there.
    covariates
        Columns that the models allow for; None for age and gender, those that are there.
    settings
        How small a group may be, and the margin of equivalence.

    Raises
    ------
    InputError
        When columns are absent or hold something else, nothing differs, all groups are too small, sessions are there
        twice, or simulated and real ones are mixed.

    Examples
    --------
    >>> from vsa.simulate.cohort import simulate_cohort
    >>> found = compare(simulate_cohort(60, 2, seed=1), by=["attachment"])
    >>> found.tests[0].test, found.tests[0].n, found.tested
    ('Welch t', 60, 1)
    """
    from vsa.bond.comparison.words import words

    settings = _checked(settings or Settings())
    notes: list[str] = []
    sessions = read_sessions(table, notes)
    scores = read_outcomes(sessions, outcomes, notes)
    factors = read_factors(sessions, by, scores, notes)
    beside = _covariates(sessions, covariates, factors, scores, notes)
    found = [
        compare_groups(score.name, factor, units(sessions.who, score.values, factor), settings)
        for score in scores
        for factor in factors
    ]
    if not any(test.tested for test in found):
        raise InputError(
            f"{sessions.source}: nothing can be tested by {', '.join(factor.name for factor in factors)} "
            f"({found[0].reason}).",
            "More clients are needed, or groups that are taken together.",
        )
    told = [replace(one, p_holm=p) for one, p in zip(found, tests.holm([x.p for x in found]), strict=True)]
    same = tests.holm([one.equivalence_p for one in told])
    told = [replace(one, equivalence_holm=p) for one, p in zip(told, same, strict=True)]
    notes += _apart_from_therapists(sessions, factors)
    rounded = any(test.hidden for test in told)
    comparison = Comparison(
        source=sessions.source,
        simulated=sessions.simulated,
        unit=sessions.unit,
        sessions=_about(len(sessions), rounded),
        clients=_about(len(np.unique(sessions.who)), rounded),
        rounded=rounded,
        settings=settings,
        scores=tuple(
            Score(one.name, one.label, one.scale, one.top, one.at_top, one.ceiling) for one in scores
        ),
        factors=tuple(factor.name for factor in factors),
        tests=tuple(told),
        tested=sum(test.tested for test in told),
        models=tuple(
            fit(sessions, score, factors, beside, settings.least)
            for score in scores
            for fit in (over_clients, over_sessions)
        ),
        behaviours=_behaviours(sessions, factors, scores, settings),
        notes=tuple(notes),
    )
    return replace(comparison, words=words(comparison))


def nothing_compared(
    table: pd.DataFrame,
    why: OneGroup,
    outcomes: Iterable[str] | None = None,
    *,
    settings: Settings | None = None,
) -> Comparison:
    """Say what a comparison by what is there comes to where that is one group only: untested, with the reason.

    Neither scores nor means are in it, and the number of people is rounded where there are few.

    Parameters
    ----------
    table, outcomes, settings
        As above.
    why
        What `compare` raised.
    """
    sessions = read_sessions(table, [])
    clients = len(np.unique(sessions.who))
    rounded = clients < TOLD_FROM
    found = Comparison(
        source=sessions.source,
        simulated=sessions.simulated,
        unit=sessions.unit,
        sessions=_about(len(sessions), rounded),
        clients=_about(clients, rounded),
        rounded=rounded,
        settings=_checked(settings or Settings()),
        scores=(),
        factors=tuple(why.said),
        tests=tuple(
            Test(score.name, factor, reason=f"it is {said}")
            for score in read_outcomes(sessions, outcomes, [])
            for factor, said in why.said.items()
        ),
        tested=0,
        models=(),
        behaviours=(),
        notes=(),
    )
    from vsa.bond.comparison.words import SIMULATED

    return replace(found, words=(*[SIMULATED] * found.simulated, f"Nothing is compared. {why}"))


def _checked(settings: Settings) -> Settings:
    if settings.least < TOLD_FROM:
        raise InputError(
            f"Groups of {settings.least} clients are too small to be compared.",
            f"Give --least {TOLD_FROM} or more.",
        )
    if not 0 < settings.margin < 5:
        raise InputError(f"A margin of {settings.margin:g} SD is none.", "Give one above 0, such as 0.3.")
    return settings


def _covariates(
    sessions: Sessions,
    asked: Iterable[str] | None,
    factors: Sequence[Factor],
    scores: Sequence[Outcome],
    notes: list[str],
) -> list[Factor]:
    names = (
        [name for name in COVARIATES if name in sessions.table]
        if asked is None
        else list(dict.fromkeys(asked))
    )
    if absent := [name for name in names if name not in sessions.table]:
        raise InputError(f"{sessions.source} has no column {', '.join(absent)}.", "Correct --covariates.")
    taken = {factor.name for factor in factors} | {score.name for score in scores}
    found = [read_factor(sessions, name, notes) for name in names if name not in taken]
    return [factor for factor in found if factor.values.nunique() > 1]


def _about(n: int, rounded: bool) -> int:
    return 5 * round(n / 5) if rounded else n


def _apart_from_therapists(sessions: Sessions, factors: Sequence[Factor]) -> list[str]:
    """Say by what therapists' clients don't differ: what is the therapists' and what is not can't be told apart."""
    if sessions.therapists is None:
        return []
    notes = []
    for factor in factors:
        rows = pd.DataFrame({"therapist": sessions.therapists, "value": factor.values.to_numpy()}).dropna()
        if not factor.continuous and rows.groupby("therapist")["value"].nunique().max() == 1:
            notes.append(
                f"Every therapist has clients of one group of {factor.name} only: differences between therapists and "
                f"between these groups can't be told apart."
            )
    return notes


def _behaviours(
    sessions: Sessions, factors: Sequence[Factor], scores: Sequence[Outcome], settings: Settings
) -> tuple[Behaviour, ...]:
    taken = {factor.name for factor in factors} | {score.name for score in scores}
    names = [name for name in core_features(sessions.table) if name not in taken]
    return compare_features(sessions, factors, settings, names) if names else ()
