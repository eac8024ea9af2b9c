"""Sessions of a simulated cohort as a results folder: what extraction writes, without recordings."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from joblib import Parallel, delayed

import vsa
from vsa.face.table import COLUMNS
from vsa.run.corrections import settle, speech_in
from vsa.run.session_features import write_features
from vsa.simulate.cohort_behaviour import EFFECTS, Habits, draw_habits
from vsa.simulate.cohort_signals import SessionSignals, session_signals
from vsa.simulate.cohort_tracks import TILE
from vsa.study.consent import ALL, PURPOSES
from vsa.study.face_table import write_face
from vsa.study.results import Results, write_json
from vsa.study.session_files import SCHEMA
from vsa.study.simulated_mark import mark
from vsa.study.voice_table import write_voice

if TYPE_CHECKING:
    import pandas as pd

#: Participants in order; the first sits on the left.
PARTICIPANTS: Mapping[str, str] = {"p1": "therapist", "p2": "client"}
#: The latent bond, and how names of other columns begin that are not to be known either.
BOND, HIDDEN = "bond_z", "latent"

_ENGINE = "simulated"
_NOTE = (
    "SIMULATED: nobody in it is a client; there is no recording, and signals were drawn from a latent bond"
)


def write_sessions(
    out: Path,
    sessions: pd.DataFrame,
    *,
    seconds: float,
    fps: float,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
    effects: Mapping[str, float] = EFFECTS,
    jobs: int = 1,
) -> None:
    """Draw sessions and write each as `vsa extract` would, with ``features.parquet`` of all that are in the folder.

    A session's files depend on the seed, its ids and its bond alone: not on which others are written.

    Parameters
    ----------
    out
        The results folder. A session that is there already is replaced.
    sessions
        One row per session: `session_id`, `client_id`, `therapist_id`, and `bond_z`: the latent bond, standard normal
        over the cohort. Further columns become facts of the session, but for those that begin with ``latent``.
    seconds, fps
        Length of each session, and pictures a second.
    seed
        The same seed gives the same files, byte for byte.
    progress
        Is told how many of how many sessions are done.
    effects
        As `vsa.simulate.cohort_behaviour.EFFECTS`; ``{}`` for sessions in which nothing depends on the bond.
    jobs
        Processes; -1: one a core.

    Raises
    ------
    InputError
        When `out` can't be written.
    SessionError
        Stage ``write``, when the disk is full or something else lies where a session goes.
    """
    results = Results(out)
    results.prepare()
    rows = sessions.to_dict("records")
    progress(0, len(rows))
    calls = (delayed(_draw)(out, row, seconds, fps, seed, effects) for row in rows)
    for done, _ in enumerate(Parallel(n_jobs=jobs, return_as="generator_unordered")(calls), 1):
        progress(done, len(rows))
    results.gather_features()


def _draw(
    out: Path, row: Mapping[Any, Any], seconds: float, fps: float, seed: int, effects: Mapping[str, float]
) -> None:
    """Draw one session into its folder."""
    ids = {role: str(row[f"{role}_id"]) for role in PARTICIPANTS.values()}
    people = {role: draw_habits(_rng(seed, role, who)) for role, who in ids.items()}
    session_id = str(row["session_id"])
    rng = _rng(seed, "session", session_id)
    drawn = session_signals(float(row[BOND]), people, seconds, fps, rng, effects=effects)
    described = _record(session_id, _facts(row), people, drawn, seconds, fps, seed)
    with Results(out).writing(session_id) as folder:
        _write(folder, described, drawn)


def _rng(seed: int, kind: str, name: str) -> np.random.Generator:
    """Chance of one person or session, whoever else there is."""
    return np.random.default_rng([seed, crc32(kind.encode()), crc32(name.encode())])


def _write(folder: Path, described: dict[str, Any], drawn: SessionSignals) -> None:
    write_face(
        folder / "face.parquet", COLUMNS, ((who, drawn.faces[role]) for who, role in PARTICIPANTS.items())
    )
    write_voice(
        folder / "voice.parquet",
        [replace(drawn.voices[role], participant=who) for who, role in PARTICIPANTS.items()],
    )
    turns = settle(None, described["participants"], speech_in(folder))
    turns.write(folder, described["session_id"])
    missing = write_features(folder, described)
    described["quality"]["features_missing"] = missing
    write_json(folder / "session.json", described)
    mark(folder.glob("*.parquet"))


def _facts(row: Mapping[Any, Any]) -> dict[str, str]:
    """What may be known of a session, as text; empty cells are left out."""
    hidden = {name for name in row if name in ("session_id", BOND) or str(name).lower().startswith(HIDDEN)}
    known = {str(name): value for name, value in row.items() if name not in hidden}
    return {name: _text(value) for name, value in known.items() if not _empty(value)} | {"simulated": "true"}


def _empty(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def _record(
    session_id: str,
    facts: dict[str, str],
    people: Mapping[str, Habits],
    drawn: SessionSignals,
    seconds: float,
    fps: float,
    seed: int,
) -> dict[str, Any]:
    """``session.json`` but for what the features add; keys as in `vsa.run.record`."""
    width, height = TILE
    tiles = {who: [k * width, 0, width, height] for k, who in enumerate(PARTICIPANTS)}
    name = f"{session_id} (simulated, no recording)"
    shares = {who: float(round(drawn.faces[role].tracked.mean(), 4)) for who, role in PARTICIPANTS.items()}
    return {
        "schema": SCHEMA,
        "session_id": session_id,
        "status": "complete",
        "simulated": True,
        "source": {
            "name": name,
            "sha256": None,
            "bytes": None,
            "modified_ns": None,
            "role": None,
            "duration_s": round(seconds, 3),
            "start_s": 0.0,
            "clock": None,
            "width": len(PARTICIPANTS) * width,
            "height": height,
            "fps": round(fps, 3),
            "audio_channels": 1,
            "audio_streams": len(PARTICIPANTS),
        },
        "further_sources": [],
        "sound_files": [],
        "facts": facts,
        "consent": {"by": {ALL: sorted(PURPOSES)}, "purposes": sorted(PURPOSES)},
        "hints": {},
        "participants": [
            {
                "id": who,
                "role": role,
                "tile": tiles[who],
                "source": name,
                "tracked_share": shares[who],
                "gaze_neutral_deg": [round(angle, 2) for angle in people[role].home_deg],
                "identity": None,
            }
            for who, role in PARTICIPANTS.items()
        ],
        "layout": [
            {
                "source": name,
                "decided_by": ["simulated"],
                "confidence": 1.0,
                "changes": [
                    {
                        "t": 0.0,
                        "tiles": [
                            {"box": box, "how": "simulated", "confidence": 1.0, "participant": who}
                            for who, box in tiles.items()
                        ],
                    }
                ],
                "set_aside": [],
            }
        ],
        "sound": {
            "kind": "streams",
            "method": "drawn: there is no sound",
            "confidence": 1.0,
            "picture_offset_s": 0.0,
            "voices": [
                {"participant": who, "speech_s": round(drawn.voices[role].speech_s, 2), "known_share": 1.0}
                for who, role in PARTICIPANTS.items()
            ],
            "tracks": [],
            "bleed": [],
            "turns": {"from": "found"},
        },
        "engine": _ENGINE,
        "settings": {"fps": "native", "engine": _ENGINE, "landmarks": False},
        "simulation": {"level": "signals", "seed": seed},
        "versions": {"vsa": vsa.__version__},
        "quality": {
            "frames": len(next(iter(drawn.faces.values())).t),
            "analysed_fps": [round(fps, 3)],
            "notes": [_NOTE],
            "participants": {
                who: {
                    "tracked_share": shares[who],
                    "face_height_px": round(people[role].face_px, 1),
                    "frozen_share": 0.0,
                }
                for who, role in PARTICIPANTS.items()
            },
        },
        "timings_s": {},
    }
