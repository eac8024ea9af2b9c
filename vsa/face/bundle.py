"""The pretrained bundle: three graphs and the canonical face, read from one zip file."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsa import assets
from vsa.errors import ModelMissingError

NAME = "face_landmarker.task"


@dataclass(frozen=True)
class CanonicalFace:
    """The metric face that ships inside the bundle, in its own frame: x to the subject's left, y up, z to the front.

    Attributes
    ----------
    points
        Shape (468, 3), cm.
    weights
        Shape (468,): how much each point counts when the head's pose is fitted; zero for most.
    """

    points: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]

    @cached_property
    def basis(self) -> FitBasis:
        """The points that count when the head's pose is fitted."""
        index = np.flatnonzero(self.weights)
        weights = self.weights[index]
        centre = weights @ self.points[index] / weights.sum()
        return FitBasis(index, weights, centre, self.points[index] - centre)


@dataclass(frozen=True)
class FitBasis:
    """k points of the canonical face: their index (k,), weights (k,), weighted mean (3,) and place about it (k, 3)."""

    index: npt.NDArray[np.intp]
    weights: npt.NDArray[np.float64]
    centre: npt.NDArray[np.float64]
    centred: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bundle:
    """The three graphs (TFLite flatbuffers) and the canonical face."""

    path: Path
    detector: bytes
    landmarks: bytes
    blendshapes: bytes
    face: CanonicalFace


@lru_cache(maxsize=1)
def load() -> Bundle:
    """Read the bundle from this machine.

    Raises
    ------
    ModelMissingError
        When it is not here or is not the file that was expected.
    """
    path = assets.find(NAME)
    try:
        with zipfile.ZipFile(path) as archive:
            return Bundle(
                path,
                archive.read("face_detector.tflite"),
                archive.read("face_landmarks_detector.tflite"),
                archive.read("face_blendshapes.tflite"),
                _canonical(archive.read("geometry_pipeline_metadata_landmarks.binarypb")),
            )
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelMissingError(
            f"{path.name} is damaged ({error}).", "Run 'vsa models pull' to fetch it again."
        ) from None


def _canonical(buffer: bytes) -> CanonicalFace:
    # GeometryPipelineMetadata: 1 = canonical_mesh, 2 = procrustes_landmark_basis; five floats a vertex (x y z u v)
    points = np.empty((0, 3))
    basis: dict[int, float] = {}
    for number, value in _fields(buffer):
        if number == 1 and isinstance(value, bytes):
            floats = [
                np.frombuffer(part if isinstance(part, bytes) else b"", "<f4")
                for n, part in _fields(value)
                if n == 3
            ]
            points = np.concatenate(floats).reshape(-1, 5)[:, :3].astype(np.float64)
        elif number == 2 and isinstance(value, bytes):
            reference = dict(_fields(value))
            weight = reference[2]
            assert isinstance(weight, bytes)
            basis[int(reference.get(1, 0))] = struct.unpack("<f", weight)[0]
    weights = np.zeros(len(points))
    weights[list(basis)] = list(basis.values())
    return CanonicalFace(points, weights)


def _fields(buffer: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Field numbers and raw values of a protobuf message (wire types 0, 2 and 5)."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = buffer[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(buffer):
        key = varint()
        kind = key & 7
        if kind == 0:
            yield key >> 3, varint()
        else:
            size = varint() if kind == 2 else 4
            yield key >> 3, buffer[at : at + size]
            at += size
