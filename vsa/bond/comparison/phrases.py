"""What groups are called in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from vsa.bond.comparison.columns import label_of

_SEEN = {
    "online": "seen online",
    "video": "seen over video",
    "phone": "seen by phone",
    "in_person": "seen in person",
    "in person": "seen in person",
    "face_to_face": "seen face to face",
    "face to face": "seen face to face",
    "face-to-face": "seen face to face",
}


def kind(factor: str, level: str) -> str:
    """People of a group, to follow their number.

    Examples
    --------
    >>> kind("modality", "in_person"), kind("attachment", "insecure")
    ('seen in person', 'with insecure attachment')
    >>> kind("diagnosis", "depression"), kind("session_language", "Catalan")
    ('with diagnosis depression', "with session language 'Catalan'")
    """
    if factor == "modality" and level.casefold() in _SEEN:
        return _SEEN[level.casefold()]
    if factor == "attachment":
        return f"with {level_text(level)} attachment"
    if factor in ("diagnosis", "gender"):
        return f"with {factor} {level_text(level)}"
    return f"with {label_of(factor)} '{level}'"


def level_text(level: str) -> str:
    """A group's name, as people write it.

    Examples
    --------
    >>> level_text("in_person")
    'in person'
    """
    return level.replace("_", " ")


def joined(names: Sequence[str]) -> str:
    """Names with commas, and the last with "and".

    Examples
    --------
    >>> joined(["goal", "task", "bond"])
    'goal, task and bond'
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
