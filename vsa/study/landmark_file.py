"""Reading ``landmarks.npz``."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

#: Times closer than this are the same picture's, s.
SAME_S = 1e-4


class LandmarkFile:
    """``landmarks.npz``, read where needed: an hour of landmarks is larger than memory should be."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as stored:
            t, who = stored["t"], stored["participant"]
        self._order = np.argsort(t, kind="stable")
        self._t, self._who = t[self._order], who[self._order]
        self._xyz = _mapped(path, "xyz.npy")

    def at(self, t: float) -> dict[str, npt.NDArray[np.float32]]:
        """Participant -> (478, 3) at a time."""
        low, high = np.searchsorted(self._t, (t - SAME_S, t + SAME_S))
        return {str(self._who[k]): np.array(self._xyz[self._order[k]]) for k in range(low, high)}


def _mapped(path: Path, member: str) -> npt.NDArray[np.float32]:
    """An array inside an uncompressed npz file, without reading it."""
    with zipfile.ZipFile(path) as archive, archive.open(member) as file:
        info = archive.getinfo(member)
        if info.compress_type != zipfile.ZIP_STORED:
            return np.asarray(np.lib.format.read_array(file), np.float32)
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read(file)
        header = file.tell()
    with path.open("rb") as raw:  # the local header repeats name and extra field, whose lengths may differ
        raw.seek(info.header_offset + 26)
        name, extra = np.frombuffer(raw.read(4), "<u2")
    start = info.header_offset + 30 + int(name) + int(extra) + header
    if not shape[0]:
        return np.empty(shape, np.float32)
    return np.memmap(path, dtype, "r", start, shape)
