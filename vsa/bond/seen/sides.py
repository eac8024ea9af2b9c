"""Which side sessions are on, the training's or the new one's, and what it would be by chance.

Whole clients swap sides. Each takes a place, and with it the number of sessions of whoever had it, as far as there are
so many: drawn from its own at random. Without that, clients with many sessions would stand in for those with few, whose
means vary more, and cohorts with fewer sessions a client would seem to differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sides:
    """The training's clients, then the new ones; n sessions of c clients.

    Attributes
    ----------
    client
        Whose session it is, (n,), from 0 on.
    new
        Whether a client is on the new side, (c,).
    sessions
        How many sessions a client has, (c,).
    """

    client: npt.NDArray[np.intp]
    new: npt.NDArray[np.bool_]
    sessions: npt.NDArray[np.intp]

    @classmethod
    def of(cls, training: npt.NDArray[np.str_], new: npt.NDArray[np.str_]) -> Sides:
        """Take down who is on which side.

        Parameters
        ----------
        training, new
            Whose session each row is. The same label on both sides is another person.
        """
        before, first = np.unique(training, return_inverse=True)
        after, second = np.unique(new, return_inverse=True)
        client = np.concatenate([first.ravel(), len(before) + second.ravel()]).astype(np.intp)
        side = np.arange(len(before) + len(after)) >= len(before)
        return cls(client, side, np.bincount(client, minlength=len(side)).astype(np.intp))

    def as_they_are(self) -> tuple[Weights, Weights]:
        """Sessions on the training's side and on the new one, (1, n) each: 1 or 0."""
        on_new = self.new[self.client][None]
        return (~on_new).astype(np.float32), on_new.astype(np.float32)

    def swapped(self, rng: np.random.Generator, draws: int) -> tuple[Weights, Weights]:
        """The same by chance, (draws, n) each; a session may be on neither side."""
        place, used = self.places(rng, draws)
        on_new = self.new[place][:, self.client]
        return (used & ~on_new).astype(np.float32), (used & on_new).astype(np.float32)

    def places(
        self, rng: np.random.Generator, draws: int
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Whose place each client takes, (draws, c), and which sessions are used, (draws, n)."""
        place = rng.permuted(np.tile(np.arange(len(self.new)), (draws, 1)), axis=1)
        if (self.sessions == self.sessions[0]).all():
            return place, np.ones((draws, len(self.client)), np.bool_)
        # a client's sessions in random order, one client after the other
        order = np.argsort(self.client + rng.random((draws, len(self.client))), axis=1)
        start = np.cumsum(self.sessions) - self.sessions
        turn = np.arange(len(self.client)) - start[np.sort(self.client)]
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.broadcast_to(turn, order.shape), axis=1)
        return place, rank < self.sessions[place][:, self.client]
