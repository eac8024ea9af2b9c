"""Which tiles there are now: a scan of a few pictures, and whether it differs from what is in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsa.face import scan, tiles
from vsa.face.detector import Detections
from vsa.face.engine import FaceEngine
from vsa.face.tiles import Tile
from vsa.media.picture import Picture

#: Rectangles that overlap more than this are the same tile.
SAME = 0.85


@dataclass(frozen=True)
class Scan:
    """Tiles that hold somebody or could, and the faces in each of them (in px of the recording)."""

    tiles: list[Tile]
    faces: list[Detections]


def examine(
    engine: FaceEngine, pictures: Sequence[Picture], hints: Sequence[Tile] | None, *, fine: bool
) -> Scan:
    """Find tiles and faces.

    Parameters
    ----------
    pictures
        A few pictures of one layout; faces are looked for in the first.
    hints
        Tiles that the manifest gives: they win over guesses.
    fine
        Look for the smallest faces too.
    """
    first = pictures[0]
    found_tiles = list(hints) if hints else tiles.regions(first)
    boxes = [tile.box for tile in found_tiles]
    if not hints:
        boxes += scan.windows(first.width, first.height, fine=fine)
    faces = scan.look(engine, first, boxes)
    if not hints:
        split: list[Tile] = []
        for region in found_tiles:
            inside = faces.chosen(_inside(faces, region))
            split += tiles.split_by_faces(pictures, region, inside)
        found_tiles = split
    # every face belongs to the smallest tile around it
    owners = [_owner(faces, k, found_tiles) for k in range(len(faces))]
    chosen = [
        faces.chosen(np.array([k for k, o in enumerate(owners) if o == n], np.intp))
        for n in range(len(found_tiles))
    ]
    kept = [
        n
        for n, tile in enumerate(found_tiles)
        if hints
        or len(chosen[n])
        or not any(m != n and _contains(tile, found_tiles[m]) for m in range(len(found_tiles)))
    ]
    return Scan([found_tiles[n] for n in kept], [chosen[n] for n in kept])


def _inside(faces: Detections, tile: Tile) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([k for k, b in enumerate(faces.boxes) if tile.holds(*(b[:2] + b[2:] / 2))], np.intp)


def _owner(faces: Detections, k: int, candidates: Sequence[Tile]) -> int | None:
    centre = faces.boxes[k, :2] + faces.boxes[k, 2:] / 2
    holding = [n for n, tile in enumerate(candidates) if tile.holds(*centre)]
    return min(holding, key=lambda n: candidates[n].w * candidates[n].h, default=None)


def _contains(outer: Tile, inner: Tile) -> bool:
    return outer.w * outer.h > inner.w * inner.h and outer.holds(inner.x + inner.w / 2, inner.y + inner.h / 2)


def matches(one: Tile, others: Sequence[Tile]) -> Tile | None:
    """The tile among the others that is the same rectangle, if any."""
    return max((o for o in others if one.overlap(o) > SAME), key=one.overlap, default=None)
