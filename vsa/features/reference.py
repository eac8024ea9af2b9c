"""The registry as a page of documentation: docs/features.md."""

from __future__ import annotations

from collections.abc import Mapping

from vsa.features.core import CORE
from vsa.features.registry import DYAD, GROUPS, Feature, features

_HEAD = """\
# Features

<!-- Written by `vsa features list --markdown`; a test holds it equal to the registry. -->

One row per session, one column per feature and person: `<scope>.<group>.<name>`. The scope is the role (`client`,
`therapist`), or the participant's id where there is no role; features of a pair have the scope `dyad`. There are
{count} features: {roles} of each person and {dyads} of the pair, in {groups} groups.

- A feature that could not be computed is NaN, never 0, and `quality.features_missing` in `session.json` says why.
- `vsa features show NAME` prints one entry.
- **Expected** is the direction that studies report with a stronger bond. Nothing is computed from it, and where studies
  conflict, or there are none, it is empty.
- The **core set** is what a bond is predicted from by default (`vsa train --features all` takes every feature). Its
  early, middle and late thirds and slopes are features too.
- A **lift** is an observed share less the share that chance gives. A **difference** is between two shares.
- Of a pair, the *first* is the first in the alphabet: the client before the therapist.
- Sources say where a definition comes from; what is a convention of this project says so, and has not been validated
  against the bond.
"""

_ABOUT: Mapping[str, str] = {
    "gaze": 'Toward the person\'s own home direction, which in a video call is the screen. Never "eye contact": where '
    "the camera stands is not known, and gaze from a webcam is wrong by 7 to 20 degrees.",
    "blink": "Closures of both lids against the person's own open eye.",
    "face": "Expression scores against the person's own neutral face.",
    "head": "Pose, position and movement of the head, and motion energy of the person's picture.",
    "voice": "Pitch, loudness and syllables of the person's own speech, and how two people's come to resemble each "
    "other from turn to turn.",
    "turns": "Who speaks when. Turn, backchannel, gap, overlap, floor and interruption are defined in "
    "`vsa/voice/turns.py`.",
    "sync": "How two people's signals go together in time, always against chance. See [synchrony](synchrony.md).",
    "quality": "What the other features rest on. These describe the recording; a bond is never predicted from them.",
}


def markdown() -> str:
    """The page, in Markdown."""
    entries = features()
    dyads = sum(entry.scope == DYAD for entry in entries)
    head = _HEAD.format(count=len(entries), roles=len(entries) - dyads, dyads=dyads, groups=len(GROUPS))
    return "\n".join([head, *(_group(group) for group in GROUPS)])


def _group(group: str) -> str:
    own = [entry for entry in features() if entry.group == group]
    lines = [f"## {group}", "", _ABOUT[group], ""]
    for entry in own:
        lines += [f"### `{entry.name}`", "", entry.definition, "", *_facts(entry), ""]
    return "\n".join(lines)


def _facts(entry: Feature) -> list[str]:
    low, high = entry.range
    span = f"{'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}"
    of = "the pair" if entry.scope == DYAD else "each person"
    core = "; core set" if entry.name in CORE else ""
    facts = [f"- Of {of}{core}; unit {entry.unit}; range {span if (low, high) != (None, None) else 'any'}."]
    if entry.expect != "none":
        facts.append(f"- Expected {entry.expect} with a stronger bond.")
    facts.append(f"- Needs {' and '.join(entry.needs)}: {entry.minimum}.")
    return [*facts, f"- {entry.source}"]
