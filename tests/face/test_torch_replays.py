"""Networks replayed at a few sizes of batch: the right answer for every size, whatever was asked before."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra `cuda` is not installed: torch")
pytest.importorskip("tflite", reason="the extra `cuda` is not installed: tflite")

from vsa.errors import ModelMissingError  # noqa: E402
from vsa.face import bundle  # noqa: E402
from vsa.face.torch import graph  # noqa: E402
from vsa.face.torch.net import Net  # noqa: E402
from vsa.face.torch.replays import CudaGraphs, Recording, Replays, run_again  # noqa: E402
from vsa.face.torch.runner import exactly  # noqa: E402

CPU = torch.device("cpu")


def expressions(device=CPU):
    """The network of the expressions, which has nearly every operation."""
    try:
        return Net(graph.read(bundle.load().blendshapes, ["StatefulPartitionedCall:0"]), device)
    except ModelMissingError as error:
        pytest.skip(str(error))


def points(n, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(0, 256, (n, 146, 2)).astype(np.float32))


class Counted:
    """A recorder that keeps the sizes that it was asked for."""

    def __init__(self, record):
        self.record, self.sizes = record, []

    def __call__(self, network, given):
        self.sizes.append(len(given))
        return self.record(network, given)


def test_every_size_of_batch_gets_its_own_answer_and_few_are_recorded():
    net, recorder = expressions(), Counted(run_again)
    replays = Replays(net, recorder, most=8)
    with exactly():
        for seed, n in enumerate([1, 3, 2, 8, 5, 4, 1, 7, 3, 9, 20]):
            items = points(n, seed)
            got, expected = replays(items)[0], net(items)[0]
            assert got.shape == expected.shape
            assert torch.allclose(got, expected, atol=1e-4)
    assert recorder.sizes == [1, 4, 2, 8]  # larger batches than 8 run as they are


def test_recordings_that_were_forgotten_are_made_again():
    net, recorder = expressions(), Counted(run_again)
    replays = Replays(net, recorder)
    with exactly():
        for _ in range(2):
            assert torch.allclose(replays(points(3))[0], net(points(3))[0], atol=1e-4)
            replays.forget()
    assert recorder.sizes == [4, 4]
    assert replays.works


def fails(network, given):
    raise RuntimeError("CUDA error: operation not permitted when stream is capturing")


def lacks_memory(network, given):
    raise torch.OutOfMemoryError("CUDA out of memory.")


def is_off(network, given):
    """A recording that gives something else: here what it was given first, for ever."""
    return Recording(given, [y + 0.01 for y in network(given)], lambda: None)


@pytest.mark.parametrize("broken", [fails, lacks_memory, is_off])
def test_a_recording_that_fails_or_is_off_is_not_tried_again_and_answers_stay_right(broken):
    net, recorder = expressions(), Counted(broken)
    replays = Replays(net, recorder)
    with exactly():
        for n in (3, 3, 1, 6):
            assert torch.equal(replays(points(n))[0], net(points(n))[0])
    assert recorder.sizes == [4]
    assert not replays.works


def test_without_a_way_to_record_the_network_just_runs():
    net = expressions()
    replays = Replays(net, None)
    with exactly():
        assert torch.equal(replays(points(5))[0], net(points(5))[0])
    assert not replays.works


def test_convolutions_of_nvidias_library_stay_on_and_shorten_no_numbers():
    before = torch.backends.cudnn.enabled
    with exactly():
        assert torch.backends.cudnn.enabled
        assert not torch.backends.cudnn.allow_tf32
        assert torch.is_inference_mode_enabled()
    assert torch.backends.cudnn.enabled == before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_cuda_graphs_give_what_the_network_gives():
    device = torch.device("cuda")
    net = expressions(device)
    replays = Replays(net, CudaGraphs(device))
    with exactly():
        for seed, n in enumerate([1, 3, 8, 2, 5, 1]):
            items = points(n, seed).to(device)
            assert torch.allclose(replays(items)[0], net(items)[0], atol=1e-4)
    assert replays.works
