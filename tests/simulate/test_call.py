"""The simulated call, from file to numbers: who is where, where they look, when they blink."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from portrait_faces import engine, mesh

from vsa.face import bundle, neutral, table
from vsa.face.tracker import Tracker
from vsa.media.recording import Recording
from vsa.simulate.acting import act
from vsa.simulate.call import CAST, write_call

pytestmark = pytest.mark.slow

SECONDS, FPS = 12.0, 25.0


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    engine()
    return write_call(tmp_path_factory.mktemp("call") / "call.mp4", mesh, seconds=SECONDS, fps=FPS)


@pytest.fixture(scope="module")
def measured(call):
    """Participant -> its truth beside what the tracker measured, by picture; NaN where not tracked."""
    rows = []
    with Recording(call.path) as recording, ThreadPoolExecutor(1) as pool:
        tracker = Tracker(engine(), pool)
        pictures = list(enumerate(recording.pictures()))
        for start in range(0, len(pictures), 16):
            rows += [future.result() for future in tracker.process(pictures[start : start + 16])]
        rows += [future.result() for future in tracker.rest()]
        tracker.close()
    out = {}
    for name, (x, y, w, h) in call.tiles.items():
        truth = call.truth[call.truth.participant == name].set_index("t")
        seen = np.full((len(truth), len(table.COLUMNS)), np.nan)
        for readings in rows:
            middle = readings.points[:, :, :2].mean((0, 1))
            if x < middle[0] < x + w and y < middle[1] < y + h:
                seen[readings.frame] = table.values(readings, bundle.load().face)
        out[name] = truth.assign(**{f"seen_{c}": seen[:, k] for k, c in enumerate(table.COLUMNS)})
    return out


def test_the_file_is_a_silent_call_of_two_with_the_length_that_was_asked_for(call):
    with Recording(call.path) as recording:
        info = recording.info
        times = [picture.t for picture in recording.pictures()]
    assert (info.width, info.height, info.audio_streams) == (1280, 720, 0)
    np.testing.assert_allclose(times, np.arange(SECONDS * FPS) / FPS, atol=1e-3)
    assert list(call.tiles) == ["therapist", "client"] == list(CAST)
    assert (call.truth.mouth_open == 0).all()
    assert call.tiles["therapist"][0] + call.tiles["therapist"][2] <= call.tiles["client"][0]


def test_events_are_in_the_truth(call):
    for event in call.events.itertuples():
        truth = call.truth[
            (call.truth.participant == event.participant) & call.truth.t.between(event.start, event.end)
        ]
        if event.kind == "blink":
            assert truth.eye_open_left.min() < 0.2
        elif event.kind == "smile":
            assert truth.smile.max() == 1
        elif event.kind == "look_away":
            assert truth.gaze_yaw.abs().max() > 15
        else:
            assert np.ptp(truth.head_pitch) > 3


def test_both_are_tracked(measured):
    for name, rows in measured.items():
        tracked = np.isfinite(rows.seen_box_x).mean()
        print(f"\n{name}: tracked {tracked:.1%}")
        assert tracked > 0.95


def test_gaze_is_where_they_look(measured):
    for name, rows in measured.items():
        home = neutral.direction(rows[["seen_gaze_yaw", "seen_gaze_pitch"]])
        rows = rows[np.isfinite(rows.seen_gaze_yaw) & (rows.eye_open_left > 0.9)]
        seen = rows[["seen_gaze_yaw", "seen_gaze_pitch"]].to_numpy() - home
        truth = rows[["gaze_yaw", "gaze_pitch"]].to_numpy()
        error = np.hypot(*(seen - truth).T)
        gain = np.polyfit(truth[:, 0], seen[:, 0], 1)[0]
        away, seen_away = np.hypot(*truth.T) > 12, np.hypot(*seen.T) > 12
        print(
            f"\n{name}: gaze error median {np.median(error):.1f}, p95 {np.percentile(error, 95):.1f} deg; "
            f"yaw gain {gain:.2f}; on the screen {1 - seen_away.mean():.2f} of the time, truth {1 - away.mean():.2f}"
        )
        assert np.median(error) < 4
        assert np.percentile(error, 95) < 14
        assert 0.5 < gain < 1.2
        assert np.mean(away == seen_away) > 0.9


def test_blinks_are_found_and_no_others(call, measured):
    for name, rows in measured.items():
        lids = (rows.seen_eye_open_left + rows.seen_eye_open_right).to_numpy() / 2
        shut = np.r_[0, (lids < 0.5 * np.nanmedian(lids)).astype(int), 0]
        t = np.r_[rows.index, SECONDS]
        found = list(
            zip(t[np.flatnonzero(np.diff(shut) == 1)], t[np.flatnonzero(np.diff(shut) == -1)], strict=True)
        )
        blinks = call.events[(call.events.participant == name) & (call.events.kind == "blink")]
        print(f"\n{name}: blinks at {[f'{a:.2f}-{b:.2f}' for a, b in found]}")
        assert len(found) == len(blinks)
        for (start, end), blink in zip(found, blinks.itertuples(), strict=True):
            assert blink.start - 0.04 <= start < end <= blink.end + 0.08


@pytest.mark.parametrize("angle", ["yaw", "pitch", "roll"])
def test_the_head_moves_as_told(measured, angle):
    for name, rows in measured.items():
        truth, seen = rows[f"head_{angle}"], rows[f"seen_head_{angle}"]
        print(
            f"\n{name}: head {angle} r {np.corrcoef(truth, seen)[0, 1]:.2f}, gain {np.polyfit(truth, seen, 1)[0]:.2f}"
        )
        assert np.corrcoef(truth, seen)[0, 1] > 0.7
        assert 0.5 < np.polyfit(truth, seen, 1)[0] < 1.4


def test_a_smile_shows_in_the_blendshapes(measured):
    rows = measured["therapist"]
    smile = (rows.seen_mouthSmileLeft + rows.seen_mouthSmileRight) / 2
    assert smile[rows.smile > 0.9].min() > smile[rows.smile < 0.05].quantile(0.95) + 0.2


def test_one_seed_one_call_another_seed_another():
    one, same, other = (act(12, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one == same
    assert one != other


def test_events_follow_each_other_and_end_in_time():
    for seconds in (1.0, 5.0, 12.0, 60.0):
        events = act(seconds, np.random.default_rng(0)).events
        assert all(a.end < b.start for a, b in itertools.pairwise(events))
        assert all(0 < e.start < e.end < seconds for e in events)
    assert len(events) == 5 * 7
