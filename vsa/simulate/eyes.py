"""One simulated eye in a portrait: white, iris and lids, drawn for a known rotation and opening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsa.simulate.surface import Picture, smoothstep

#: Mean human limbus (visible iris) diameter and eyeball radius, mm.
IRIS_DIAMETER_MM = 11.7
EYEBALL_RADIUS_MM = 12.0
#: The limbus is a circle on the ball, so its centre lies this far in front of the ball's centre: 10.48 mm.
LIMBUS_DEPTH_MM = float(np.sqrt(EYEBALL_RADIUS_MM**2 - (IRIS_DIAMETER_MM / 2) ** 2))

#: How far the edges of the lids move for each unit that the iris moves up or down: the upper lid keeps its place on
#: the iris (Becker & Fuchs 1988), the lower goes a quarter as far (Leite et al. 2010).
UPPER_LID_FOLLOWS, LOWER_LID_FOLLOWS = 1.0, 0.25

# Points of the face mesh, outer to inner or inner to outer corner, by rising x of an unmirrored picture.
_UPPER = {
    "right": (33, 246, 161, 160, 159, 158, 157, 173, 133),
    "left": (362, 398, 384, 385, 386, 387, 388, 466, 263),
}
_LOWER = {
    "right": (33, 7, 163, 144, 145, 153, 154, 155, 133),
    "left": (362, 382, 381, 380, 374, 373, 390, 249, 263),
}
_IRIS = {"right": 468, "left": 473}


@dataclass(frozen=True)
class Eye:
    """What is known of one eye in the still; pixels are the portrait's canvas.

    `x0, y0` is the upper left corner of the patch that the eye may change; `upper` and `lower` (w,) are the
    lid edges in patch rows, NaN beside the corners; `white` (h, w, 3) and `profile` (64, 3) hold the colours
    of the eyeball and of the iris from its centre to its edge; `skin` is the patch of the photo. `centre` and
    `radius` are the iris', looking into the camera, px of the patch.
    """

    x0: int
    y0: int
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    centre: tuple[float, float]
    radius: float
    white: NDArray[np.float32]
    profile: NDArray[np.float32]
    skin: NDArray[np.float32]
    lid_skin: float

    @property
    def px_per_mm(self) -> float:
        """Scale of the picture at the eye, from the mean human iris."""
        return 2 * self.radius / IRIS_DIAMETER_MM


def find_eye(
    rgb: Picture, points: NDArray[np.float64], side: str, radius: float, iris_dx: float, lid_skin: float
) -> Eye:
    """Measure one eye of a still.

    Parameters
    ----------
    rgb
        (h, w, 3) portrait.
    points
        (478, 3) px face mesh.
    side
        ``right`` or ``left``, the subject's.
    radius
        Of the iris, px.
    iris_dx
        How far right of the mesh's point the photo's iris stands, px.
    lid_skin
        How far above the lid its skin is free of brow or glasses, as a share of the opening's height.
    """
    from scipy.interpolate import PchipInterpolator

    up, low = points[list(_UPPER[side]), :2], points[list(_LOWER[side]), :2]
    height = float((low[:, 1] - up[:, 1]).max())
    width = float(np.ptp(up[:, 0]))
    x0, x1 = int(up[:, 0].min() - 0.15 * width), int(up[:, 0].max() + 0.15 * width)
    y0, y1 = int(up[:, 1].min() - 1.6 * height), int(low[:, 1].max() + 1.4 * height)
    xs = np.arange(x0, x1)
    upper = PchipInterpolator(*_rising(up), extrapolate=False)(xs) - y0
    lower = PchipInterpolator(*_rising(low), extrapolate=False)(xs) - y0
    centre = (float(points[_IRIS[side], 0]) + iris_dx - x0, float(points[_IRIS[side], 1]) - y0)
    skin = rgb[y0:y1, x0:x1].astype(np.float32)
    white, profile = _colours(skin, upper, lower, centre, radius)
    return Eye(x0, y0, upper, lower, centre, radius, white, profile, skin, lid_skin)


def _rising(curve: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = np.maximum.accumulate(curve[:, 0] + 1e-3 * np.arange(len(curve)))
    return x + 1e-6 * np.arange(len(x)), curve[:, 1]


def _colours(
    skin: NDArray[np.float32],
    upper: NDArray[np.float64],
    lower: NDArray[np.float64],
    centre: tuple[float, float],
    radius: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Colours of the white over the patch, and of the iris along its radius."""
    y, x = np.mgrid[: skin.shape[0], : skin.shape[1]]
    inside = opening(y, upper, lower) > 0.99
    rho = np.hypot(x - centre[0], y - centre[1]) / radius
    luma = skin.mean(axis=2)

    # The outermost part of the photo's iris is blurred with the white: its inner 85% fill the drawn disc.
    profile = np.empty((64, 3), np.float32)
    for k in range(64):
        ring = inside & (np.abs(rho - 0.85 * k / 63) < 0.09)
        seen = skin[ring][luma[ring] <= np.percentile(luma[ring], 65)]  # leaves out the catch light
        profile[k] = np.median(seen, axis=0)
    out = np.linspace(0, 1, 64)
    limbus, pupil = 0.3 * smoothstep(0.75, 1.0, out), 0.65 * (1 - smoothstep(0.32, 0.46, out))
    profile *= ((1 - limbus) * (1 - pupil))[:, None].astype(np.float32)

    around = inside & (rho > 1.1)
    bright = skin[around][luma[around] >= np.percentile(luma[around], 75)]
    tone = np.median(bright, axis=0)
    cheek = np.median(skin[-max(3, skin.shape[0] // 8) :].reshape(-1, 3), axis=0)
    floor = 0.8 * float(cheek.mean())  # an eye in shadow or behind glasses shows no white to sample
    if tone.mean() < floor:
        tone = 0.75 * np.array([1.0, 0.95, 0.92]) * floor + 0.25 * tone * floor / tone.mean()
    corner = np.nanmin(
        np.stack([x - np.flatnonzero(inside.any(axis=0))[0], np.flatnonzero(inside.any(axis=0))[-1] - x]),
        axis=0,
    )
    shade = 0.55 + 0.45 * smoothstep(-0.1, 0.28, corner / inside.any(axis=0).sum())
    pink = (1 - shade)[..., None] * np.array([0.12, 0.0, 0.0])
    white = np.clip(tone * (shade[..., None] + pink), 0, 255).astype(np.float32)
    return white, profile


def opening(
    y: NDArray[Any], upper: NDArray[np.float64], lower: NDArray[np.float64], soft: float = 1.0
) -> NDArray[np.float64]:
    """Coverage 0-1 of each pixel between the lids, (h, w); `soft` px wide at the edges."""
    between = np.clip((y - upper) / soft + 0.5, 0, 1) * np.clip((lower - y) / soft + 0.5, 0, 1)
    return np.where(np.isnan(between), 0.0, between)


def draw_eye(eye: Eye, gaze: NDArray[np.float64], lid_open: float) -> NDArray[np.float32]:
    """Render the eye's patch.

    Parameters
    ----------
    gaze
        (3,) unit vector in the head: to the picture's right, up, toward the camera.
    lid_open
        1 is the photo's opening, 0 closed.

    Returns
    -------
    (h, w, 3) float, 0-255, of the size of `Eye.skin`.
    """
    y, x = np.mgrid[: eye.skin.shape[0], : eye.skin.shape[1]].astype(np.float64)
    height = float(np.nanmax(eye.lower - eye.upper))
    upper, lower = _edges(eye, gaze, lid_open)
    lids = eye.skin if lid_open >= 1 and gaze[1] == 0 else _lids(eye, y, upper, lower, height)
    ball = _ball(eye, x, y, gaze, upper, height)
    # A closed lid leaves no gap for the softened edge to shine through.
    alpha = opening(y, upper, lower, soft=1.6) * smoothstep(0.0, 0.15, lid_open)
    return np.asarray(ball * alpha[..., None] + lids * (1 - alpha[..., None]), np.float32)


def aperture(eye: Eye, gaze: NDArray[np.float64], lid_open: float) -> float:
    """How far the drawn lids are apart, as a multiple of the photo's; for the parameters see `draw_eye`."""
    upper, lower = _edges(eye, gaze, lid_open)
    middle = slice(len(upper) * 2 // 5, -len(upper) * 2 // 5)
    return float(np.nanmean((lower - upper)[middle]) / np.nanmean((eye.lower - eye.upper)[middle]))


def _edges(
    eye: Eye, gaze: NDArray[np.float64], lid_open: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the lid edges are, (w,) rows each: they ride on the eye as it looks up and down, then close."""
    height = eye.lower - eye.upper
    arch = height / np.nanmax(height)  # the corners of the eye don't move
    down = -LIMBUS_DEPTH_MM * eye.px_per_mm * float(gaze[1])
    meet = eye.lower - 0.08 * height  # the lower lid hardly moves in a blink
    upper = np.minimum(eye.upper + UPPER_LID_FOLLOWS * down * arch, meet - 0.25 * height)
    lower = eye.lower + LOWER_LID_FOLLOWS * down * arch
    return upper + (1 - lid_open) * (meet - upper), lower + (1 - lid_open) * (meet - lower)


def _ball(
    eye: Eye,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    gaze: NDArray[np.float64],
    upper: NDArray[np.float64],
    height: float,
) -> NDArray[np.float32]:
    reach = LIMBUS_DEPTH_MM * eye.px_per_mm
    dx, dy = reach * gaze[0], -reach * gaze[1]
    rx, ry = x - eye.centre[0] - dx, y - eye.centre[1] - dy
    turned = float(np.hypot(gaze[0], gaze[1]))
    ux, uy = (gaze[0] / turned, -gaze[1] / turned) if turned > 1e-9 else (1.0, 0.0)
    along, across = rx * ux + ry * uy, -rx * uy + ry * ux
    rho = np.hypot(along / gaze[2], across) / eye.radius  # a tilted disc is foreshortened by the cosine
    at = np.clip(rho, 0, 1) * (len(eye.profile) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(eye.profile) - 1)
    iris = eye.profile[low] + (eye.profile[high] - eye.profile[low]) * (at - low)[..., None]
    edge = np.clip((1 - rho) * eye.radius / 1.8 + 0.5, 0, 1)[..., None]
    out = eye.white + (iris - eye.white) * edge
    # The lens of the eye mirrors a lamp near the camera: the spot moves half as far as the iris does.
    spot = np.hypot(
        x - eye.centre[0] - 0.5 * dx + 0.12 * eye.radius, y - eye.centre[1] - 0.5 * dy + 0.3 * eye.radius
    )
    glint = 0.85 * np.exp(-0.5 * (spot / (0.14 * eye.radius)) ** 2)[..., None]
    out = out + (255 - out) * glint
    shadow = 0.62 + 0.38 * smoothstep(0.0, 0.35 * height, np.nan_to_num(y - upper, nan=0.0))
    shaded: NDArray[np.float32] = (out * shadow[..., None]).astype(np.float32)
    return shaded


def _lids(
    eye: Eye, y: NDArray[np.float64], upper: NDArray[np.float64], lower: NDArray[np.float64], height: float
) -> NDArray[np.float32]:
    """The photo's skin drawn down over the eye, and a little up from below."""
    import cv2

    lash = 0.2 * height  # the row of lashes keeps its width
    top = eye.upper - eye.lid_skin * height
    bottom = eye.lower + 0.6 * height
    stretch = (eye.upper - lash - top) / np.maximum(upper - lash - top, 1e-6)
    source = np.where(y < upper - lash, top + (y - top) * stretch, y - upper + eye.upper)
    rise = (bottom - eye.lower) / np.maximum(bottom - lower, 1e-6)
    source = np.where(y > 0.5 * (upper + lower), bottom - (bottom - y) * rise, source)
    outside = np.isnan(upper) | (y <= top) | (y >= bottom)
    source = np.where(outside, y, source).astype(np.float32)
    across = np.broadcast_to(np.arange(y.shape[1], dtype=np.float32), y.shape)
    moved: Any = cv2.remap(
        eye.skin, np.ascontiguousarray(across), source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    # Little skin stretched far is streaked: the lid that slides out is smooth, with the crease at its upper rim.
    spread = 0.3 * height
    calm = cv2.GaussianBlur(moved, (0, 0), spread)
    travel = np.nan_to_num(upper - eye.upper, nan=0.0)
    out = smoothstep(0.0, 0.5 * height, travel)
    lid = out * smoothstep(0.0, 0.3 * height, y - np.nan_to_num(top, nan=1e6))
    lid = lid * (1 - smoothstep(-0.5, 0.5, y - np.nan_to_num(upper, nan=-1e6)))
    moved = moved + (calm - moved) * (0.85 * lid)[..., None]
    # The lashes of the upper lid become the dark line of a closed eye.
    line = np.exp(-0.5 * ((y - np.nan_to_num(upper, nan=-1e6)) / (0.085 * height)) ** 2)
    dark: NDArray[np.float32] = (moved * (1 - 0.72 * out * line)[..., None]).astype(np.float32)
    return dark
