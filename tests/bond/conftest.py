from __future__ import annotations

import pytest

from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.training import train
from vsa.simulate.cohort import EFFECTS, simulate_cohort


@pytest.fixture(scope="session")
def strong_cohort():
    """A cohort whose effects are larger than people's, so that the machinery can be seen to work."""
    return simulate_cohort(90, 4, seed=1, effects={name: 2 * r for name, r in EFFECTS.items()})


@pytest.fixture(scope="session")
def strong_trained(strong_cohort):
    return train(strong_cohort, settings=Settings(seed=3, permutations=0))


@pytest.fixture(scope="session")
def strong_model(strong_trained):
    return strong_trained.model
