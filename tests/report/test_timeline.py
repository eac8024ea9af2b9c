"""The timeline: what it draws is what the tables hold, at any length."""

from __future__ import annotations

import io
import itertools
import json
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from matplotlib.figure import Figure
from people import clip_path
from PIL import Image

from vsa.errors import InputError
from vsa.face.follow import Block
from vsa.face.table import COLUMNS
from vsa.notebook.session import OpenSession
from vsa.report.canvas import GREY, clock, inks_of
from vsa.report.strips import angle_deg, line, unmeasured
from vsa.study.face_table import write_face
from vsa.study.turn_files import read_turns
from vsa.study.voice_table import write_voice
from vsa.voice.ipu import speech_stretches
from vsa.voice.turns import find_turns
from vsa.voice.voice_track import VoiceTrack

ROLES = {"p1": "client", "p2": "therapist"}
#: The therapist says "mhm" while the client speaks, interrupts and gets the floor; later tries it and fails.
TALK = [
    ("p1", 1.0, 8.0),
    ("p2", 3.0, 3.4),
    ("p2", 7.0, 11.0),
    ("p1", 12.0, 18.0),
    ("p2", 14.0, 15.6),
]
HOME = (5.0, -3.0)


def face_rows(seconds, fps=25.0, *, start_s=0.0, lost=(), still=False):
    """A block of ``face.parquet``: a smile from 5 to 6 s, gaze away from 10 to 12 s, the face lost in `lost`."""
    t = start_s + np.arange(0, seconds, 1 / fps)
    values = dict.fromkeys(COLUMNS, np.zeros(len(t)))
    smiles, away = (t >= 5) & (t < 6), (t >= 10) & (t < 12)
    values["mouthSmileLeft"] = np.where(smiles, 0.7, 0.1)
    values["mouthSmileRight"] = np.where(smiles, 0.9, 0.1)
    values["gaze_yaw"] = np.where(away, HOME[0] + 25.0, HOME[0])
    values["gaze_pitch"] = np.full(len(t), HOME[1])
    values["head_pitch"] = 5 * np.sin(t)
    values["motion"] = np.full(len(t), 0.0 if still else 2.0)
    tracked = np.ones(len(t), bool)
    for start, end in lost:
        tracked &= (t < start) | (t >= end)
    table = np.column_stack([values[name] for name in COLUMNS]).astype(np.float32)
    table[~tracked] = np.nan
    return Block(t, tracked, table, None)


def session(folder, *, seconds=20.0, talk=TALK, roles=ROLES, lost=None, home=HOME, start_s=0.0, deaf=()):
    """A session's folder as extraction writes it, from what is known."""
    folder.mkdir(parents=True)
    steps = round(seconds * 100)
    voices = []
    for who in dict.fromkeys([*roles, *(w for w, _, _ in talk)]) if talk else ():
        says = np.zeros(steps, np.bool_)
        for _, start, end in (part for part in talk if part[0] == who):
            says[round((start - start_s) * 100) : round((end - start_s) * 100)] = True
        speech = says.astype(np.float32)
        for start, end in deaf:
            speech[round(start * 100) : round(end * 100)] = np.nan
        loud = np.where(says, 3.0, -40.0).astype(np.float32)
        voices.append(VoiceTrack(who, start_s, speech, says, loud * np.nan, loud, loud * np.nan))
    write_face(
        folder / "face.parquet",
        COLUMNS,
        [(who, face_rows(seconds, start_s=start_s, lost=(lost or {}).get(who, ()))) for who in roles],
    )
    write_voice(folder / "voice.parquet", voices)
    spoken = speech_stretches({v.participant: v.speaking for v in voices}, start_s=start_s)
    find_turns(spoken, participants=roles).table.to_parquet(folder / "turns.parquet", index=False)
    people = [{"id": who, "role": role, "gaze_neutral_deg": home} for who, role in roles.items()]
    record = {
        "status": "complete",
        "source": {"start_s": start_s, "duration_s": seconds},
        "participants": people,
        "sound": {"voices": [], "kind": "mixed", "turns": {"from": "found"}},
        "quality": {},
    }
    return OpenSession(folder, record)


