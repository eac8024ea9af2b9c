"""Opening a media file at the door: what can't be analysed gives one clear error here and goes no further."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import av
import av.error

from vsa.errors import SessionError
from vsa.media.stream import PIECE_BYTES, Stream, check, said_of, shut
from vsa.study.addresses import Address, AddressError, Place

#: A picture smaller than this holds no face that could be measured, px.
SMALLEST_SIDE = 32

RESAVE = "Check that it plays in a video player; if it does, save it again as MP4 (H.264)."

_RECORDINGS = (
    "mov matroska webm avi mpegts mpeg flv live_flv asf asf_o ogg wtv mxf nut dv ivf obu yuv4mpegpipe rm swf gxf "
    "h261 h263 h264 hevc evc vvc av1 m4v mpegvideo mjpeg vc1 dirac gif apng"
)
_SOUND = "wav w64 mp3 aac flac ac3 eac3 aiff caf amr au opus tta wv ape"
_STILL = (
    "image2 png_pipe jpeg_pipe bmp_pipe tiff_pipe webp_pipe gif_pipe jpegxl_pipe j2k_pipe psd_pipe ppm_pipe"
)
#: Only these demuxers see a file: FFmpeg would also render a text file as pictures, or follow a playlist elsewhere.
_FORMATS = ",".join(f"{_RECORDINGS} {_SOUND} {_STILL}".split())
_DAMAGED_MP4 = (b"ftyp", b"mdat", b"wide", b"moov", b"free", b"skip")
_ATTACHED = av.stream.Disposition.attached_pic
_DEFAULT = av.stream.Disposition.default


def opened(path: Place) -> Any:
    """Open a file that may be a recording; returns PyAV's container. One at an address is read while it is decoded.

    Raises
    ------
    SessionError
        Stage ``media``: the file is missing, a folder, a pipe, unreadable, empty, cut off before its index, a still
        picture or no media at all.
    """
    container = _opened_stream(path) if isinstance(path, Address) else _opened_file(path)
    if container.format.name == "image2" or container.format.name.endswith("_pipe"):
        shut(container)
        raise SessionError(
            "media", f"{path.name} is a still picture, not a recording.", "Give the video file."
        )
    return container


def picture_stream(container: Any, path: Place) -> Any:
    """The stream to analyse: the one that the file marks as its default, else the largest, else the first.

    Cover art doesn't count.

    Raises
    ------
    SessionError
        Stage ``media``: there are no moving pictures, or no decoder for them.
    """
    streams = [s for s in container.streams.video if not int(s.disposition) & int(_ATTACHED)]
    if not streams:
        kind = "only sound" if container.streams.audio else "no video stream"
        raise SessionError(
            "media", f"{path.name} has {kind}; faces need pictures.", "Give the recording that has the video."
        )
    readable = [s for s in streams if s.codec_context is not None and s.codec_context.width > 0]
    if not readable:
        raise SessionError(
            "media", f"{path.name}: its pictures are in a coding that can't be read.", f"{RESAVE[:-1]}."
        )
    marked = [s for s in readable if int(s.disposition) & int(_DEFAULT)]
    if len(marked) == 1:
        return marked[0]
    return max(readable, key=lambda s: s.codec_context.width * s.codec_context.height)


def plain(error: BaseException) -> str:
    """What an FFmpeg error says, without its number and file name."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).split(":")[0].split(";")[0].removeprefix("[Errno ").strip()


def _opened_file(path: Path) -> Any:
    _check_file(path)
    try:
        # "file:" keeps a colon or a percent sign in a name from being read as a protocol or a pattern
        return av.open(
            f"file:{path}",
            metadata_errors="ignore",
            options={"format_whitelist": _FORMATS, "protocol_whitelist": "file"},
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise SessionError("media", f"{path.name}: {_why_not_opened(path, error)}", RESAVE) from None


def _opened_stream(address: Address) -> Any:
    _check_address(address)
    stream = Stream(address)
    try:
        container = av.open(
            stream,
            metadata_errors="ignore",
            buffer_size=PIECE_BYTES,
            options={"format_whitelist": _FORMATS, "protocol_whitelist": "none"},
        )
        check(container)
    except BaseException as error:
        stream.close()
        if isinstance(error, SessionError):
            raise
        stream.check()
        if not isinstance(error, (av.error.FFmpegError, OSError, ValueError)):
            raise
        raise SessionError("media", f"{address.name}: {_why_not_opened(address, error)}", RESAVE) from None
    return container


def _check_address(address: Address) -> None:
    try:
        found = address.found()
    except AddressError as error:
        raise said_of(address, error) from None
    if found.folder:
        raise SessionError("media", f"{address} is a folder, not a recording.", "Name the files in it.")
    if found.bytes == 0:
        raise SessionError(
            "media", f"{address.name} is empty (0 bytes).", "Copy it again from where it was recorded."
        )


def _check_file(path: Path) -> None:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise SessionError("media", f"{path} does not exist.", "Check the path.") from None
    except (OSError, ValueError) as error:
        raise SessionError("media", f"{path}: can't be read ({plain(error)}).", "Check the path.") from None
    if stat.S_ISDIR(found.st_mode):
        raise SessionError("media", f"{path} is a folder, not a recording.", "Name the files in it.")
    if not stat.S_ISREG(found.st_mode):  # opening a pipe would wait for ever
        raise SessionError(
            "media", f"{path.name} is a pipe or a device, not a file.", "Save the stream as a file first."
        )
    if found.st_size == 0:
        raise SessionError(
            "media", f"{path.name} is empty (0 bytes).", "Copy it again from where it was recorded."
        )
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise SessionError(
            "media", f"{path.name}: can't be read ({error.strerror}).", "Check its permissions."
        ) from None


def _why_not_opened(path: Place, error: BaseException) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as gone:
        return f"it could not be read to its end ({gone.strerror})."
    if head[4:8] in _DAMAGED_MP4:
        return "the file is cut off or damaged: the index of the MP4 is missing, so nothing in it can be decoded."
    if isinstance(error, (av.error.InvalidDataError, av.error.ArgumentError, ValueError)):
        return "this is no audio or video file that can be read."
    if isinstance(error, av.error.EOFError):
        return "the file ends before its first picture."
    if isinstance(error, av.error.PatchWelcomeError):
        return "it is coded in a way that can't be read."
    return f"it can't be opened ({plain(error)})."
