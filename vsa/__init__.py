"""vsa: a video-session alliance signal analyzer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

    from vsa.notebook.results import OpenResults

__version__ = "0.1.0"


def open_results(folder: str | PathLike[str]) -> OpenResults:
    """Open what ``vsa extract`` wrote, as pandas frames that say their units.

    Parameters
    ----------
    folder
        The results folder: what was given as ``--out``.

    Returns
    -------
    OpenResults
        The sessions by id, their features as one table, and what failed. Nothing but ``session.json`` and the
        manifest is read before it is asked for. Sessions without consent to anything are left out, with a warning.

    Raises
    ------
    InputError
        When it is no results folder, or its manifest can't be read.

    Examples
    --------
    >>> study = open_results("study")  # doctest: +SKIP
    >>> study["s01"].draw()  # doctest: +SKIP
    """
    from vsa.notebook.results import OpenResults  # pandas takes half a second, and `vsa --help` must not

    return OpenResults(folder)
