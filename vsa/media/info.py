"""What is known of a recording: what its file declares, and what went wrong while it was read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MediaInfo:
    """What a file says of itself; sizes are those of the upright picture with square pixels.

    Attributes
    ----------
    name
        The file's name, without its folder.
    duration_s
        Length of the pictures as declared, s; NaN if the file doesn't say. `Recording.read_s` is what was found.
    start_s
        Presentation time of the first picture, s, as `Picture.t` gives it.
    width, height
        Px.
    fps
        Usual rate of the pictures, as their time stamps have it: 1 / (usual time between two).
    codec, pixel_format
        FFmpeg's names of the decoder and of the stored pixels.
    rotation_deg, mirrored
        How the stored picture is turned (clockwise) to stand upright, and whether it is mirrored then.
    audio_channels, audio_streams
        Over all audio streams; 0 without sound.
    video_stream, video_streams
        Which stream of the file is analysed (its index), and how many have pictures.
    """

    name: str
    duration_s: float
    start_s: float
    width: int
    height: int
    fps: float
    codec: str
    pixel_format: str
    rotation_deg: int
    mirrored: bool
    audio_channels: int
    audio_streams: int
    video_stream: int
    video_streams: int


@dataclass
class Faults:
    """What went wrong while reading, counted as it happens.

    Attributes
    ----------
    bad_packets
        Pieces of the file that could not be decoded: their pictures are missing.
    damaged_pictures
        Pictures that the decoder gave and says are damaged.
    repaired_stamps
        Pictures whose time stamp was missing or wrong (see `vsa.media.clock.repaired`).
    resized_pictures
        Pictures of another size than the first, scaled to it.
    last_t
        Presentation time of the last picture read, s.
    messages
        The first few things that FFmpeg said.
    """

    bad_packets: int = 0
    damaged_pictures: int = 0
    repaired_stamps: int = 0
    resized_pictures: int = 0
    last_t: float = 0.0
    messages: list[str] = field(default_factory=list)

    def note(self, message: str) -> None:
        """Keep a message, if it is new and among the first."""
        if len(self.messages) < 5 and message not in self.messages:
            self.messages.append(message)
