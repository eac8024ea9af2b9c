"""Simulated clients to compare, with the bond as it truly is."""

from __future__ import annotations

from vsa.bond.comparison.columns import read_outcomes, read_sessions
from vsa.bond.comparison.compare import Settings
from vsa.bond.comparison.factors import read_factors
from vsa.bond.comparison.groups import compare_groups, units
from vsa.simulate.cohort import CohortDesign
from vsa.simulate.cohort_people import draw_people


def people(seed=0, **design):
    """Sessions with the bond as it truly is, and no features: quickly drawn."""
    drawn = draw_people(CohortDesign(**{"in_person_share": 0.4, **design}), seed)
    table = drawn.sessions.assign(bond=drawn.bond, simulated=True)
    table.attrs["source"] = "cohort.csv"
    return table


def only_tests(table, by, outcome="bond", **settings):
    """The tests alone, without models."""
    notes = []
    sessions = read_sessions(table, notes)
    scores = read_outcomes(sessions, [outcome], notes)
    return {
        factor.name: compare_groups(
            outcome, factor, units(sessions.who, scores[0].values, factor), Settings(**settings), pairs=False
        )
        for factor in read_factors(sessions, by, scores, notes)
    }
