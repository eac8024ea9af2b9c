"""Columns that would make any model look good: who it is, when it was, what file it is, and the answer itself.

Kapoor & Narayanan 2023 (Patterns 4(9), 100804) name these among the reasons why published predictions don't hold.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.errors import InputError

Floats = npt.NDArray[np.float64]

#: Columns of manifests, scores and session files that must predict nothing.
IDS = ("session_id", "client_id", "therapist_id", "participant_id", "name", "row", "index")
DATES = ("date", "time", "datetime", "timestamp", "year", "month", "day")
FILES = (
    "video",
    "audio",
    "file",
    "filename",
    "path",
    "sha256",
    "codec",
    "fps",
    "width",
    "height",
    "size",
    "bitrate",
)
#: What `vsa score` writes beside the bond, and its like.
ANSWERS = ("bond", "goal", "task", "alliance", "total", "wai", "srs", "haq", "arm", "star", "sai", "softa")
#: Correlation with the bond that no honest signal has: the most that published signals reach is about .5.
COPY = 0.95
#: Share of variance between people from which a feature tells them apart.
_TELLS = 0.9
#: Categories of a text column that are as many as people are ids.
_NAMES = 0.5


def check_covariates(covariates: pd.DataFrame, y: Floats, clients: npt.NDArray[np.str_], source: str) -> None:
    """Refuse covariates that leak.

    Raises
    ------
    InputError
        When one is an id, a date, a property of the file, or made of the bond.
    """
    people = len(np.unique(clients))
    for name in map(str, covariates):
        why = _named(name)
        if not why and covariates[name].dtype == object:
            kinds = covariates[name].nunique()
            if kinds > max(20, _NAMES * people):
                why = f"it has {kinds} values for {people} clients: it names people"
        if not why and covariates[name].dtype != object and _alike(covariates[name].to_numpy(np.float64), y):
            why = "it is the bond in another form"
        if why:
            raise InputError(
                f"{source}, column {name} can't be a covariate: {why}.", "Give others with --covariates."
            )


def _named(name: str) -> str:
    plain = name.lower().split(":")[0]
    if plain in IDS or plain.endswith("_id"):
        return "it says who it is"
    if plain in DATES:
        return "a date tells sessions apart, and holds in no other cohort (session_number can be one)"
    if plain in FILES:
        return "it is a property of the file"
    if any(plain == one or plain.startswith(f"{one}_") for one in ANSWERS):
        return "it comes from the same questionnaire as the bond"
    return ""


def check_features(features: pd.DataFrame, y: Floats, source: str) -> None:
    """Refuse features that are the bond in another form.

    Raises
    ------
    InputError
        When one is.
    """
    found = [str(name) for name in features if _alike(features[name].to_numpy(np.float64), y)]
    if found:
        raise InputError(
            f"{source}, column {', '.join(found[:3])}: all but equal to the bond (correlation {COPY} or more).",
            "It was made from it, or is it. Remove the column, or leave it out with --leave-out.",
        )


def warnings(
    features: pd.DataFrame, clients: npt.NDArray[np.str_], therapists: npt.NDArray[np.str_] | None
) -> tuple[str, ...]:
    """Features that tell people apart: harmless where folds follow people, and useless for others."""
    notes = []
    by_therapist = _between(features, therapists) if therapists is not None else pd.Series(dtype=float)
    tells = [name for name, share in by_therapist.items() if share >= _TELLS]
    if tells:
        notes.append(
            f"{_some(tells)} tell{'s' * (len(tells) == 1)} therapists apart ({_TELLS:.0%} or more of the variance lies "
            "between them): a model can learn who the therapist is. Look at the result for new therapists."
        )
    by_client = _between(features, clients)
    tells = [name for name, share in by_client.items() if share >= _TELLS and name not in tells]
    if tells:
        notes.append(
            f"{_some(tells)} tell{'s' * (len(tells) == 1)} clients apart ({_TELLS:.0%} or more of the variance lies "
            "between them): folds that split a client's sessions would reward recognising the client."
        )
    return tuple(notes)


def _alike(x: Floats, y: Floats) -> bool:
    known = np.isfinite(x)
    if known.sum() < 10 or np.ptp(x[known]) == 0 or np.ptp(y[known]) == 0:
        return False
    from scipy.stats import rankdata

    pearson = np.corrcoef(x[known], y[known])[0, 1]
    ranks = np.corrcoef(rankdata(x[known]), rankdata(y[known]))[0, 1]
    return bool(max(abs(pearson), abs(ranks)) >= COPY)


def _between(features: pd.DataFrame, groups: npt.NDArray[np.str_]) -> pd.Series:
    """Share of each feature's variance between groups of several sessions, corrected for their size (ICC(1))."""
    names, which, count = np.unique(groups, return_inverse=True, return_counts=True)
    if len(names) < 3 or (count > 1).mean() < 0.5:
        return pd.Series(dtype=float)
    shares = {}
    for name in features:
        x = features[name].to_numpy(np.float64)
        known = np.isfinite(x)
        of = which[known]
        n = np.bincount(of, minlength=len(names)).astype(float)
        used = n > 0
        if known.sum() <= used.sum() or used.sum() < 3:
            continue
        mean = np.bincount(of, x[known], minlength=len(names)) / np.maximum(n, 1)
        inside = ((x[known] - mean[of]) ** 2).sum() / (known.sum() - used.sum())
        between = (n * (mean - x[known].mean()) ** 2).sum() / (used.sum() - 1)
        size = (n.sum() - (n**2).sum() / n.sum()) / (used.sum() - 1)
        variance = max(0.0, (between - inside) / size)
        if variance + inside > 0:
            shares[str(name)] = variance / (variance + inside)
    return pd.Series(shares, dtype=float)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
