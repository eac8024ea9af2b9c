"""Where the pictures of a file lie, from its packets alone: what it takes to read it from the middle.

Only of MP4 and Matroska (and their kin) is it known before decoding which pictures come and when: the other containers
have no index, or store the order of decoding, or stamps that need repair. Those are read in one go.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av.error
import numpy as np
import numpy.typing as npt

from vsa.media.opening import opened
from vsa.media.stream import closing
from vsa.study.addresses import Place

Doubles = npt.NDArray[np.float64]

#: Containers with an index and presentation times for every picture.
_INDEXED = ("mov", "matroska")
#: Stamps as far apart as this are two pictures', see `vsa.media.clock.repaired`.
_SAME_S = 1e-6


class InOneGo(Exception):
    """Why a recording is read from start to end; said of "it"."""


@dataclass(frozen=True)
class Outline:
    """The pictures of a recording, in order of presentation.

    Attributes
    ----------
    stamps
        Presentation times, s, strictly increasing.
    ticks
        The same, in the stream's own unit.
    keys
        Which of them are key frames: reading can begin there.
    ends_s
        How far the packets of each stream reach, s.
    """

    stamps: Doubles
    ticks: npt.NDArray[np.int64]
    keys: npt.NDArray[np.intp]
    ends_s: dict[int, float]


@dataclass(frozen=True)
class Stretch:
    """A part of a recording that is read for itself.

    Attributes
    ----------
    tick
        Stamp of the key frame at which reading begins; None for the start of the file.
    stamps
        All pictures from there to where reading ends, s.
    wanted
        Which of them to hand on, same shape.
    start, end
        The pictures whose faults count, by their place in `stamps`: those outside are some other stretch's.
    """

    tick: int | None
    stamps: Doubles
    wanted: npt.NDArray[np.bool_]
    start: int
    end: int


def outline(path: Place, stream: int) -> Outline:
    """Go through a file's packets without decoding them.

    Parameters
    ----------
    path
        The recording.
    stream
        Index of the stream with its pictures.

    Raises
    ------
    InOneGo
        It is at an address, in another container, damaged, or its stamps need repair.
    """
    if not isinstance(path, Path):
        raise InOneGo("it is read from an address")
    ticks: list[int] = []
    keys: list[int] = []
    ends_s: dict[int, float] = {}
    with closing(opened(path)) as container:
        if not container.format.name.startswith(_INDEXED):
            raise InOneGo(f"its container ({container.format.name}) has no times of presentation or no index")
        base = container.streams[stream].time_base
        try:
            for packet in container.demux():
                if packet.pts is None:
                    if packet.size and packet.stream.index == stream:
                        raise InOneGo("some of its pictures have no time stamp")
                    continue
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                index = packet.stream.index
                ends_s[index] = max(ends_s.get(index, 0.0), end)
                if index != stream or packet.is_discard:
                    continue
                if packet.is_corrupt:
                    raise InOneGo("it is damaged")
                ticks.append(packet.pts)
                if packet.is_keyframe:
                    keys.append(packet.pts)
        except (av.error.FFmpegError, OSError):
            raise InOneGo("it is damaged") from None
    ordered = np.array(sorted(ticks), np.int64)
    # in the way in which a decoded picture's time is worked out: to the last bit
    stamps = np.array([tick * base.numerator / base.denominator for tick in ordered.tolist()], np.float64)
    if not len(stamps) or np.diff(stamps).min(initial=np.inf) <= _SAME_S:
        raise InOneGo("some of its time stamps need repair")
    return Outline(stamps, ordered, np.searchsorted(ordered, np.array(sorted(keys), np.int64)), ends_s)
