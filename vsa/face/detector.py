"""The bundle's face detector: its anchors, the decoding of its outputs, and non-maximum suppression.

Source: Bazarevsky et al. 2019, BlazeFace (arXiv:1907.05047), short-range model, 128x128 px; decoding and
weighted suppression as MediaPipe's face detection graph does them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

SIZE = 128
#: Scores below this are no faces (MediaPipe's default).
MIN_SCORE = 0.5
_OVERLAP = 0.3


@dataclass(frozen=True)
class Detections:
    """Faces in one picture.

    Attributes
    ----------
    boxes
        Shape (n, 4): x, y, width, height, px.
    eyes
        Shape (n, 2, 2): the subject's right and left eye, x and y, px.
    scores
        Shape (n,), 0-1.
    """

    boxes: Floats
    eyes: Floats
    scores: Floats

    def __len__(self) -> int:
        return len(self.scores)

    def moved(self, scale: float, dx: float, dy: float) -> Detections:
        """The same faces in the coordinates before `target = source * scale + (dx, dy)`."""
        offset = np.array([dx, dy], np.float32)
        boxes = self.boxes.copy()
        boxes[:, :2] = (boxes[:, :2] - offset) / scale
        boxes[:, 2:] /= scale
        return Detections(boxes, (self.eyes - offset) / scale, self.scores)

    def chosen(self, index: npt.NDArray[np.intp]) -> Detections:
        """Some of the faces."""
        return Detections(self.boxes[index], self.eyes[index], self.scores[index])


def anchors() -> Floats:
    """Anchor centres, shape (896, 2), 0-1: 2 a cell of 16x16, then 6 a cell of 8x8."""
    centres = []
    for cells, per_cell in ((16, 2), (8, 6)):
        line = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(line, line, indexing="ij")
        centres.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), per_cell, axis=0))
    return np.concatenate(centres)


_ANCHORS = anchors()


def decode(regressors: Floats, logits: Floats, min_score: float = MIN_SCORE) -> Detections:
    """Network outputs for one picture -> faces in px of the 128x128 input.

    Parameters
    ----------
    regressors
        Shape (896, 16).
    logits
        Shape (896,).
    """
    keep = np.flatnonzero(logits > -np.log(1 / min_score - 1))
    scores = 1 / (1 + np.exp(-np.clip(logits[keep], -100, 100)))
    raw = regressors[keep].reshape(-1, 8, 2)
    centres = raw[:, 0] + _ANCHORS[keep] * SIZE
    sizes = raw[:, 1]
    eyes = raw[:, 2:4] + _ANCHORS[keep][:, None] * SIZE
    found = Detections(
        np.concatenate([centres - sizes / 2, sizes], 1).astype(np.float32),
        eyes.astype(np.float32),
        scores.astype(np.float32),
    )
    return merged(found)


def merged(found: Detections, overlap: float = _OVERLAP) -> Detections:
    """Weighted non-maximum suppression: boxes that overlap are averaged by their scores."""
    left = np.argsort(-found.scores)
    boxes, eyes, scores = [], [], []
    while len(left):
        near = overlaps(found.boxes[left[0]], found.boxes[left]) > overlap
        near[0] = True
        group = left[near]
        weight = found.scores[group] / found.scores[group].sum()
        boxes.append(np.einsum("n,nk->k", weight, found.boxes[group]))
        eyes.append(np.einsum("n,nij->ij", weight, found.eyes[group]))
        scores.append(found.scores[left[0]])
        left = left[~near]
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(eyes, np.float32).reshape(-1, 2, 2),
        np.array(scores, np.float32),
    )


def overlaps(box: npt.ArrayLike, boxes: npt.ArrayLike) -> Floats:
    """Intersection over union of one box with many (x, y, w, h), shape (n,)."""
    a, b = np.asarray(box, np.float32), np.asarray(boxes, np.float32).reshape(-1, 4)
    low = np.maximum(a[:2], b[:, :2])
    high = np.minimum(a[:2] + a[2:], b[:, :2] + b[:, 2:])
    inside = np.prod(np.clip(high - low, 0, None), axis=1)
    return np.asarray(inside / np.maximum(a[2] * a[3] + b[:, 2] * b[:, 3] - inside, 1e-6), np.float32)
