"""What a comparison of groups finds: groups, pairs, tests."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

from vsa.bond.comparison.columns import TOLD_FROM


@dataclass(frozen=True)
class Settings:
    """How groups are compared.

    Attributes
    ----------
    least
        Clients that a group must have to be tested; `TOLD_FROM` or more.
    margin
        Of the equivalence tests, in units of Hedges' g. Of the two pooled differences between patients' ratings over
        video and in person (-.09, Seuling et al. 2023; -.30, Norwood et al. 2018), .3 is the larger.
    """

    least: int = TOLD_FROM
    margin: float = 0.3


@dataclass(frozen=True)
class Group:
    """People of one kind.

    Attributes
    ----------
    level
        Which.
    clients, sessions
        How many have the score; None where fewer than `TOLD_FROM` clients do, who could be recognised.
    mean, low, high
        Of the clients' means, with its 95 % interval; NaN where the group is not tested.
    sd
        Of the clients' means.
    tested
        Whether there are enough clients.
    """

    level: str
    clients: int | None
    sessions: int | None
    mean: float
    low: float
    high: float
    sd: float
    tested: bool


@dataclass(frozen=True)
class Pair:
    """Two of several groups: Hedges' g of the second minus the first with its 95 % interval; p by Games & Howell."""

    first: str
    second: str
    difference: float
    g: float
    g_low: float
    g_high: float
    p: float


@dataclass(frozen=True)
class Test:
    """A score by one factor. What does not apply, or could not be computed, is NaN; `reason` says why.

    Attributes
    ----------
    outcome, factor
        Columns.
    test
        ``Welch t`` (two groups), ``Welch F`` (more), ``Pearson r`` (a number, no groups); empty if there is none.
    groups
        All groups, also those that are too small to be tested.
    reference, group
        The two that are compared; differences are group minus reference, which has most clients.
    n
        Clients in the test.
    repeated
        Clients who are in several groups.
    statistic, df1, df2, p
        Of the test; df1 of an F only.
    p_holm
        The same p adjusted for the number of tests in the call.
    difference, low, high
        Between the means of two groups, points, with its 95 % interval.
    g, g_low, g_high, g_pooled, equivalence_p
        See `vsa.bond.comparison.tests.TwoGroups`.
    equivalence_holm
        Adjusted for the number of equivalence tests.
    eta2, omega2, share_low, share_high, anova_f, anova_df1, anova_df2, anova_p
        See `vsa.bond.comparison.tests.Explained`.
    r, r_low, r_high
        Pearson's, with its 95 % interval.
    rank_test, rank_p
        The same question asked of ranks.
    pairs
        Of three groups or more.
    reason
        Why there is no test.
    """

    __test__ = False  # pytest takes the name for its own

    outcome: str
    factor: str
    test: str = ""
    groups: tuple[Group, ...] = ()
    reference: str = ""
    group: str = ""
    n: int | None = None
    repeated: int = 0
    statistic: float = nan
    df1: float = nan
    df2: float = nan
    p: float = nan
    p_holm: float = nan
    difference: float = nan
    low: float = nan
    high: float = nan
    g: float = nan
    g_low: float = nan
    g_high: float = nan
    g_pooled: float = nan
    equivalence_p: float = nan
    equivalence_holm: float = nan
    eta2: float = nan
    omega2: float = nan
    share_low: float = nan
    share_high: float = nan
    anova_f: float = nan
    anova_df1: float = nan
    anova_df2: float = nan
    anova_p: float = nan
    r: float = nan
    r_low: float = nan
    r_high: float = nan
    rank_test: str = ""
    rank_p: float = nan
    pairs: tuple[Pair, ...] = ()
    reason: str = ""

    @property
    def tested(self) -> bool:
        """Whether there is a test."""
        return bool(self.test)

    @property
    def hidden(self) -> bool:
        """Whether the number of some group is not told."""
        return any(group.clients is None for group in self.groups)
