"""What tests need of the pretrained files."""

from __future__ import annotations

import pytest

from vsa.errors import ModelMissingError
from vsa.face import bundle


def need_faces() -> None:
    """Skip, with what to do, where the files of the face nets are not on this machine."""
    try:
        bundle.load()
    except ModelMissingError as error:
        pytest.skip(str(error))
