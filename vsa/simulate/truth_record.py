"""``session.json`` of the truth of a simulated call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import vsa
from vsa.face.follow import Block
from vsa.face.table import COLUMNS
from vsa.simulate.call import SimulatedCall
from vsa.simulate.filming import layout_of
from vsa.simulate.scenario import CAST
from vsa.study.consent import ALL, PURPOSES
from vsa.voice.voice_track import VoiceTrack

_SCHEMA = 3


def record_of(
    call: SimulatedCall,
    session_id: str,
    ids: Mapping[str, str],
    tiles: Mapping[str, tuple[int, int, int, int]],
    faces: Mapping[str, Block],
    voices: tuple[VoiceTrack, ...],
    facts: Mapping[str, str],
) -> dict[str, Any]:
    """All of it but the recording's fingerprint and what the features add.

    Parameters
    ----------
    call
        The call.
    session_id
        What its session is called.
    ids, tiles
        By role, from left to right: the participant's id, and where he or she is most of the time.
    faces
        By id.
    voices
        Of those who speak.
    facts
        Further columns of the manifest.
    """
    scenario = call.scenario
    shares = {who: _rounded(faces[who].tracked.mean()) for who in ids.values()}
    heard = bool(voices) and scenario.sound is not None
    return {
        "schema": _SCHEMA,
        "session_id": session_id,
        "status": "complete",
        "simulated": True,
        "source": {
            "name": call.path.name,
            "role": None,
            "duration_s": round(scenario.seconds, 3),
            "start_s": 0.0,
            "clock": None,
            "width": scenario.size[0],
            "height": scenario.size[1],
            "fps": round(scenario.fps, 3),
            "audio_channels": 0 if not heard else 2 if scenario.sound == "channels" else 1,
            "audio_streams": 0 if not heard else len(CAST) if scenario.sound == "streams" else 1,
        },
        "further_sources": [],
        "sound_files": [],
        "facts": dict(facts),
        "consent": {"by": {ALL: sorted(PURPOSES)}, "purposes": sorted(PURPOSES)},
        "hints": {},
        "participants": [
            {
                "id": who,
                "role": role,
                "tile": list(tiles[role]),
                "source": call.path.name,
                "tracked_share": shares[who],
                "gaze_neutral_deg": [0.0, 0.0],
                "portrait": call.people[role].name,
                "identity": None,
            }
            for role, who in ids.items()
        ],
        "layout": [_layout(call, ids)],
        "sound": {
            "kind": scenario.sound if heard else "none",
            "method": "the plan of the simulated conversation" if heard else "none: there is no sound",
            "confidence": 1.0 if heard else None,
            "picture_offset_s": 0.0 if heard else None,
            "voices": [
                {"participant": v.participant, "speech_s": round(v.speech_s, 2), "known_share": 1.0}
                for v in voices
            ],
            "tracks": [],
            "bleed": [],
            "turns": {"from": "found"},
        },
        "engine": "simulated",
        "settings": {"fps": "native", "engine": "simulated", "landmarks": False},
        "simulation": {"scenario": scenario.name, "about": scenario.about, "seed": call.seed},
        "versions": {"vsa": vsa.__version__},
        "quality": {
            "frames": len(call.times),
            "analysed_fps": [_rounded((len(call.times) - 1) / (call.times[-1] - call.times[0]), 3)],
            "notes": ["SIMULATED: nobody in it is a client, and this is what is true, not what was measured"],
            "participants": {who: _quality(face, shares[who]) for who, face in faces.items()},
        },
        "timings_s": {},
    }


def _layout(call: SimulatedCall, ids: Mapping[str, str]) -> dict[str, Any]:
    layouts, which = layout_of(call.scenario, call.times)
    changes = np.flatnonzero(np.diff(which, prepend=-1))
    return {
        "source": call.path.name,
        "decided_by": ["simulated"],
        "confidence": 1.0,
        "changes": [
            {
                "t": _rounded(call.times[k], 6),
                "tiles": [
                    {
                        "box": list(layouts[which[k]][role]),
                        "how": "simulated",
                        "confidence": 1.0,
                        "participant": who,
                    }
                    for role, who in ids.items()
                ],
            }
            for k in changes
        ],
        "set_aside": [],
    }


def _quality(face: Block, share: float) -> dict[str, Any]:
    height = face.values[face.tracked, COLUMNS.index("box_h")]
    motion = face.values[face.tracked, COLUMNS.index("motion")]
    known = motion[np.isfinite(motion)]
    return {
        "tracked_share": share,
        "face_height_px": _rounded(np.median(height), 1) if len(height) else None,
        "frozen_share": _rounded((known == 0).mean()) if len(known) else None,
    }


def _rounded(value: Any, digits: int = 4) -> float:
    return round(float(value), digits)
