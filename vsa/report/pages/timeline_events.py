"""What happened in a session, in words: the table beside its timeline, which also says what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from vsa.report.pages.timeline_spans import both
from vsa.report.pages.view import Flag
from vsa.report.pages.view_timeline import Timeline

#: Smiles that overlap for less are not listed, s.
TOGETHER_S = 0.5
#: Who is none of the participants.
SOMEBODY = "somebody else"
_SIGNALS = {"speech": "speech", "gaze": "gaze", "smile": "smiles", "nod": "nods"}


def events(timeline: Timeline, flag: Flag | None) -> list[dict[str, Any]]:
    """Events by kind: ``kind``, and ``rows`` of start and end (s) and words; none without a row."""
    found = [
        ("Moments behind the reasons", _moments(flag)),
        ("Interruptions", _interruptions(timeline)),
        ("Silences of 3 s or longer", [[a, b, "nobody speaks"] for a, b in timeline.silences]),
        ("Smiles at the same time", list(_smiles(timeline))),
        ("Speech of others", [[a, b, f"{SOMEBODY} speaks"] for a, b in timeline.strangers]),
    ]
    return [
        {"kind": kind, "rows": [[round(float(a), 2), round(float(b), 2), words] for a, b, words in rows]}
        for kind, rows in found
        if rows
    ]


def gaps(timeline: Timeline) -> list[str]:
    """What is missing in the whole session, and why."""
    told = [f"who speaks when: {timeline.no_speech}"] if timeline.no_speech else []
    for lane in timeline.lanes:
        for signal, why in lane.missing.items():
            if signal != "speech" or not timeline.no_speech:
                told.append(f"{_SIGNALS.get(signal, signal)} of {lane.name}: {why}")
    if timeline.synchrony.why_none:
        told.append(f"movement together: {timeline.synchrony.why_none}")
    return told


def _moments(flag: Flag | None) -> list[list[Any]]:
    if flag is None:
        return []
    return [
        [one.start_s, one.end_s, f"reason {number}: {why.words}"]
        for number, why in enumerate(flag.reasons, 1)
        for one in why.moments
    ]


def _interruptions(timeline: Timeline) -> list[list[Any]]:
    names = {lane.scope: lane.name for lane in timeline.lanes}
    return [
        [
            one.start_s,
            one.end_s,
            f"{names.get(one.by, SOMEBODY)} interrupts {names.get(one.of, SOMEBODY)} and "
            f"{'takes' if one.taken else 'does not take'} the turn",
        ]
        for one in timeline.interruptions
    ]


def _smiles(timeline: Timeline) -> Iterator[list[Any]]:
    for one, other in combinations(timeline.lanes, 2):
        for start, end in both(one.smiles, other.smiles):
            if end - start >= TOGETHER_S:
                yield [start, end, f"{one.name} and {other.name} smile"]
