"""One family of errors: what went wrong, where, and what to do.

Every error that a person can meet carries a message, a hint and the exit code that the command line ends with:
2 when the call or the input is wrong and nothing was started, 3 when a session failed while others may have finished.
"""

from __future__ import annotations


class VsaError(Exception):
    """Something that the person at the keyboard can mend.

    Parameters
    ----------
    message
        What went wrong and where, in one line.
    hint
        What to do about it, in one line; empty if there is nothing to add.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(VsaError):
    """The call, a file or a setting is wrong; nothing was started."""


class ModelMissingError(VsaError):
    """A pretrained file is not on this machine, or is not the one that was expected."""


class ExtraMissingError(VsaError):
    """An optional package is needed; the hint names the extra that brings it."""


class SessionError(VsaError):
    """One session could not be analysed; others are not touched.

    Parameters
    ----------
    stage
        The room in which it failed: ``media``, ``face``, ``features``, ``write``.
    """

    exit_code = 3

    def __init__(self, stage: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.stage = stage

    def __reduce__(self) -> tuple[type[SessionError], tuple[str, str, str]]:
        return type(self), (self.stage, self.message, self.hint)
