"""Many small calls from several threads made into few large ones, no larger than the memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from vsa.errors import SessionError

Floats = npt.NDArray[np.float32]


@dataclass(eq=False)
class _Asked:
    items: Sequence[Any]
    answer: list[Floats] = field(default_factory=list)
    error: BaseException | None = None
    done: bool = False


class Batches:
    """Runs a network on what threads ask of it; what they ask while it is busy runs together next.

    Parameters
    ----------
    run
        The network: n items -> arrays (n, ...); may raise `torch.OutOfMemoryError`.
    most
        Items to run at once; halved, for good, when the memory is too small for as many.
    busy
        Held while the network runs; networks on one device share it.
    make_room
        Called when memory ran out, before the next try.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Any]], list[Floats]],
        most: int,
        busy: threading.Lock,
        make_room: Callable[[], None] = lambda: None,
    ) -> None:
        self.most = most
        self._run = run
        self._busy = busy
        self._make_room = make_room
        self._waiting: deque[_Asked] = deque()

    def __call__(self, items: Sequence[Any]) -> list[Floats]:
        """Results for n >= 1 items.

        Raises
        ------
        SessionError
            When the memory is too small for one item.
        """
        asked = _Asked(items)
        self._waiting.append(asked)
        with self._busy:
            if not asked.done:  # else whoever was here before took it along
                self._serve()
        if asked.error is not None:
            raise asked.error
        return asked.answer

    def _serve(self) -> None:
        together = []
        while self._waiting:
            together.append(self._waiting.popleft())
        try:
            results = self._in_parts([item for asked in together for item in asked.items])
            at = 0
            for asked in together:
                asked.answer = [result[at : at + len(asked.items)] for result in results]
                at += len(asked.items)
        except BaseException as error:
            for asked in together:
                asked.error = error
        for asked in together:
            asked.done = True

    def _in_parts(self, items: Sequence[Any]) -> list[Floats]:
        parts: list[list[Floats]] = []
        at = 0
        while at < len(items):
            part = self._tried(items[at : at + self.most])
            if part is not None:
                parts.append(part)
                at += len(part[0])
                continue
            size = min(self.most, len(items) - at)
            if size == 1:
                raise SessionError(
                    "face",
                    "The GPU's memory is too small for one face.",
                    "Close what else uses the GPU, or choose the engine 'cpu'.",
                )
            self.most = size // 2
            self._make_room()
        return _joined(parts)

    def _tried(self, items: Sequence[Any]) -> list[Floats] | None:
        try:
            return self._run(items)
        except torch.OutOfMemoryError:
            return None  # only after this are the failed try's tensors given back


def _joined(parts: Sequence[list[Floats]]) -> list[Floats]:
    return parts[0] if len(parts) == 1 else [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
