"""Names of the 52 expression scores and the landmarks that they are computed from.

Source: MediaPipe Face Blendshapes V2 (`face_blendshapes_graph`); the names follow Apple's ARKit, `_neutral` is
MediaPipe's own and stands where ARKit has `tongueOut`.
"""

from __future__ import annotations

import numpy as np

_SIDED = ("Left", "Right")

#: In the order of the network's output.
NAMES: tuple[str, ...] = (
    "_neutral",
    *(f"browDown{s}" for s in _SIDED),
    "browInnerUp",
    *(f"browOuterUp{s}" for s in _SIDED),
    "cheekPuff",
    *(f"cheekSquint{s}" for s in _SIDED),
    *(f"eyeBlink{s}" for s in _SIDED),
    *(f"eyeLookDown{s}" for s in _SIDED),
    *(f"eyeLookIn{s}" for s in _SIDED),
    *(f"eyeLookOut{s}" for s in _SIDED),
    *(f"eyeLookUp{s}" for s in _SIDED),
    *(f"eyeSquint{s}" for s in _SIDED),
    *(f"eyeWide{s}" for s in _SIDED),
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    *(f"mouthDimple{s}" for s in _SIDED),
    *(f"mouthFrown{s}" for s in _SIDED),
    "mouthFunnel",
    "mouthLeft",
    *(f"mouthLowerDown{s}" for s in _SIDED),
    *(f"mouthPress{s}" for s in _SIDED),
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    *(f"mouthSmile{s}" for s in _SIDED),
    *(f"mouthStretch{s}" for s in _SIDED),
    *(f"mouthUpperUp{s}" for s in _SIDED),
    *(f"noseSneer{s}" for s in _SIDED),
)

#: The 146 of the 478 landmarks that the network takes, shape (146,).
# fmt: off
LANDMARKS = np.array([
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67,
    70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148,
    149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185,
    191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295,
    296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362,
    365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400,
    402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
], np.intp)
# fmt: on
