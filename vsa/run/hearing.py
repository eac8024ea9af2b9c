"""What can be heard without a look at the faces, while these are followed on the cores that would wait at the end."""

from __future__ import annotations

import threading
from types import TracebackType

from vsa.face.timing import Stopwatch
from vsa.run.sound import SessionSound, session_sound
from vsa.run.sound_reader import Recorded
from vsa.run.voices import Listened, listen
from vsa.study.plan import SessionPlan


class Hearing:
    """Reads and listens in a thread of its own, from when the last of a session's recordings was opened.

    Leaving it with an error waits until the thread has come to its next step, so that nothing is read from files that
    are closed then; not so where the whole run is stopped.

    Parameters
    ----------
    plan
        The session.
    watch
        Adds up where the time goes.
    """

    def __init__(self, plan: SessionPlan, watch: Stopwatch) -> None:
        self._plan = plan
        self._watch = watch
        self._recorded: list[Recorded] = []
        self._thread = threading.Thread(target=self._hear, name="vsa-hear", daemon=True)
        self._left = False
        self._heard: tuple[SessionSound, Listened] | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> Hearing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left = True
        if self._thread.ident is not None and (kind is None or issubclass(kind, Exception)):
            self._thread.join()

    def opened(self, recorded: Recorded) -> None:
        """A recording is open. Those of a session come in the order of its plan."""
        self._recorded.append(recorded)
        if len(self._recorded) == len(self._plan.videos):
            self._thread.start()

    def result(self) -> tuple[SessionSound, Listened]:
        """Wait for the sound, and what was heard in it.

        Raises
        ------
        SessionError
            Stage ``media``: a sound file can't be read or has no sound.
        ModelMissingError
            When the speech detector's file is not on this machine.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._heard is not None
        return self._heard

    def _hear(self) -> None:
        try:
            with self._watch.stage("sound"):
                sound = session_sound(self._plan, self._recorded)
            if self._left:
                return
            with self._watch.stage("voice"):
                self._heard = sound, listen(sound)
        except BaseException as error:
            self._error = error
