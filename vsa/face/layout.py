"""Which tiles there are now: a scan of a few pictures, and whether it differs from what is in use."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vsa.face import scan, tiles
from vsa.face.detector import Detections
from vsa.face.engine import FaceEngine
from vsa.face.tiles import Tile
from vsa.media.picture import Box, Picture

#: Tiles of larger pictures are looked for in every second (third, ...) pixel: px.
_LARGE = 2000
#: Rectangles that overlap more than this are the same tile.
SAME = 0.85


@dataclass(frozen=True)
class Scan:
    """Tiles that hold somebody or could, and the faces in each of them (in px of the recording)."""

    tiles: list[Tile]
    faces: list[Detections]


def examine(
    engine: FaceEngine,
    pictures: Sequence[Picture],
    hints: Sequence[Tile] | None,
    pool: Executor | None = None,
    *,
    fine: bool,
) -> Scan:
    """Find tiles and faces.

    Parameters
    ----------
    pictures
        A few pictures of one layout; faces are looked for in the first.
    hints
        Tiles that the manifest gives: they win over guesses.
    pool
        Helps; its workers must not wait for this.
    fine
        Look for the smallest faces too.
    """
    first = pictures[0]
    step = 1 + max(first.width, first.height) // _LARGE
    coarse = [picture.coarse(step) for picture in pictures] if step > 1 else pictures
    found_tiles = list(hints) if hints else [_scaled(tile, step) for tile in tiles.regions(coarse[0])]
    faces = _faces(engine, first, found_tiles, pool, fine=fine)
    if not hints:
        split: list[Tile] = []
        for region in found_tiles:
            inside = faces.chosen(_inside(faces, region))
            if region.how == "borders" and len(inside) <= 1:
                split.append(region)
            else:
                found = tiles.split_by_faces(coarse, _scaled(region, 1 / step), inside.moved(step, 0, 0))
                split += [_scaled(tile, step) for tile in found[:-1]] + [region]
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
        or not any(m != n and contains(tile, found_tiles[m]) for m in range(len(found_tiles)))
    ]
    return Scan([found_tiles[n] for n in kept], [chosen[n] for n in kept])


def _faces(
    engine: FaceEngine, picture: Picture, regions: Sequence[Tile], pool: Executor | None, *, fine: bool
) -> Detections:
    """Faces in regions: each as a whole first, and on a pyramid of crops where that shows nobody, or all of them.

    A region that is not framed by the platform may hold small tiles of its own, so that one face in it proves nothing.
    """
    faces = scan.look(engine, picture, [region.box for region in regions], pool)
    closer: list[Box] = []
    for region in regions:
        if fine or region.how == "whole" or not len(_inside(faces, region)):
            x, y, w, h = region.box
            closer += [(x + a, y + b, c, d) for a, b, c, d in scan.windows(w, h, fine=fine)]
    if not closer:
        return faces
    return scan.look(engine, picture, [*(region.box for region in regions), *closer], pool)


def _scaled(tile: Tile, factor: float) -> Tile:
    x, y, w, h = (round(side * factor) for side in tile.box)
    return replace(tile, x=x, y=y, w=w, h=h)


def _inside(faces: Detections, tile: Tile) -> npt.NDArray[np.intp]:
    return np.array([k for k, b in enumerate(faces.boxes) if tile.holds(*(b[:2] + b[2:] / 2))], np.intp)


def _owner(faces: Detections, k: int, candidates: Sequence[Tile]) -> int | None:
    centre = faces.boxes[k, :2] + faces.boxes[k, 2:] / 2
    holding = [n for n, tile in enumerate(candidates) if tile.holds(*centre)]
    return min(holding, key=lambda n: candidates[n].w * candidates[n].h, default=None)


def contains(outer: Tile, inner: Tile) -> bool:
    """Whether the middle of a smaller tile lies in another."""
    return outer.w * outer.h > inner.w * inner.h and outer.holds(inner.x + inner.w / 2, inner.y + inner.h / 2)


def matches(one: Tile, others: Sequence[Tile]) -> Tile | None:
    """The tile among the others that is the same rectangle, if any."""
    return max((o for o in others if one.overlap(o) > SAME), key=one.overlap, default=None)