def marked(figure, gid):
    """What is drawn under an id, of all rows."""
    found = [artist for ax in figure.axes for artist in ax.get_children() if artist.get_gid() == gid]
    assert found, gid
    return found


def spans(figure, gid):
    """Start and end of bars, in order."""
    (bars,) = marked(figure, gid)
    return sorted((p.vertices[:, 0].min(), p.vertices[:, 0].max()) for p in bars.get_paths())


def drawn_line(figure, gid):
    (one,) = marked(figure, gid)
    return np.asarray(one.get_xdata()), np.asarray(one.get_ydata())


def pixels(figure):
    """RGB as it is shown, and the colour at a point of an axis."""
    rgb = np.asarray(Image.open(io.BytesIO(figure._repr_png_())).convert("RGB")) / 255.0

    def at(ax, x, y):
        column, row = ax.transData.transform((x, y))
        return rgb[round(rgb.shape[0] - row), round(column)]

    return rgb, at


def texts(figure):
    return [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text"))]


def test_bars_are_the_turns_and_backchannels_of_the_table(tmp_path):
    one = session(tmp_path / "s1")
    figure = one.draw()
    for who in ROLES:
        own = one.turns[one.turns["participant"] == who]
        for kind in ("turn", "backchannel"):
            rows = own[own["kind"] == kind][["start", "end"]].to_numpy()
            np.testing.assert_allclose(np.reshape(spans(figure, f"{kind}:{who}"), (-1, 2)), rows, atol=0.02)
    assert len(spans(figure, "turn:p1")) == 2
    assert spans(figure, "backchannel:p2") == [pytest.approx((3.0, 3.4), abs=0.02)]
    np.testing.assert_allclose(spans(figure, "overlap"), [(3.0, 3.4), (7.0, 8.0), (14.0, 15.6)], atol=0.02)
    assert drawn_line(figure, "interruption:p2")[0] == pytest.approx([7.0])
    assert drawn_line(figure, "failed interruption:p2")[0] == pytest.approx([14.0])
    assert len(drawn_line(figure, "interruption:p1")[0]) == 0


@pytest.mark.parametrize("name", ["ocfop", "wprog"])
def test_every_turn_of_a_real_conversation_of_twenty_minutes_can_be_seen(tmp_path, name):
    heard = read_turns(clip_path(f"turns/{name}.rttm"))
    talk = [(f"p{1 + int(r.participant[-1])}", r.start, r.end) for r in heard.itertuples(index=False)]
    one = session(tmp_path / "s1", seconds=float(heard["end"].max()) + 5, talk=talk)
    figure = one.draw()
    shortest = one.duration_s / 1000
    for (who, kind), own in one.turns.groupby(["participant", "kind"], observed=True):
        bars = np.array(spans(figure, f"{kind}:{who}"))
        assert len(bars) == len(own)
        middle = (own["start"] + own["end"]).to_numpy() / 2
        np.testing.assert_allclose(np.sort(bars.mean(axis=1)), np.sort(middle), atol=0.01)
        assert (bars[:, 1] - bars[:, 0]).min() > 0.9 * shortest
    assert len(spans(figure, "overlap")) == len(one.conversation.overlaps) > 0


def test_the_picture_shows_who_speaks_in_their_colour(tmp_path):
    figure = session(tmp_path / "s1").draw()
    _, at = pixels(figure)
    lanes = figure.axes[0]
    for k, (speaks, silent) in enumerate(((2.2, 10.2), (10.2, 2.2))):  # between the lines of the grid
        np.testing.assert_allclose(at(lanes, speaks, -k), inks_of(k).solid, atol=0.03)
        np.testing.assert_allclose(at(lanes, silent, -k), 1.0, atol=0.03)
    np.testing.assert_allclose(at(lanes, 3.2, -1), inks_of(1).light, atol=0.03)


def test_signals_are_drawn_as_they_were_measured(tmp_path):
    figure = session(tmp_path / "s1").draw()
    for who in ROLES:
        t, smile = drawn_line(figure, f"smile:{who}")
        np.testing.assert_allclose(smile[(t > 5.05) & (t < 5.95)], 0.8, atol=1e-6)
        np.testing.assert_allclose(smile[(t < 4.95) | (t > 6.05)], 0.1, atol=1e-6)
        t, away = drawn_line(figure, f"gaze:{who}")
        np.testing.assert_allclose(away[(t > 10.05) & (t < 11.95)], 25.0, atol=0.1)  # cos(3 deg) off 25
        np.testing.assert_allclose(away[t < 9.95], 0.0, atol=0.05)
    t, loud = drawn_line(figure, "loudness:p2")
    said = np.zeros(len(t), bool)
    for _, start, end in (part for part in TALK if part[0] == "p2"):
        said |= (t > start + 0.01) & (t < end - 0.02)
        assert np.isnan(loud[(t > end + 0.01) & (t < end + 0.5)]).all()
    np.testing.assert_allclose(loud[said], 3.0)
    words = " ".join(texts(figure))
    for expected in ("smile\n[0–1]", "[deg]", "[grey levels]", "[dB]", "time [min:s]", "therapist", "client"):
        assert expected in words


def test_grey_is_where_the_face_was_lost_and_only_there(tmp_path):
    one = session(tmp_path / "s1", lost={"p2": [(4.0, 9.0), (15.0, 15.2)]})
    figure = one.draw()
    for signal in ("smile", "gaze", "head", "motion"):
        np.testing.assert_allclose(
            spans(figure, f"unmeasured:{signal}:p2"), [(4.0, 9.0), (15.0, 15.2)], atol=0.041
        )
        assert spans(figure, f"unmeasured:{signal}:p1") == []
    _, at = pixels(figure)
    for who, colour in (("p1", 1.0), ("p2", GREY)):
        (strip,) = [ax for ax in figure.axes if any(a.get_gid() == f"smile:{who}" for a in ax.lines)]
        np.testing.assert_allclose(at(strip, 6.6, 0.5), colour, atol=0.03)
    t, smile = drawn_line(figure, "smile:p2")
    assert np.isnan(smile[(t >= 4.0) & (t < 8.99)]).all()


def test_grey_is_where_it_is_not_known_who_speaks(tmp_path):
    figure = session(tmp_path / "s1", deaf=[(5.0, 9.0)]).draw()
    for what in ("speech", "loudness"):
        np.testing.assert_allclose(spans(figure, f"unmeasured:{what}:p1"), [(5.0, 9.0)], atol=0.011)


def test_without_sound_faces_are_drawn_and_it_is_said(tmp_path):
    figure = session(tmp_path / "s1", talk=[]).draw()
    assert "no sound" in texts(figure)
    np.testing.assert_allclose(spans(figure, "unmeasured:speech:p1"), [(0.0, 20.0)])
    assert marked(figure, "smile:p1")
    with pytest.raises(AssertionError):
        marked(figure, "loudness:p1")


def test_a_voice_out_of_sight_has_a_lane_and_no_face(tmp_path):
    figure = session(tmp_path / "s1", talk=[*TALK, ("off_camera", 18.5, 19.8)]).draw()
    assert "off_camera" in texts(figure)
    assert len(spans(figure, "turn:off_camera")) == 1
    with pytest.raises(AssertionError):
        marked(figure, "smile:off_camera")


def test_an_unknown_home_direction_is_said_not_guessed(tmp_path):
    figure = session(tmp_path / "s1", home=None).draw()
    assert texts(figure).count("too few readings to know where this person looks most") == 2
    assert np.isnan(drawn_line(figure, "gaze:p1")[1]).all()


def test_nobody_at_all_is_a_picture_too(tmp_path):
    figure = session(tmp_path / "s1", talk=[], roles={}).draw()
    assert "nobody was seen or heard" in texts(figure)
    assert figure._repr_png_()


def test_people_are_told_apart_by_role_and_five_fit(tmp_path):
    roles = {f"p{k}": role for k, role in enumerate(["client", "client", "therapist", None, None], 1)}
    figure = session(tmp_path / "s1", roles=roles).draw()
    words = texts(figure)
    for name in ("client", "client2", "therapist", "p4", "p5"):
        assert words.count(name) >= 1 + 5  # its lane and its strips
    strips = [ax.get_position().height * figure.get_size_inches()[1] for ax in figure.axes]
    assert min(strips) > 0.3  # inches
    assert figure.get_size_inches()[0] == 12


def test_a_part_of_the_session(tmp_path):
    one = session(tmp_path / "s1", start_s=100.0, talk=[("p1", 102.0, 104.0), ("p2", 110.0, 114.0)])
    whole = one.draw()
    assert whole.axes[0].get_xlim() == pytest.approx((100.0, 120.0), abs=0.05)
    part = one.draw(101.0, 105.0)
    assert part.axes[-1].get_xlim() == (101.0, 105.0)
    assert len(spans(part, "turn:p1")) == 1
    assert spans(part, "turn:p2") == []
    t, _ = drawn_line(part, "smile:p1")
    assert t.min() >= 101.0
    assert t.max() <= 105.0
    beyond = one.draw(110.0, float("inf"))
    assert beyond.axes[0].get_xlim() == pytest.approx((110.0, 120.0), abs=0.05)
    for start, end in ((130.0, 140.0), (5.0, 2.0), (105.0, 105.0), (float("nan"), 110.0), (0.0, 50.0)):
        with pytest.raises(InputError, match=r"lasts from 100\.0 s to 120\.0 s"):
            one.draw(start, end)


def test_into_a_figure_of_ones_own(tmp_path):
    own = Figure(figsize=(6, 4))
    figure = session(tmp_path / "s1").draw(figure=own)
    assert figure is own
    figure.canvas.draw()
    legend = figure.legends[0].get_window_extent()
    assert legend.x1 <= 600
    assert legend.y0 >= figure.axes[0].get_window_extent().y1


@pytest.mark.parametrize("seconds", [20, 5400])
def test_ticks_are_few_round_and_do_not_collide(tmp_path, seconds):
    figure = session(tmp_path / "s1", seconds=seconds).draw()
    figure._repr_png_()
    shown = [t for t in figure.axes[-1].get_xticklabels() if 0 <= t.get_position()[0] <= seconds]
    labels = [t.get_text() for t in shown]
    assert 5 <= len(labels) <= 13
    assert labels[1] == {20: "0:02", 5400: "10:00"}[seconds]
    boxes = [t.get_window_extent() for t in shown]
    assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))
    ticks = [t.get_window_extent() for ax in figure.axes[1:] for t in ax.get_yticklabels()]
    assert all(low.y0 >= high.y1 - 1 or high.y0 >= low.y1 - 1 for low, high in itertools.pairwise(ticks))


