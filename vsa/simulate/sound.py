"""What becomes of clean voices in a recording: rooms, bleed, noise, and the ways in which calls are kept in files.

Tracks are a mapping of participants to float32 (n,), full scale 1, all of one length and rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vsa.errors import InputError, SessionError
from vsa.simulate.speech import RATE_HZ

Samples = NDArray[np.float32]

#: As a voice a channel of one stream, as a stream a voice, as a file a voice, or all in one mono stream.
Recorded = Literal["channels", "streams", "files", "mixed"]

_CODECS = {".wav": "pcm_s16le", ".flac": "flac", ".m4a": "aac", ".mp4": "aac", ".mka": "flac", ".mkv": "flac"}
_FORMATS = {"pcm_s16le": "s16", "flac": "s16", "aac": "fltp"}
_ONE_STREAM = (".wav", ".flac")
_LAYOUTS = {1: "mono", 2: "stereo"}
_BLOCK_S = 1.0
_LOUDSPEAKER_HZ = (250, 5500)
#: What lies more than this under the loud parts of a track is no speech, dB (ITU-T P.56).
_ACTIVE_DB = 15.9


def room_noise(seconds: float, level_db: float = -60.0, seed: int = 0, rate_hz: int = RATE_HZ) -> Samples:
    """Make the hum and hiss of a room; `level_db` re full scale (RMS)."""
    from scipy import signal

    white = np.random.default_rng(seed).standard_normal(round(seconds * rate_hz))
    brown = signal.lfilter([1], [1, -0.95], white)
    return np.asarray(10 ** (level_db / 20) * brown / np.std(brown), np.float32)


def through_the_room(
    voice: Samples,
    *,
    delay_s: float = 0.12,
    gain_db: float = -18.0,
    echo_s: float = 0.4,
    direct_db: float = 3.0,
    seed: int = 0,
    rate_hz: int = RATE_HZ,
) -> Samples:
    """Hear a voice as the other microphone does from a loudspeaker: late, weaker, narrower, with the room's echo.

    Parameters
    ----------
    voice
        (n,), without noise.
    delay_s
        How much later, s.
    gain_db
        How much louder than the voice itself, dB.
    echo_s
        Time in which the echo falls by 60 dB, s; noise that falls evenly (Moorer 1979, Computer Music Journal 3).
    direct_db
        How far the direct sound is over all of the echo, dB.
    seed
        Of the echo.
    rate_hz
        Of the voice.
    """
    from scipy import signal

    n = max(1, round(echo_s * rate_hz))
    echo = np.random.default_rng(seed).standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    echo[: round(0.002 * rate_hz)] = 0
    echo *= 10 ** (-direct_db / 20) / max(1e-12, float(np.sqrt(np.sum(echo**2))))
    echo[0] = 1.0
    small = signal.butter(2, _LOUDSPEAKER_HZ, "band", fs=rate_hz, output="sos")
    heard = signal.fftconvolve(signal.sosfilt(small, voice), echo)[: len(voice)]
    spoken = np.abs(voice) > 0.001
    out = np.zeros(len(voice), np.float32)
    if not spoken.any():
        return out
    level = np.sqrt(np.mean(voice[spoken] ** 2) / np.mean(heard[spoken] ** 2))
    late = round(delay_s * rate_hz)
    out[late:] = (heard * level * 10 ** (gain_db / 20))[: max(0, len(voice) - late)]
    return out


def with_bleed(
    tracks: Mapping[str, Samples],
    level_db: float,
    delay_s: float = 0.12,
    echo_s: float = 0.4,
    *,
    seed: int = 0,
    rate_hz: int = RATE_HZ,
) -> dict[str, Samples]:
    """Let every microphone hear the others through its loudspeaker, as in a call without headsets.

    Parameters
    ----------
    tracks
        Clean voices.
    level_db, delay_s, echo_s
        Of the others' voices re their own tracks: see `through_the_room`.
    """
    out = {}
    for k, (who, track) in enumerate(tracks.items()):
        out[who] = track.copy()
        for j, (other, voice) in enumerate(tracks.items()):
            if other != who:
                out[who] += through_the_room(
                    voice,
                    gain_db=level_db,
                    delay_s=delay_s,
                    echo_s=echo_s,
                    seed=len(tracks) * (len(tracks) * seed + k) + j,
                    rate_hz=rate_hz,
                )
    return out


def with_noise(
    tracks: Mapping[str, Samples], snr_db: float, *, seed: int = 0, rate_hz: int = RATE_HZ
) -> dict[str, Samples]:
    """Add a room's noise to each track, so far under the speech in it (where there is speech), dB."""
    out = {}
    for k, (who, track) in enumerate(tracks.items()):
        level_db = _speech_db(track, rate_hz) - snr_db
        noise = room_noise(len(track) / rate_hz, level_db, len(tracks) * seed + k, rate_hz)
        out[who] = np.asarray(track + noise, np.float32)
    return out


