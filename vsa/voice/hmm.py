"""Smoothing of states over time: the forward-backward algorithm of a hidden Markov model (Rabiner 1989)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Products of this many steps stay within double precision when no step counts for more than so many nats.
_RESCALE_EVERY, _MOST_AGAINST = 8, 30.0


def transition_matrix(rates_per_s: Floats, step_s: float) -> Floats:
    """Probabilities of going from one state to another within a step.

    Parameters
    ----------
    rates_per_s
        Shape (s, s): how often a second the state in the row gives way to the state in the column; the diagonal is
        not read.
    step_s
        Length of a step.

    Returns
    -------
    Shape (s, s), rows sum to 1.
    """
    from scipy.linalg import expm

    generator = rates_per_s.copy()
    np.fill_diagonal(generator, 0.0)
    np.fill_diagonal(generator, -generator.sum(1))
    return np.asarray(expm(generator * step_s), np.float64)


def posterior(
    log_likelihood: npt.NDArray[np.float32], transition: Floats, initial: Floats
) -> npt.NDArray[np.float32]:
    """Probability of each state at each step, given everything before and after.

    Parameters
    ----------
    log_likelihood
        Shape (m, s): log of how likely what was observed at a step is in a state, up to a constant per step.
    transition
        Shape (s, s), rows sum to 1.
    initial
        Shape (s,): probabilities of the states before the first step.

    Returns
    -------
    float32 (m, s), rows sum to 1.
    """
    relative = log_likelihood - log_likelihood.max(1, keepdims=True, initial=-np.inf)
    likelihood = np.exp(np.maximum(relative, -_MOST_AGAINST))
    forward = np.empty_like(likelihood, np.float64)
    state = np.asarray(initial, np.float64)
    for k, seen in enumerate(likelihood):
        state = (state @ transition) * seen
        if k % _RESCALE_EVERY == 0:
            state /= state.sum()
        forward[k] = state
    state = np.ones_like(state)
    back = np.ascontiguousarray(transition.T)
    for k in range(len(likelihood) - 1, -1, -1):
        forward[k] *= state
        state = (state * likelihood[k]) @ back
        if k % _RESCALE_EVERY == 0:
            state /= state.sum()
    forward /= forward.sum(1, keepdims=True)
    return forward.astype(np.float32)
