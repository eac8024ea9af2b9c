"""What extraction measures against what is known: MediaPipe, rendered eyes and lids, annotated blinks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import parity
import pytest
from extraction import extracted
from people import clip_path
from portrait_faces import FACE_PX, compressed, in_tile, picture_of, portrait, settled

from vsa.face import bundle, gaze
from vsa.features.blinks import find_blinks
from vsa.features.session import Session
from vsa.simulate.portraits import NAMES, gaze_grid, lid_grid

pytestmark = pytest.mark.benchmark

Figures = Callable[[str, str], Callable[[str], None]]


def test_parity_with_mediapipe(figures: Figures) -> None:
    say = figures("accuracy", "The cpu engine against MediaPipe's FaceLandmarker")
    say(
        "VIDEO mode, one face, on the person's own tile. Landmarks in percent of the distance between the eyes' outer "
        "corners; blendshapes: the largest of 52 differences a picture; head pose in degrees. Medians (95th "
        "percentile).\n"
    )
    say("| clip | landmarks, % | blendshapes | yaw | pitch | roll |")
    say("|---|---|---|---|---|---|")
    for name, clip in parity.CLIPS.items():
        found = parity.differences(clip)
        columns = [found.landmarks_pct, found.blendshape, *found.angles_deg.T]
        say(f"| {name} | " + " | ".join(f"{np.nanmedian(c):.3f} ({_p95(c):.3f})" for c in columns) + " |")
        assert np.nanmedian(found.landmarks_pct) < 0.7


def test_gaze_of_rendered_eyes(figures: Figures) -> None:
    say = figures("accuracy", "Gaze")
    say(
        "Two public-domain portraits with eyes drawn for known directions (yaw -20 to 20, pitch -12 to 12 degrees), "
        "head still. Error in degrees after the person's own mean offset is taken off, as features do with the neutral "
        "direction; gain: measured degrees per true degree. The constants of the gaze model were chosen on these faces "
        "and clips, so other people will do worse.\n"
    )
    say("| portrait, face width | median | p95 | yaw gain | pitch gain |")
    say("|---|---|---|---|---|")
    for name in NAMES:
        for label, face_px, quality in (
            (f"{FACE_PX} px", FACE_PX, None),
            ("120 px", 120, None),
            ("80 px", 80, None),
            ("80 px, JPEG 40", 80, 40),
        ):
            truth, seen = [], []
            for state, rgb in gaze_grid(portrait(name)):
                shown = in_tile(rgb, face_px) if face_px < FACE_PX else rgb
                truth.append((state.gaze_yaw_deg, state.gaze_pitch_deg))
                seen.append(_eyes(compressed(shown, quality) if quality else shown).gaze_deg[0])
            known, measured = np.array(truth, float), np.array(seen)
            error = np.hypot(*(measured - measured.mean(0) - known).T)
            yaw, pitch = (np.polyfit(known[:, k], measured[:, k], 1)[0] for k in (0, 1))
            say(f"| {name}, {label} | {np.median(error):.1f} | {_p95(error):.1f} | {yaw:.2f} | {pitch:.2f} |")
            assert np.median(error) < 9


def test_lids_of_rendered_eyes(figures: Figures) -> None:
    say = figures("accuracy", "Lid opening")
    say("Measured opening (0-1) of the same portraits for true openings.\n")
    say("| portrait | " + " | ".join(f"{s.lid_open:.1f}" for s, _ in lid_grid(portrait(NAMES[0]))) + " |")
    say("|---|" + "---|" * 6)
    for name in NAMES:
        opened = [_eyes(rgb) for _, rgb in lid_grid(portrait(name))]
        values = [(e.open_left[0] + e.open_right[0]) / 2 for e in opened]
        say(f"| {name} | " + " | ".join(f"{v:.2f}" for v in values) + " |")
        assert (np.diff(values) < 0).all()


def test_annotated_blinks(tmp_path: Path, figures: Figures) -> None:
    say = figures("accuracy", "Blinks")
    clip = clip_path("webcam_man_53s.mp4")
    got = extracted(clip, tmp_path / "out")
    found = find_blinks(Session.from_tables(got.record, got.face).faces["p1"])
    truth = np.genfromtxt(clip_path("webcam_man_53s_blinks.csv"), delimiter=",", names=True)
    say(
        "A man who talks, smiles, turns and then sits still for 53 s (webcam, 25 pictures/s): "
        f"{len(np.atleast_1d(truth))} blinks annotated frame by frame, {len(found)} found, "
        f"at {', '.join(f'{t:.2f}' for t in found.peak_s)} s."
    )
    assert len(found) == len(np.atleast_1d(truth))


def _eyes(rgb: np.ndarray) -> gaze.Eyes:
    return gaze.measure(settled(picture_of(rgb))[None], bundle.load().face)


def _p95(values: np.ndarray) -> float:
    return float(np.nanpercentile(values, 95))
