"""A small simulated cohort at the level of features: sessions of clients of therapists, with a bond that is known.

Nothing here comes from people. Sizes of effects lie where studies find them (|r| about .1 to .25 with the bond;
Jennissen et al. 2024 and Gregorini et al. 2025 on synchrony and alliance, Vail et al. 2021 on head gestures, the
facial study PsyArXiv b2a87 on smiles). Which features carry one, and their signs, are made up: studies conflict, and a
model that finds them again shows that it can find effects of this size, not that people have them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vsa.features.registry import DYAD, Feature, features

#: Correlation of a feature with the bond between all sessions; what is not named has none.
EFFECTS: Mapping[str, float] = {
    "therapist.face.smile_share": 0.2,
    "therapist.head.nod_rate_per_min": 0.2,
    "client.face.expressivity_per_s": 0.15,
    "client.gaze.on_screen_share": 0.1,
    "client.head.nod_rate_per_min": 0.1,
    "dyad.face.shared_smile_share": 0.15,
}
ROLES = ("client", "therapist")
SIZE_OF_CIRCLE = 6
"""Clients of one therapist."""

#: Shares of the bond's variance: between therapists, between their clients; the rest is between sessions.
_THERAPIST, _CLIENT = 0.05, 0.5
#: Share of a feature's own variance that stays with a person.
_HABIT = 0.5
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
#: Share of sessions of poor recording, and of single features missing elsewhere.
_POOR, _GAPS = 0.05, 0.03


def simulate_cohort(
    n_clients: int = 60,
    sessions_per_client: int = 4,
    seed: int = 0,
    *,
    effects: Mapping[str, float] = EFFECTS,
) -> pd.DataFrame:
    """Draw a cohort.

    Parameters
    ----------
    n_clients, sessions_per_client
        Its size; six clients share a therapist.
    seed
        The same seed gives the same table.
    effects
        Correlation with the bond by full feature name; ``{}`` for a cohort in which nothing predicts the bond.

    Returns
    -------
    One row per session: `session_id`, `client_id`, `therapist_id`, `session_number`, `bond` (1-5, in quarter points as
    four items give), `simulated` (always true), and every feature of the registry for client, therapist and both.

    Examples
    --------
    >>> table = simulate_cohort(n_clients=12, sessions_per_client=2, seed=3)
    >>> len(table), bool(table["simulated"].all())
    (24, True)
    """
    rng = np.random.default_rng(seed)
    client = np.repeat(np.arange(n_clients), sessions_per_client)
    therapist = client // SIZE_OF_CIRCLE
    n = len(client)
    bond = (
        np.sqrt(_THERAPIST) * rng.standard_normal(n_clients)[therapist]
        + np.sqrt(_CLIENT) * rng.standard_normal(n_clients)[client]
        + np.sqrt(1 - _THERAPIST - _CLIENT) * rng.standard_normal(n)
    )
    columns: dict[str, object] = {
        "session_id": [f"sim-c{c + 1:03d}-s{k % sessions_per_client + 1}" for k, c in enumerate(client)],
        "client_id": [f"sim-c{c + 1:03d}" for c in client],
        "therapist_id": [f"sim-t{t + 1:02d}" for t in therapist],
        "session_number": np.arange(n) % sessions_per_client + 1,
        "bond": np.clip(np.round(4 * (4.0 + 0.7 * bond)) / 4, 1, 5),
        "simulated": True,
    }
    poor = np.asarray(rng.random((n, len(ROLES))) < _POOR)
    whose = {
        "client": (client, poor[:, 0]),
        "therapist": (therapist, poor[:, 1]),
        DYAD: (client, poor[:, 0] | poor[:, 1]),
    }
    for scope, (person, badly) in whose.items():
        for entry in features():
            if (entry.scope == DYAD) != (scope == DYAD):
                continue
            r = effects.get(f"{scope}.{entry.name}", 0.0)
            own = np.sqrt(_HABIT) * rng.standard_normal(n_clients)[person] + np.sqrt(1 - _HABIT) * (
                rng.standard_normal(n)
            )
            values = _shaped(entry, r * bond + np.sqrt(1 - r**2) * own)
            columns[f"{scope}.{entry.name}"] = _with_gaps(entry, values, badly, rng)
    table = pd.DataFrame(columns)
    table.attrs["source"] = "a simulated cohort"
    return table


def _shaped(entry: Feature, z: np.ndarray) -> np.ndarray:
    """Give standard normal values the feature's scale: within its bounds where it has any."""
    low, high = entry.range
    middle, spread = _TYPICAL.get(entry.name, (0.5, 0.7) if high is not None else (1.0, 0.5))
    if low is None:
        return np.asarray(spread * z if high is None else high - middle * np.exp(spread * z))
    if high is None:
        return np.asarray(low + middle * np.exp(spread * z))
    share = (middle - low) / (high - low) if entry.name in _TYPICAL else middle
    return np.asarray(low + (high - low) / (1 + np.exp(-(np.log(share / (1 - share)) + spread * z))))


def _with_gaps(entry: Feature, values: np.ndarray, poor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Poor recordings are tracked for a while only, and most of their features are missing."""
    chance, instead = rng.random(len(values)), rng.uniform(0.05, 0.45, len(values))
    if entry.name == "quality.tracked_share":
        return np.where(poor, instead, values)
    if entry.group == "quality":
        return values
    return np.where(chance < np.where(poor, 0.7, _GAPS), np.nan, values)