@pytest.mark.slow
def test_ninety_minutes_are_drawn_in_little_time_and_memory(tmp_path):
    rng = np.random.default_rng(5)
    starts = np.cumsum(rng.uniform(2, 9, 900))
    talk = [(f"p{1 + k % 2}", s, s + rng.uniform(0.3, 8)) for k, s in enumerate(starts)]
    one = session(tmp_path / "s1", seconds=5400, talk=talk, lost={"p1": [(600, 900)]})
    start = time.process_time()
    figure = one.draw()
    png = figure._repr_png_()
    took_s = time.process_time() - start
    print(f"90 minutes, from the files to the picture: {took_s:.1f} s of CPU, {len(png)} bytes")
    t, smile = drawn_line(figure, "smile:p2")
    assert len(t) < 2000
    assert np.nanmax(smile) > 0.12  # one second in ninety minutes
    assert np.isnan(smile).sum() == 0
    np.testing.assert_allclose(spans(figure, "unmeasured:smile:p1"), [(600.0, 900.0)], atol=0.05)
    assert (
        len(spans(figure, "turn:p1"))
        == ((one.turns["participant"] == "p1") & (one.turns["kind"] == "turn")).sum()
    )
    assert took_s < 6
    tracemalloc.start()
    one.draw()
    assert tracemalloc.get_traced_memory()[1] < 250e6
    tracemalloc.stop()


