"""Which sessions of a table a model has learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsa.bond.cohort import feature_values

if TYPE_CHECKING:
    from vsa.bond.model import BondModel

#: Share of the features that lie in the same tenth, from which on a session of the same id is the same session.
#: Others agree in a tenth of them by chance; the same recording, extracted again, in nearly all.
_SAME = 0.5


def learned_from(model: BondModel, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether each session was in the training, (n,): its id is the same, and its features are.

    Ids such as ``s01`` are given in every study; they alone say nothing. Of a session that was withdrawn since, the
    features are gone, and its id is believed.

    Parameters
    ----------
    model
        The model.
    table
        n rows with the model's features.

    Raises
    ------
    InputError
        When a feature's column is absent or holds no numbers.
    """
    known = model.info.trained_on
    if known is None or "session_id" not in table or "session" not in known.ids:
        return np.zeros(len(table), np.bool_)
    codes = model.reference.codes_of(feature_values(table, model.info.features))
    found = []
    for name, own in zip(table["session_id"].astype(str), codes, strict=True):
        rows = known.rows({"session": [name]}) or ()
        found.append(
            any(
                not model.reference.kept[row] or np.mean(model.reference.codes[row] == own) >= _SAME
                for row in rows
            )
        )
    return np.array(found, np.bool_)
