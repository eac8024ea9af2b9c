"""Whether this machine can run the engine `cuda`, and why not; answers at once where there is no NVIDIA driver."""

from __future__ import annotations

import ctypes
from importlib.util import find_spec

from vsa.errors import ExtraMissingError, InputError, SessionError
from vsa.face.engine import FaceEngine

_DRIVERS = ("libcuda.so.1", "nvcuda.dll")


def has_driver() -> bool:
    """Whether NVIDIA's driver is installed: without it PyTorch, which takes seconds to load, need not be asked."""
    for name in _DRIVERS:
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False


def lacking_packages() -> list[str]:
    """Packages of the extra `cuda` that are not installed."""
    return [name for name in ("torch", "tflite") if find_spec(name) is None]


def obstacle() -> tuple[str, str]:
    """What keeps the engine `cuda` from running here and what to do about it; two empty texts if nothing does."""
    if lacking := lacking_packages():
        verb = "are" if len(lacking) > 1 else "is"
        return f"{' and '.join(lacking)} {verb} not installed", "pip install 'vsa[cuda]'"
    try:
        import torch
    except (ImportError, OSError) as error:
        return f"PyTorch does not load: {error}", "pip install --force-reinstall 'vsa[cuda]'"
    if torch.version.cuda is None:
        return (
            f"PyTorch {torch.__version__} is built without CUDA",
            "Install PyTorch for your CUDA version: https://pytorch.org/get-started",
        )
    if not torch.cuda.is_available():
        return "PyTorch finds no CUDA GPU", "Check 'nvidia-smi'; else choose the engine 'cpu'."
    return "", ""


def create() -> FaceEngine:
    """The engine `cuda` on this machine's GPU.

    Raises
    ------
    ExtraMissingError
        When packages of the extra are not installed.
    InputError
        When PyTorch can't use a GPU here.
    ModelMissingError
        When the pretrained files are not on this machine.
    """
    found, todo = obstacle()
    if found:
        kind = ExtraMissingError if lacking_packages() else InputError
        raise kind(
            f"The engine 'cuda' can't run: {found}.", f"{todo.removesuffix('.')}; 'vsa doctor' says more."
        )
    import torch

    from vsa.face.torch.engine import TorchEngine

    try:
        return TorchEngine(torch.device("cuda"))
    except (RuntimeError, SessionError) as error:  # a GPU too old for this PyTorch, or one that is full
        raise InputError(f"The engine 'cuda' can't run: {error}", "Choose the engine 'cpu'.") from error
