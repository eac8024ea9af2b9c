"""Where the files that ship with vsa are: in a wheel inside the package, in a checkout at its root."""

from __future__ import annotations

from pathlib import Path

from vsa.errors import VsaError

_PACKAGE = Path(__file__).resolve().parent


def data_file(relative: str) -> Path:
    """Find a file or folder that ships with vsa.

    Parameters
    ----------
    relative
        Its path from the root of the project, with forward slashes: ``models/assets.toml``.

    Returns
    -------
    Path
        An existing path: under ``vsa/_data`` in an installed wheel, at the root in a source checkout.

    Raises
    ------
    VsaError
        When it is in neither place: the installation is broken.

    Examples
    --------
    >>> data_file("models/assets.toml").name
    'assets.toml'
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        path = root / relative
        if path.exists():
            return path
    raise VsaError(
        f"{relative}, which ships with vsa, is missing from this installation (looked beside {_PACKAGE}).",
        "Install vsa again.",
    )
