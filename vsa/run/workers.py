"""Who does the sessions of a batch: this process, several on this machine (`processes`), or a cluster (`cluster`)."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from typing import Protocol

from vsa.run.attempt import Told, attempt
from vsa.run.outcome import Outcome
from vsa.run.settings import Settings
from vsa.study.addresses import Place
from vsa.study.failures import Failure
from vsa.study.plan import SessionPlan


class Workers(Protocol):
    """Does sessions. What is wrong with all of them is raised when it is made, before any is begun.

    Attributes
    ----------
    name, detail
        Of the engine, or of the place where it runs; for people.
    """

    name: str
    detail: str

    def run(self, plans: Sequence[SessionPlan], told: Told) -> Generator[Outcome | Failure, None, None]:
        """Do sessions; each comes back as it ends. Closing the iterator ends those in work."""
        ...


class Here:
    """In this process, one after another, with all cores for each.

    Parameters
    ----------
    out
        The results folder.
    settings
        How.

    Raises
    ------
    InputError, ExtraMissingError, ModelMissingError
        When the engine can't run here.
    """

    def __init__(self, out: Place, settings: Settings) -> None:
        # who hands sessions to a cluster has no engine
        from vsa import assets
        from vsa.face.engine import create
        from vsa.voice import activity

        self._engine = create(settings.engine)
        assets.find(activity.MODEL)
        self._out = out
        self._settings = settings
        self.name, self.detail = self._engine.name, self._engine.detail

    def run(self, plans: Sequence[SessionPlan], told: Told) -> Generator[Outcome | Failure, None, None]:
        """See `Workers.run`."""
        if plans:
            threading.Thread(target=load_features, daemon=True).start()
        for plan in plans:
            yield attempt(plan, self._out, self._engine, self._settings, told)


def load_features() -> None:
    """Import what tables and features need while the first session is followed: two seconds on a core that waits."""
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import scipy.signal
    import scipy.spatial.transform  # noqa: F401

    import vsa.features.registry

    vsa.features.registry.features()
