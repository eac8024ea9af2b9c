"""What was measured, kept on disk until it is known whose face it is: memory must not grow with the recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vsa.face.table import STORED
from vsa.face.tracklet import Readings

Floats = npt.NDArray[np.float32]

#: Names of its files, with the numbers of a row in each.
VALUES, POINTS = ("values.f32", len(STORED)), ("landmarks.f32", 478 * 3)


@dataclass
class Spool:
    """Rows in the order in which they were measured, in files of plain float32.

    Parameters
    ----------
    folder
        Where the files go; they are the caller's to remove.
    landmarks
        Keep the landmarks too (5.7 kB a row).
    """

    folder: Path
    landmarks: bool = False
    _frame: list[npt.NDArray[np.int32]] = field(default_factory=list)
    _tracklet: list[npt.NDArray[np.int32]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._values = (self.folder / VALUES[0]).open("wb")
        self._points = (self.folder / POINTS[0]).open("wb") if self.landmarks else None

    def append(self, readings: Readings, values: Floats) -> None:
        """Keep rows `values` (n, len(table.COLUMNS)) of a tracklet, and which were taken over."""
        self._frame.append(readings.frame.astype(np.int32))
        self._tracklet.append(np.full(len(values), readings.tracklet, np.int32))
        marks = np.zeros(len(values)) if readings.interpolated is None else readings.interpolated
        np.column_stack([values, marks]).astype(np.float32).tofile(self._values)
        if self._points is not None:
            np.ascontiguousarray(readings.points, np.float32).tofile(self._points)

    def close(self) -> None:
        """End writing; reading is possible afterwards."""
        self._values.close()
        if self._points is not None:
            self._points.close()

    def index(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Frame and tracklet of every row, shape (n,) each."""
        empty = [np.empty(0, np.int32)]
        return np.concatenate(self._frame or empty), np.concatenate(self._tracklet or empty)

    def values(self, rows: npt.NDArray[np.intp]) -> Floats:
        """Chosen rows, shape (len(rows), len(STORED)), in the order of `vsa.face.table.STORED`."""
        return self._read(*VALUES, rows)

    def points(self, rows: npt.NDArray[np.intp]) -> Floats:
        """Landmarks of chosen rows, shape (len(rows), 478, 3), px."""
        return self._read(*POINTS, rows).reshape(-1, 478, 3)

    def _read(self, name: str, width: int, rows: npt.NDArray[np.intp]) -> Floats:
        if not len(rows):
            return np.empty((0, width), np.float32)
        # opened anew each time, so that pages that were read don't count as this process's memory
        stored = np.memmap(self.folder / name, np.float32, "r").reshape(-1, width)
        return np.array(stored[rows])