def test_a_peak_of_one_sample_is_in_the_band_of_a_long_session():
    t = np.arange(0, 5400, 0.04)
    values = np.zeros(len(t))
    values[67_501] = 1.0
    got = line(t, values, (0.0, 5400.0), 1000)
    assert len(got.t) == 1000
    assert got.high.max() == 1.0
    assert abs(got.t[got.high.argmax()] - t[67_501]) < 5.4
    assert got.low.max() == 0.0
    assert got.mean.sum() * 135 == pytest.approx(1.0, rel=0.02)


def test_a_line_breaks_where_rows_are_missing():
    got = line(np.array([0.0, 0.5, 1.0, 4.0, 4.5]), np.ones(5), (0.0, 5.0), 100)
    assert np.isnan(got.mean).tolist() == [False, False, False, True, False, False]


def test_what_is_not_measured():
    t = np.arange(10.0)
    all_there = np.ones(10, bool)
    assert unmeasured(t, all_there, (0.0, 10.0)).tolist() == []
    assert unmeasured(t, all_there, (-3.0, 14.0)).tolist() == [[-3, 0], [10, 14]]
    assert unmeasured(t, t != 4, (0.0, 10.0)).tolist() == [[4, 5]]
    assert unmeasured(t, (t < 4) | (t > 6), (5.5, 10.0)).tolist() == [[5.5, 7]]
    assert unmeasured(t[[0, 1, 5, 6]], np.array([1, 0, 1, 1], bool), (0.0, 7.0)).tolist() == [[1, 5]]
    assert unmeasured(np.empty(0), np.empty(0, bool), (0.0, 7.0)).tolist() == [[0, 7]]


