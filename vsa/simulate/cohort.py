"""A simulated cohort at the level of features: sessions of clients of therapists, with a bond that is known.

Nothing here comes from people; see `vsa.simulate.cohort_design` for what is assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsa.errors import InputError
from vsa.features.registry import DYAD, Feature
from vsa.simulate.answers import answers_for
from vsa.simulate.cohort_design import EFFECTS, ROLES, SIZE_OF_CIRCLE, CohortDesign, columns
from vsa.simulate.cohort_people import People, draw_people
from vsa.study.instruments import Instrument, load

__all__ = ["EFFECTS", "SIZE_OF_CIRCLE", "CohortDesign", "SimulatedCohort", "draw", "simulate_cohort"]

Floats = NDArray[np.float64]

#: Median and spread (log scale; logit scale for shares) of features, as seen in calls; others are set from their unit.
_TYPICAL: Mapping[str, tuple[float, float]] = {
    "gaze.on_screen_share": (0.75, 0.7),
    "blink.rate_per_min": (18.0, 0.5),
    "face.smile_share": (0.08, 0.8),
    "face.smile_rate_per_min": (1.2, 0.6),
    "face.expressivity_per_s": (0.1, 0.35),
    "head.movement_deg_per_s": (6.0, 0.4),
    "head.nod_rate_per_min": (1.5, 0.6),
    "head.motion_energy_per_s": (15.0, 0.6),
    "quality.tracked_share": (0.97, 0.7),
    "quality.face_height_px": (160.0, 0.3),
}
#: Share of an identity feature's variance that stays with a person.
_IDENTITY = 0.97
#: Lengthened by a slow platform.
_DELAYED = ("turns.gap_median_s", "turns.latency_median_s", "turns.transfer_offset_median_s")


@dataclass(frozen=True, eq=False)
class SimulatedCohort:
    """What was drawn.

    Attributes
    ----------
    table
        One row per session: ids, covariates, `rater`, `bond` (as the questionnaire has it), `simulated`, and every
        feature of the registry for client, therapist and both.
    truth
        One row per session: `latent_bond` and its parts `latent_therapist`, `latent_client`, `latent_session`, standard
        normal and weighted. Kept apart: nothing may learn from it.
    answers
        Of the clients, session by session, for `vsa score`.
    attachment_answers
        Of the clients to the Relationship Questionnaire, once each.
    """

    table: pd.DataFrame
    truth: pd.DataFrame
    answers: pd.DataFrame
    attachment_answers: pd.DataFrame


def simulate_cohort(
    n_clients: int = 60,
    sessions_per_client: int = 4,
    seed: int = 0,
    *,
    effects: Mapping[str, float] = EFFECTS,
) -> pd.DataFrame:
    """Draw the table of a cohort; `draw` gives the rest, and takes any design.

    Parameters
    ----------
    n_clients, sessions_per_client
        Its size; six clients share a therapist.
    seed
        The same seed gives the same table.
    effects
        Correlation with the bond by full feature name; ``{}`` for a cohort in which nothing predicts the bond.

    Examples
    --------
    >>> table = simulate_cohort(n_clients=12, sessions_per_client=2, seed=3)
    >>> len(table), bool(table["simulated"].all())
    (24, True)
    """
    design = CohortDesign(n_clients, (sessions_per_client, sessions_per_client), effects=effects)
    return draw(design, seed).table


def draw(design: CohortDesign, seed: int = 0) -> SimulatedCohort:
    """Draw a cohort.

    Raises
    ------
    InputError
        When the design can't be drawn, or names no questionnaire of the alliance.
    """
    design.checked()
    key = load(design.instrument)
    if key.measures != "alliance":
        raise InputError(
            f"{key.id} measures {key.measures}: nobody tells the bond by it.",
            "Give one of the alliance, as wai-sr.",
        )
    people = draw_people(design, seed)
    ids = people.sessions[["session_id", "client_id", "therapist_id"]]
    rng = np.random.default_rng([seed, 2])
    rated = rng.random(len(ids)) >= design.unrated
    answers = answers_for(
        ids[rated], people.bond[rated], key, seed=seed, alpha=design.alpha, ceiling=design.ceiling
    )
    told: dict[str, object] = {**people.sessions}
    told["rater"] = key.respondents[0]
    told["bond"] = _scored(answers, key, ids["session_id"])
    told["simulated"] = True
    poor = np.asarray(rng.random((len(ids), len(ROLES))) < design.poor)
    badly = {"client": poor[:, 0], "therapist": poor[:, 1], DYAD: poor[:, 0] | poor[:, 1]}
    for name, entry in columns().items():
        values = _drawn(name, entry, design, people, rng)
        told[name] = _with_gaps(entry, values, badly[name.partition(".")[0]], design, rng)
    table = pd.DataFrame(told)
    table.attrs["source"] = "a simulated cohort"
    return SimulatedCohort(table, people.truth(), answers, people.attachment_answers(seed))


def _scored(answers: pd.DataFrame, key: Instrument, sessions: pd.Series) -> Floats:
    """The bond as the questionnaire has it, for each session; NaN where there is none."""
    from vsa.study.scoring import keyed, scale_items, scale_scores

    prefix = key.id.replace("-", "_")
    given = (
        answers[[f"{prefix}_{item}" for item in key.items]]
        .astype("Float64")
        .to_numpy(np.float64, na_value=np.nan)
    )
    items = scale_items(keyed(given, key), key)[key.bond or next(iter(key.scales))]
    scores = scale_scores(items, key.low, key.high, key.prorate).mean
    return np.asarray(pd.Series(scores, index=answers["session_id"]).reindex(sessions).to_numpy(np.float64))


def _drawn(
    name: str, entry: Feature, design: CohortDesign, people: People, rng: np.random.Generator
) -> Floats:
    """Values of a feature that goes with the bond as the design says."""
    whose = people.therapist if name.startswith("therapist.") else people.client
    habit = _IDENTITY if name in design.identity else design.habit
    own = np.sqrt(habit) * rng.standard_normal(whose.max() + 1)[whose] + np.sqrt(1 - habit) * (
        rng.standard_normal(len(whose))
    )
    shared = (
        design.effects.get(name, 0.0) * people.bond
        + design.within.get(name, 0.0) * people.change
        + design.between.get(name, 0.0) * people.level
    )
    values = _shaped(entry, shared + np.sqrt(design.own_variance(name)) * own)
    if entry.name in _DELAYED:
        values = values + design.platform_delay_s * people.slow
    return np.asarray(values)


def _shaped(entry: Feature, z: Floats) -> Floats:
    """Give standard normal values the feature's scale: within its bounds where it has any."""
    low, high = entry.range
    middle, spread = _TYPICAL.get(entry.name, (0.5, 0.7) if high is not None else (1.0, 0.5))
    if low is None:
        return np.asarray(spread * z if high is None else high - middle * np.exp(spread * z))
    if high is None:
        return np.asarray(low + middle * np.exp(spread * z))
    share = (middle - low) / (high - low) if entry.name in _TYPICAL else middle
    return np.asarray(low + (high - low) / (1 + np.exp(-(np.log(share / (1 - share)) + spread * z))))


def _with_gaps(
    entry: Feature, values: Floats, poor: NDArray[np.bool_], design: CohortDesign, rng: np.random.Generator
) -> Floats:
    """Poor recordings are tracked for a while only, and most of their features are missing."""
    chance, instead = rng.random(len(values)), rng.uniform(0.05, 0.45, len(values))
    if entry.name == "quality.tracked_share":
        return np.where(poor, instead, values)
    if entry.group == "quality":
        return values
    return np.where(chance < np.where(poor, 0.7, design.gaps), np.nan, values)
