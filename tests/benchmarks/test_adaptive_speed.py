"""Speed with `--adaptive`, beside the exact run and plain MediaPipe."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import mean, median

import compose
import pandas as pd
import pytest
from people import Box, Image
from running import floor, plain_mediapipe, vsa_extract
from stage import MAN, WOMAN, CallTruth, Shown, named, paint, persons, write_call
from test_costs import SOUND, looped

pytestmark = pytest.mark.benchmark

ROUNDS = 2
OVER = 12
TILES = (Box(146, 182, 356, 356), Box(718, 182, 474, 356))


#: As quick encoders with a constant quantizer work: much of what repeats is left as it was.
QUICK = {"qp": "30", "preset": "ultrafast", "bf": "0"}


def choppy_call(
    path: Path,
    *,
    seconds: float = 60,
    camera: float = 12.5,
    fps: int = 25,
    encoder: Mapping[str, str] | None = None,
) -> CallTruth:
    """The benchmark's call on a line of `camera` pictures a second: each is shown twice, and coded anew."""
    cast = named((WOMAN, MAN))

    def draw(t: float, canvas: Image) -> dict[str, Shown]:
        held = math.floor(t * camera + 1e-6) / camera
        return {n: paint(canvas, a, tile, held) for (n, a), tile in zip(cast.items(), TILES, strict=True)}

    return write_call(
        path, draw, persons(cast), size=(1280, 720), seconds=seconds, fps=fps, crf=23, encoder=encoder
    )


def test_adaptive_against_exact_and_plain_mediapipe(
    tmp_path: Path, figures: Callable[[str, str], Callable[[str], None]]
) -> None:
    say = figures("performance", "Taking over what repeats: `--adaptive`")
    say(
        "60 s, 1280x720, a woman who moves and talks and a man who listens; whole processes, medians of "
        f"{ROUNDS} rounds, one after the other.\n"
    )
    say(
        "| recording | plain MediaPipe, pictures/s | exact, pictures/s | adaptive, pictures/s | adaptive to plain "
        "| rows taken over |"
    )
    say("|---|---|---|---|---|---|")
    calls = {
        "25 pictures a second": compose.two_tile_call_60s(tmp_path / "call.mp4"),
        "12.5 a second, recorded at 25": choppy_call(tmp_path / "choppy.mp4"),
    }
    for name, truth in calls.items():
        seconds: dict[str, list[float]] = {"plain": [], "exact": [], "adaptive": []}
        shares: list[str] = []
        for _ in range(ROUNDS):
            seconds["plain"].append(plain_mediapipe(truth.path, faces=2)[1].seconds)
            seconds["exact"].append(vsa_extract(truth.path, tmp_path / "exact")[1].seconds)
            record, ran = vsa_extract(truth.path, tmp_path / "out", "--adaptive")
            seconds["adaptive"].append(ran.seconds)
            people = record["quality"]["participants"].values()
            shares = [f"{person['interpolated_share']:.2f}" for person in people]
        rates = {key: truth.frames / median(took) for key, took in seconds.items()}
        say(
            f"| {name} | {rates['plain']:.1f} | {rates['exact']:.1f} | {rates['adaptive']:.1f} "
            f"| {rates['adaptive'] / rates['plain']:.2f} | {', '.join(shares)} |"
        )
        assert rates["adaptive"] > rates["plain"]


def test_pictures_that_repeat_as_they_were(
    tmp_path: Path, figures: Callable[[str, str], Callable[[str], None]]
) -> None:
    say = figures("performance", "Pictures that repeat as they were")
    say(
        "A minute, 1280x720, two people at 12.5 pictures a second in a recording of 25, by an encoder that leaves much "
        f"of what repeats as it was; and the same minute {OVER} times over, with sound. The exact run; whole "
        "processes, one after the other. The floor reads every picture of the minute; it was measured before and "
        "after.\n"
    )
    truth = choppy_call(tmp_path / "quick.mp4", encoder=QUICK)
    longer = looped(truth.path, tmp_path / "longer.mp4", OVER, SOUND)
    plain = truth.frames / plain_mediapipe(truth.path, faces=2)[1].seconds
    least = [truth.frames / floor(truth.path, faces=2)[1].seconds]
    minute = truth.frames / vsa_extract(truth.path, tmp_path / "out")[1].seconds
    rate = OVER * truth.frames / vsa_extract(longer, tmp_path / "out")[1].seconds
    least.append(truth.frames / floor(truth.path, faces=2)[1].seconds)
    rows = pd.read_parquet(tmp_path / "out" / "longer" / "face.parquet")
    repeated = (rows["motion"] == 0).groupby(rows["participant"]).mean()
    say(f"- pictures that repeat a person's last one: {', '.join(f'{share:.0%}' for share in repeated)}")
    say(f"- plain MediaPipe: {plain:.1f} pictures/s; the floor: {least[0]:.1f} and {least[1]:.1f}")
    for what, own in (("a minute", minute), (f"{OVER} minutes", rate)):
        say(
            f"- vsa, {what}: {own:.1f} pictures/s; {own / plain:.2f} times plain MediaPipe, "
            f"{own / mean(least):.0%} of the floor"
        )
    assert minute > plain
