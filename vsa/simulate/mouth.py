"""The simulated mouth of a portrait: a jaw that drops by a known amount, and what shows between the lips.

The lower lip and the chin of the photograph move straight down with the jaw; the skin between the corners of the mouth
and the jaw's edge stretches, the neck under the chin is pressed together. What opens is drawn: dark, with the tongue
deep in it, and the upper teeth under the upper lip; where the photograph shows teeth already, those stay. That the
corners of an open mouth come in and down is left to `vsa.simulate.surface`.

Left out: lips that press together or protrude, an upper lip that rises, cheeks that sink, folds of the skin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsa.simulate.surface import Picture, smoothstep

Floats = NDArray[np.float32]

#: How much further than in the photo the lips are apart with `mouth_open` 1: a loud, open vowel; a yawn is three times
#: as wide. With it, speech scores about as much `jawOpen` as real talkers do.
WIDEST_MM = 15.0

# Points of the face mesh by rising x of an unmirrored picture: inner edges of the lips, and the edge of the jaw.
_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
_JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)

_NECK = 2.4  # so many times the widest drop below the chin nothing moves
_TEETH_MM = 3.5  # of the upper front teeth, under a lip that talks
_DARK = np.array((38.0, 14.0, 14.0), np.float32)
_TONGUE = np.array((122.0, 58.0, 56.0), np.float32)
_TOOTH = np.array((196.0, 180.0, 158.0), np.float32)


@dataclass(frozen=True)
class Mouth:
    """What is known of the mouth in the still; pixels are the portrait's canvas.

    `x0, y0` is the upper left corner of the patch that the mouth may change, `still` the photo's patch (h, w, 3).
    Rows of the patch, (w,) each: `upper` and `lower` are the edges of the lips (one row beside the corners), `chin` is
    the edge of the jaw, `rest` the row below which nothing moves. `arch` (w,) is the opening between the corners
    relative to the middle, `swing` (w,) how far the jaw's edge drops relative to the chin. `widest` is the drop with
    the mouth fully open, `teeth` the height of the upper teeth that show then (0: as in the photo), both px.
    """

    x0: int
    y0: int
    still: Picture
    upper: Floats
    lower: Floats
    chin: Floats
    rest: Floats
    arch: Floats
    swing: Floats
    widest: float
    teeth: float


def find_mouth(rgb: Picture, points: NDArray[np.float64], px_per_mm: float) -> Mouth:
    """Measure the mouth of a still.

    Parameters
    ----------
    rgb
        (h, w, 3) portrait.
    points
        (478, 3) px face mesh.
    px_per_mm
        Scale of the picture at the face.
    """
    from scipy.interpolate import PchipInterpolator

    jaw = points[list(_JAW), :2]
    upper_lip, lower_lip = points[list(_UPPER), :2], points[list(_LOWER), :2]
    widest = WIDEST_MM * px_per_mm
    x0, x1 = int(jaw[:, 0].min()), int(jaw[:, 0].max())
    y0 = int(upper_lip[:, 1].min()) - 4
    y1 = min(int(jaw[:, 1].max() + _NECK * widest), rgb.shape[0] - 2)
    x = np.arange(x0, x1)
    corners = lower_lip[[0, -1]]
    across = 2 * (x - corners[:, 0].mean()) / np.ptp(corners[:, 0])
    inside = np.abs(across) < 1
    line = np.interp(x, *corners.T)
    upper = np.where(inside, PchipInterpolator(*upper_lip.T)(np.clip(x, *corners[:, 0])), line)
    lower = np.where(inside, PchipInterpolator(*lower_lip.T)(np.clip(x, *corners[:, 0])), line)
    # where the mesh has the lips touch or cross, there is one line
    lower = np.maximum(lower, upper)
    order = np.argsort(jaw[:, 0])
    chin = np.maximum(np.interp(x, *jaw[order].T), lower + 1)
    side = 2 * np.abs(x - points[152, 0]) / np.ptp(jaw[:, 0])

    def rows(canvas: NDArray[np.float64]) -> Floats:
        return (canvas - y0).astype(np.float32)

    return Mouth(
        x0,
        y0,
        rgb[y0:y1, x0:x1].copy(),
        rows(upper),
        rows(lower),
        rows(chin),
        rows(np.minimum(chin + _NECK * widest, y1 - 1)),
        np.where(inside, np.maximum(1 - across**2, 0) ** 0.75, 0.0).astype(np.float32),
        np.asarray(1 - smoothstep(0.2, 1.0, side), np.float32),
        widest,
        0.0 if (lower - upper).max() > 0.3 * widest else _TEETH_MM * px_per_mm,
    )


def dropped(
    mouth: Mouth, x: NDArray[np.float64], y: NDArray[np.float64], mouth_open: float
) -> NDArray[np.float64]:
    """Where points (n,) of the still, px of the canvas, go down to with the jaw as `draw_mouth` draws it: their y."""
    column = np.clip(np.round(x - mouth.x0).astype(int), 0, len(mouth.lower) - 1)
    lower, chin, rest, arch, swing = (
        row[column] for row in (mouth.lower, mouth.chin, mouth.rest, mouth.arch, mouth.swing)
    )
    row, drop = y - mouth.y0, mouth_open * mouth.widest
    lip, jaw = lower + drop * arch, chin + drop * swing
    face = lip + (row - lower) * (jaw - lip) / np.maximum(chin - lower, 1)
    neck = jaw + (row - chin) * (rest - jaw) / np.maximum(rest - chin, 1)
    moved = np.where(row < chin, face, neck)
    inside = (x >= mouth.x0) & (x < mouth.x0 + len(mouth.lower)) & (row >= lower - 0.5) & (row <= rest)
    return np.asarray(np.where(inside, moved + mouth.y0, y))


def draw_mouth(mouth: Mouth, mouth_open: float) -> Floats:
    """Render the mouth's patch.

    Parameters
    ----------
    mouth_open
        0 is the photo's opening, 1 is `WIDEST_MM` more.

    Returns
    -------
    (h, w, 3) float, 0-255, of the size of `Mouth.still`.
    """
    import cv2

    drop = np.float32(mouth_open * mouth.widest)
    lip = mouth.lower + drop * mouth.arch
    chin = mouth.chin + drop * mouth.swing
    y = np.arange(mouth.still.shape[0], dtype=np.float32)[:, None]
    face = mouth.lower + (y - lip) * ((mouth.chin - mouth.lower) / np.maximum(chin - lip, 1))
    neck = mouth.chin + (y - chin) * ((mouth.rest - mouth.chin) / np.maximum(mouth.rest - chin, 1))
    source = np.where(y < lip, np.minimum(y, mouth.lower), np.where(y < chin, face, neck))
    source = np.where(y > mouth.rest, y, source)
    across = np.broadcast_to(np.arange(source.shape[1], dtype=np.float32), source.shape)
    moved: Any = cv2.remap(
        mouth.still, np.ascontiguousarray(across), source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    columns = np.flatnonzero(mouth.arch)
    part = np.s_[int(mouth.upper.min()) : int(lip.max()) + 3, columns[0] : columns[-1] + 1]
    out = moved.astype(np.float32)
    out[part] = _opened(mouth, out[part], part, lip)
    return np.asarray(out)


def _opened(mouth: Mouth, skin: Floats, part: tuple[slice, slice], lip: Floats) -> Floats:
    """The part of the patch that holds the opening, (h, w, 3): what is seen behind the lips, over the photo's."""
    y = np.arange(part[0].start, part[0].stop, dtype=np.float32)[:, None]
    upper, lower, lip, arch = (row[part[1]] for row in (mouth.upper, mouth.lower, lip, mouth.arch))
    gap = np.maximum(lip - lower, 1e-3)
    deep = (y - lower) / gap  # 0 at the upper edge, 1 at the lower lip
    tongue = 0.8 * smoothstep(0.45, 1.0, deep) * arch * np.minimum(gap / mouth.widest, 1)
    seen = _DARK + (_TONGUE - _DARK) * tongue[..., None]
    if mouth.teeth:
        edge = upper + np.minimum(mouth.teeth, 0.5 * gap) * smoothstep(0.3, 0.8, arch)
        tooth = np.clip((edge - y) / 1.5 + 0.5, 0, 1) * smoothstep(0.25, 0.85, arch)
        shade = 0.55 + 0.45 * smoothstep(0.0, 0.7 * mouth.teeth, y - upper)
        seen = seen + (_TOOTH * shade[..., None] - seen) * tooth[..., None]
    alpha = np.clip(y - lower + 0.5, 0, 1) * np.clip((lip - y) / 1.6 + 0.5, 0, 1) * smoothstep(0.0, 3.0, gap)
    return np.asarray(skin + (seen - skin) * alpha[..., None], np.float32)
