"""The floor: nothing but decoding, and the two nets as they come, once for each face. Prints pictures and seconds.

The pictures' reader and the nets share the cores without a wait: as many threads as cores, each of which takes the
next decoded picture and runs the nets on numbers that are at hand. No face is found, cut out or followed.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import av
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from vsa import cores
from vsa.face import bundle


def main(path: str, faces: int) -> None:
    nets = bundle.load()
    start = time.perf_counter()
    counts = []
    with av.open(path) as held:
        stream = held.streams.video[0]
        stream.thread_type = "NONE"
        pictures = held.decode(stream)
        turn = threading.Lock()

        def work() -> None:
            own = [_net(nets.landmarks), _net(nets.blendshapes)]
            count = 0
            while True:
                with turn:
                    if next(pictures, None) is None:
                        break
                count += 1
                for _ in range(faces):
                    for net in own:
                        net.invoke()
            counts.append(count)

        threads = [threading.Thread(target=work) for _ in range(cores.usable())]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(json.dumps({"pictures": sum(counts), "seconds": time.perf_counter() - start}))


def _net(model: bytes) -> Interpreter:
    net = Interpreter(model_content=bytes(model), num_threads=1)
    net.allocate_tensors()
    for tensor in net.get_input_details():
        net.set_tensor(tensor["index"], np.full(tensor["shape"], 0.5, np.float32))
    return net


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