def test_angles_between_directions():
    yaw, pitch = np.array([0.0, 30.0, 0.0, 90.0, np.nan]), np.array([0.0, 0.0, -20.0, 45.0, 0.0])
    np.testing.assert_allclose(angle_deg(yaw, pitch, (0.0, 0.0)), [0, 30, 20, 90, np.nan], atol=1e-5)


def test_times_are_told_in_minutes_and_seconds():
    assert [clock(t) for t in (0, 9, 75, 3599.6, 5400)] == ["0:00", "0:09", "1:15", "59:59", "90:00"]
    assert [clock(t, 0.5) for t in (0.5, 61.5)] == ["0:00.5", "1:01.5"]


#: What red-blind and green-blind people see, of linear RGB (Machado, Oliveira & Fernandes 2009, severity 1).
SEEN_BY = {
    "all": np.eye(3),
    "protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
}


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_two_people_are_told_apart_by_everybody(eyes):
    def seen(colour):
        value = np.array(colour)
        linear = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
        return np.clip(np.array(SEEN_BY[eyes]) @ linear, 0, 1)

    def contrast(one, two):
        low, high = sorted(float(seen(c) @ (0.2126, 0.7152, 0.0722)) for c in (one, two))
        return (high + 0.05) / (low + 0.05)

    one, two = inks_of(0), inks_of(1)
    for a, b in zip(one, two, strict=True):
        assert np.abs(seen(a) - seen(b)).max() > 0.2
    for ink in (one, two):
        assert contrast(ink.dark, (1, 1, 1)) > 3  # of lines and names: WCAG 2.1, 1.4.11
        assert contrast(ink.solid, ink.light) > 1.4
        assert np.abs(seen(ink.solid) - seen(GREY)).max() > 0.2


def test_pyplot_is_not_touched_and_notebooks_get_a_picture(tmp_path):
    one = session(tmp_path / "s1")
    program = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from vsa.notebook.session import OpenSession\n"
        "png = OpenSession(Path(sys.argv[1]), json.loads(sys.argv[2])).draw()._repr_png_()\n"
        "print(png[:4] == b'\\x89PNG', 'matplotlib.pyplot' in sys.modules)\n"
    )
    call = [sys.executable, "-c", program, str(one.folder), json.dumps(one.record)]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]
