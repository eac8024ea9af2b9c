"""A recording with what was measured drawn over it, to check with one's own eyes.

Each participant has a colour: the tile with its state and whether the person speaks, the box of the face, the landmarks
if they were kept, an arrow from the eyes to where they point, and three axes for the head (red to the subject's left,
green up, blue ahead). A person who looks into the camera has an arrow of no length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vsa.media.encoder import Encoder
from vsa.media.picture import Picture
from vsa.media.recording import Recording
from vsa.report.drawing import COLOURS, QUIET, Colour, Pen, Row, draw_face, figures
from vsa.study.addresses import Place
from vsa.study.landmark_file import SAME_S, LandmarkFile

if TYPE_CHECKING:
    import pandas as pd

    from vsa.face.tracker import LayoutSpan

Tile = tuple[int, int, int, int]


class OverlayWriter:
    """Draws and writes pictures, one after the other, with their own times.

    Parameters
    ----------
    path
        The MP4 file; complete after `close`, or absent.
    width, height, fps
        Of the recording.

    Raises
    ------
    SessionError
        Here, in `add` and in `close`: when the file can't be written.
    """

    def __init__(self, path: Path, width: int, height: int, fps: float) -> None:
        self._encoder = Encoder(path, width, height, fps)
        self._colours: dict[str, Colour] = {}
        self._homes: dict[str, Tile] = {}

    def __enter__(self) -> OverlayWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._encoder.__exit__(kind, value, trace)

    def add(
        self,
        picture: Picture,
        rows: Iterable[Row],
        landmarks: Mapping[str, npt.NDArray[np.float32]] | None = None,
        tiles: Sequence[Tile] = (),
    ) -> None:
        """Draw over a picture and append it.

        Parameters
        ----------
        picture
            As decoded.
        rows
            Of ``face.parquet`` at its time, one a participant; `speaks`, if it is there, is said.
        landmarks
            Participant -> (478, 3) px.
        tiles
            x, y, w, h of the cameras in use, px.
        """
        pen = Pen(np.ascontiguousarray(picture.rgb()))
        for tile in tiles:
            pen.rectangle(tile, QUIET)
        for row in rows:
            self._participant(pen, row, (landmarks or {}).get(row["participant"]), tiles)
        pen.text(f"t {picture.t:.3f} s", (8, picture.height - 10), (255, 255, 255))
        self._encoder.add(pen.rgb, picture.t)

    def close(self) -> None:
        """Finish the file and put it in place."""
        self._encoder.close()

    def _participant(
        self, pen: Pen, row: Row, points: npt.NDArray[np.float32] | None, tiles: Sequence[Tile]
    ) -> None:
        name = str(row["participant"])
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        if row["tracked"]:
            box = tuple(float(row[f"box_{k}"]) for k in "xywh")
            home = _around(tiles, box[0] + box[2] / 2, box[1] + box[3] / 2)
            self._homes[name] = home or self._homes.get(name, (0, 0, *pen.rgb.shape[1::-1]))
        elif self._homes.get(name) not in tiles:
            return  # the camera is off, or its tile has gone
        tile = self._homes[name]
        pen.rectangle(tile, colour)
        state = "tracked" if row["tracked"] else "not tracked"
        speaks = ", speaks" if row.get("speaks") else ""
        pen.text(f"{name} {state}{speaks}", (tile[0] + 8, tile[1] + pen.line), colour)
        if row["tracked"]:
            pen.text(figures(row), (tile[0] + 8, tile[1] + 2 * pen.line), colour)
            draw_face(pen, row, points, colour)


def render_overlay(
    recording_path: Place,
    face: pd.DataFrame,
    out: Path,
    *,
    fps: float | None = None,
    landmarks: Path | None = None,
    spans: Sequence[LayoutSpan] = (),
    session_time: Callable[[float], float] = float,
) -> None:
    """Decode a recording again and write it with its measurements drawn over it.

    Parameters
    ----------
    recording_path
        The recording.
    face
        Its ``face.parquet``: only rows of the recording's own participants; with `speaks`, whether they speak then.
    out
        The MP4 file.
    fps
        As in the analysis: pictures a second, None for all.
    landmarks
        ``landmarks.npz``, if it was kept.
    spans
        The layouts, in order of the recording's time.
    session_time
        From the recording's time to that of the tables.

    Raises
    ------
    SessionError
        When the recording can't be read or the file can't be written.
    """
    face = face.sort_values("t", kind="stable")
    t = face["t"].to_numpy()
    marks = LandmarkFile(landmarks) if landmarks is not None else None
    with Recording(recording_path) as recording:
        info = recording.info
        rate = fps or min(info.fps, 30.0)
        with OverlayWriter(out, info.width, info.height, rate) as writer:
            for picture in recording.pictures(fps):
                at = session_time(picture.t)
                low, high = np.searchsorted(t, (at - SAME_S, at + SAME_S))
                rows = face.iloc[low:high].to_dict("records")
                in_use = [span.tiles for span in spans if span.t <= picture.t + SAME_S][-1:]
                tiles = [tile.box for tile in in_use[0]] if in_use else []
                writer.add(picture, rows, marks.at(at) if marks else None, tiles)


def _around(tiles: Sequence[Tile], x: float, y: float) -> Tile | None:
    """The smallest tile around a point."""
    inside = [t for t in tiles if t[0] <= x < t[0] + t[2] and t[1] <= y < t[1] + t[3]]
    return min(inside, key=lambda t: t[2] * t[3], default=None)
