"""Simulated calls whose turns are known, recorded in several ways, and what vsa finds in them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from vsa.media.sound import read_sound
from vsa.simulate.conversation import Conversation, Counts, plan_conversation, render
from vsa.simulate.sound import Samples, room_noise, with_bleed, with_noise, write_sound
from vsa.simulate.speech import RATE_HZ
from vsa.voice.ipu import speech_stretches
from vsa.voice.separate import own_voices
from vsa.voice.tracks import on_common_time, tracks_of, tracks_of_files
from vsa.voice.turns import Turns, find_turns

#: Length of a call; how far its events stay from the limits at which one kind becomes another.
SECONDS, CLEAR_S = 120.0, 0.06


class Condition(NamedTuple):
    """A way of recording, and what is lost in it.

    Attributes
    ----------
    pauses_lost
        Share of pauses that may be missed: with noise in them, those just over 200 ms are bridged by the speech
        detector, which takes about 100 ms to be sure that nobody speaks.
    backchannels_lost
        How many may be missed in a call: under strong bleed, the shortest that lie wholly in the other's speech.
    """

    write: Callable[[Mapping[str, Samples], Path], list[Path]]
    rate_hz: int = RATE_HZ
    pauses_lost: float = 0.0
    backchannels_lost: int = 0


def faint(tracks: Mapping[str, Samples], rate_hz: int = RATE_HZ) -> dict[str, Samples]:
    """The same with the noise of a quiet room."""
    return {
        who: track + room_noise(len(track) / rate_hz, -65, k, rate_hz)
        for k, (who, track) in enumerate(tracks.items())
    }


def bleeding(level_db: float) -> Callable[[Mapping[str, Samples], Path], list[Path]]:
    return lambda tracks, folder: write_sound(folder / "call.wav", faint(with_bleed(tracks, level_db)))


@cache
def spoken(
    seed: int, clear_s: float, people: tuple[str, ...], rate_hz: int
) -> tuple[Conversation, dict[str, Samples]]:
    talk = plan_conversation(SECONDS, seed, participants=people, clear_s=clear_s)
    return talk, render(talk, rate_hz)


CONDITIONS = {
    "clean stereo": Condition(lambda tracks, folder: write_sound(folder / "call.wav", tracks)),
    "bleed at -20 dB": Condition(bleeding(-20.0)),
    "bleed at -12 dB": Condition(bleeding(-12.0), backchannels_lost=1),
    "noise at 20 dB": Condition(
        lambda tracks, folder: write_sound(folder / "call.flac", with_noise(tracks, 20.0)), pauses_lost=0.06
    ),
    "streams": Condition(
        lambda tracks, folder: write_sound(folder / "call.mka", faint(tracks), recorded="streams")
    ),
    "files": Condition(
        lambda tracks, folder: write_sound(folder / "call.wav", faint(tracks), recorded="files")
    ),
    "AAC at 64 kbit/s": Condition(
        lambda tracks, folder: write_sound(folder / "call.m4a", faint(tracks), bit_rate=64_000)
    ),
}


def found_in(files: list[Path], people: tuple[str, ...]) -> Turns:
    """The whole chain, from files to turns."""
    if len(files) > 1:
        sounds = [channel for file in files for channel in read_sound(file)[0].channels]
        tracks = tracks_of_files(sounds)
    else:
        tracks = tracks_of(read_sound(files[0]))
    assert tracks.separate
    common = on_common_time(tracks.sounds)
    own = own_voices(common, RATE_HZ)
    speaking = dict(zip(people, own.speaking, strict=True))
    return find_turns(speech_stretches(speaking, start_s=common.start_s), participants=people)


@cache
def heard(
    condition: str,
    seed: int,
    clear_s: float = CLEAR_S,
    people: tuple[str, ...] = ("client", "therapist"),
) -> tuple[Conversation, Turns]:
    how = CONDITIONS[condition]
    talk, tracks = spoken(seed, clear_s, people, how.rate_hz)
    with tempfile.TemporaryDirectory() as folder:
        return talk, found_in(how.write(tracks, Path(folder)), people)


def counted(turns: Turns) -> Counts:
    return Counts(
        turns=int(turns.turns["floor"].sum()),
        backchannels=int((turns.turns["kind"] == "backchannel").sum()),
        pauses=int((turns.silences["kind"] == "pause").sum()),
        gaps=int((turns.silences["kind"] == "gap").sum()),
        overlaps_between=int((turns.overlaps["kind"] == "between").sum()),
        overlaps_within=int((turns.overlaps["kind"] == "within").sum()),
        interruptions=int(turns.interruptions["taken"].sum()),
        failed_interruptions=int((~turns.interruptions["taken"]).sum()),
    )


def off_s(planned: pd.DataFrame, found: pd.DataFrame, edge: str) -> np.ndarray:
    """How far the nearest found edge of the same person is from each planned one, s."""
    return np.concatenate(
        [
            np.abs(found.loc[found["participant"] == who, edge].to_numpy() - times.to_numpy()[:, None]).min(
                axis=1
            )
            for who, times in planned.groupby("participant")[edge]
        ]
    )
