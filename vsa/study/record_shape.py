"""What kinds of values a ``session.json`` holds under the keys that are read: another kind is damage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NONE = type(None)
_TEXT, _TEXT_OR_NONE = (str,), (str, _NONE)
_NUMBER_OR_NONE = (int, float, _NONE)
_OBJECT, _OBJECT_OR_NONE = (dict,), (dict, _NONE)
_SOURCE = {
    "name": _TEXT_OR_NONE,
    "role": _TEXT_OR_NONE,
    "sha256": _TEXT_OR_NONE,
    "duration_s": _NUMBER_OR_NONE,
    "start_s": _NUMBER_OR_NONE,
}
#: Types; a list of one is a list of those, and a mapping an object with keys, of which any may be absent.
_SHAPE: Mapping[str, Any] = {
    "session_id": _TEXT,
    "source": _SOURCE,
    "further_sources": [_SOURCE],
    "sound_files": [_SOURCE],
    "consent": _OBJECT_OR_NONE,
    "hints": _OBJECT,
    "settings": _OBJECT,
    "participants": [
        {
            "id": (str, int),
            "role": _TEXT_OR_NONE,
            "tracked_share": _NUMBER_OR_NONE,
            "gaze_neutral_deg": [(int, float)],
        }
    ],
    "sound": {
        "kind": _TEXT,
        "confidence": _NUMBER_OR_NONE,
        "voices": [{"participant": _TEXT_OR_NONE, "speech_s": _NUMBER_OR_NONE}],
        "tracks": [_OBJECT],
        "bleed": [_OBJECT],
        "turns": {"from": _TEXT},
    },
    "quality": {"notes": [_TEXT], "features_missing": _OBJECT, "participants": _OBJECT},
}
#: Where nothing may stand instead: of signals that were drawn there is no recording.
_NOTHING_TOO = ("source", "gaze_neutral_deg", "turns")


def foreign(record: Mapping[str, Any]) -> str:
    """The first key whose value is of a kind that vsa never writes there, as ``sound.voices``; empty if there is none.

    Examples
    --------
    >>> foreign({"status": "complete", "participants": [{"id": "p1"}], "sound": 5})
    'sound'
    """
    return next(filter(None, (_foreign(record, key, shape, key) for key, shape in _SHAPE.items())), "")


def _foreign(held: Mapping[str, Any], key: str, shape: Any, place: str) -> str:
    if key not in held or (held[key] is None and key in _NOTHING_TOO):
        return ""
    return _wrong(held[key], shape, place)


def _wrong(value: object, shape: Any, place: str) -> str:
    if isinstance(shape, tuple):
        fits = isinstance(value, shape) and not (isinstance(value, bool) and bool not in shape)
        return "" if fits else place
    if isinstance(shape, list):
        if not isinstance(value, list):
            return place
        return next(filter(None, (_wrong(one, shape[0], place) for one in value)), "")
    if not isinstance(value, dict):
        return place
    return next(filter(None, (_foreign(value, key, own, f"{place}.{key}") for key, own in shape.items())), "")
