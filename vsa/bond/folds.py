"""Who is held out together: whole clients, whole therapists, and whoever is linked to them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]
Groups = npt.NDArray[np.str_]
Fold = tuple[Rows, Rows]

OUTER = 5
INNER = 4
#: The outer folds are drawn anew this often: one draw of few clients is luck.
REPEATS = 3


def folds(groups: Groups, seed: int, count: int = OUTER) -> list[Fold]:
    """Rows to train and to test on; each group is tested once, whole.

    Parameters
    ----------
    groups
        Whose row it is, shape (n,).
    seed
        The same seed gives the same folds.
    count
        Of folds; with fewer groups, one fold a group.
    """
    from sklearn.model_selection import GroupKFold

    splitter = GroupKFold(min(count, len(np.unique(groups))), shuffle=True, random_state=seed)
    return list(splitter.split(groups, groups=groups))


def circles(one: Groups, other: Groups) -> Groups:
    """Labels of the circles of sessions that are linked by either, shape (n,).

    Where clients change therapist, these therapists can't be told apart by holding out: they share a circle.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, a = np.unique(one, return_inverse=True)
    _, b = np.unique(other, return_inverse=True)
    size = int(a.max()) + int(b.max()) + 2
    links = coo_array((np.ones(len(a)), (a, b + a.max() + 1)), shape=(size, size))
    _, labels = connected_components(links, directed=False)
    return np.asarray(labels[a].astype(str))
