"""What tests need of the pretrained files."""

from __future__ import annotations

import pytest

from vsa import assets
from vsa.errors import ModelMissingError
from vsa.face import bundle
from vsa.voice import activity


def need_faces() -> None:
    """Skip, with what to do, where the files of the face nets are not on this machine."""
    try:
        bundle.load()
    except ModelMissingError as error:
        pytest.skip(str(error))


def need_voices() -> None:
    """The same for the speech detector's file."""
    try:
        assets.find(activity.MODEL)
    except ModelMissingError as error:
        pytest.skip(str(error))