def mixed(tracks: Mapping[str, Samples]) -> Samples:
    """Mix all voices into one track: their sum, made softer if it passes full scale."""
    total = np.sum(list(tracks.values()), axis=0)
    return np.asarray(total / max(1.0, float(np.abs(total).max(initial=0))), np.float32)


def write_sound(
    path: Path,
    tracks: Mapping[str, Samples],
    rate_hz: int = RATE_HZ,
    recorded: Recorded = "channels",
    *,
    bit_rate: int | None = None,
) -> list[Path]:
    """Write voices into one file, or a file each.

    Parameters
    ----------
    path
        The name's end says how it is coded: .wav (16 bits), .flac, .mka, .mkv (FLAC), .m4a, .mp4 (AAC).
    tracks
        The voices; streams are named for them.
    rate_hz
        Of the voices and in the file.
    recorded
        With ``channels`` at most two voices, from left to right. With ``files`` the participant's name is added to the
        file's: ``call.wav`` becomes ``call-client.wav``.
    bit_rate
        Of each stream in AAC, bits a second.

    Returns
    -------
    The files.

    Raises
    ------
    InputError
        When such a file can't hold this.
    SessionError
        Stage ``write``: the file can't be written.
    """
    if path.suffix not in _CODECS:
        raise InputError(
            f"'{path.name}' is no sound file that vsa writes.", f"End it in {', '.join(_CODECS)}."
        )
    if not tracks or len({len(track) for track in tracks.values()}) != 1:
        raise InputError(
            "The voices differ in length, or there are none.", "Give each a track of the whole call."
        )
    if recorded == "files":
        return [
            written
            for who, track in tracks.items()
            for written in write_sound(
                path.with_stem(f"{path.stem}-{who}"), {who: track}, rate_hz, bit_rate=bit_rate
            )
        ]
    if recorded == "streams":
        streams = {who: track[None] for who, track in tracks.items()}
    else:
        one = np.stack(list(tracks.values())) if recorded == "channels" else mixed(tracks)[None]
        streams = {"": one}
    if recorded == "channels" and len(tracks) not in _LAYOUTS:
        raise InputError(
            f"{len(tracks)} voices can't have a channel each.", "Write them as streams or files."
        )
    if len(streams) > 1 and path.suffix in _ONE_STREAM:
        raise InputError(f"A {path.suffix} file holds one stream.", "Write to .mka or .m4a.")
    _write(path, streams, rate_hz, bit_rate)
    return [path]


def _write(path: Path, streams: Mapping[str, Samples], rate_hz: int, bit_rate: int | None) -> None:
    import av

    codec = _CODECS[path.suffix]
    try:
        with av.open(str(path), "w") as container:
            into: list[Any] = []
            for title, samples in streams.items():
                stream: Any = container.add_stream(codec, rate=rate_hz, layout=_LAYOUTS[len(samples)])
                if bit_rate:
                    stream.bit_rate = bit_rate
                if title:
                    stream.metadata["title"] = title
                into.append(stream)
            arrays = list(streams.values())
            block = round(_BLOCK_S * rate_hz)
            for start in range(0, arrays[0].shape[1], block):
                for stream, samples in zip(into, arrays, strict=True):
                    container.mux(
                        stream.encode(_frame(samples[:, start : start + block], start, codec, rate_hz))
                    )
            for stream in into:
                container.mux(stream.encode(None))
    except (av.error.FFmpegError, OSError) as error:
        raise SessionError("write", f"'{path.name}' can't be written: {error}.") from None


def _frame(samples: Samples, start: int, codec: str, rate_hz: int) -> Any:
    from fractions import Fraction

    import av

    clipped = np.clip(samples, -1, 1)
    if _FORMATS[codec] == "s16":
        clipped = np.round(clipped.T.reshape(1, -1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(clipped), format=_FORMATS[codec], layout=_LAYOUTS[len(samples)]
    )
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
    return frame


def _speech_db(track: Samples, rate_hz: int) -> float:
    """Level of a track where somebody speaks, dB re full scale."""
    block = round(0.02 * rate_hz)
    power = np.mean(track[: len(track) // block * block].reshape(-1, block) ** 2, axis=1)
    if not power.any():
        return -120.0
    loud = np.percentile(power[power > 0], 95)
    return float(10 * np.log10(np.mean(power[power >= loud * 10 ** (-_ACTIVE_DB / 10)])))
