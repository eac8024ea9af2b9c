"""Two people in conversation, with everything that features look at, as a function of time: sampled at any rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from acted import Heard, lids, nodding, plateau, session, table, times, voices

from vsa.features.session import Session

PEOPLE = ("p1", "p2")


@dataclass(frozen=True, eq=False)
class Person:
    """What one person does: when, s; and slow movement as sums of sines (frequency Hz, phase)."""

    spoken: list[tuple[float, float]] = field(default_factory=list)
    smiles: list[tuple[float, float]] = field(default_factory=list)
    blinks: list[float] = field(default_factory=list)
    nods: list[float] = field(default_factory=list)
    shakes: list[float] = field(default_factory=list)
    away: list[tuple[float, float]] = field(default_factory=list)
    brows: list[tuple[float, float]] = field(default_factory=list)
    sines: Mapping[str, np.ndarray] = field(default_factory=dict)

    def wave(self, name: str, t: np.ndarray) -> np.ndarray:
        """Between -1 and 1, mostly."""
        hz, phase = self.sines[name]
        return np.sin(2 * np.pi * hz[:, None] * t + phase[:, None]).sum(0) / np.sqrt(2 * len(hz))


def people(seed: int, seconds: float) -> dict[str, Person]:
    """Draw what two people do; turns with gaps, overlaps, backchannels, silences and pauses between them."""
    rng = np.random.default_rng(seed)
    both = {who: Person() for who in PEOPLE}
    now, speaker = 1.0, 0
    while now < seconds - 14:
        me, you = both[PEOPLE[speaker]], both[PEOPLE[1 - speaker]]
        end = now + rng.uniform(2.0, 9.0)
        middle = (now + end) / 2
        if end - now > 5 and rng.random() < 0.5:  # a pause within the turn
            me.spoken.extend([(now, middle - 0.3), (middle + 0.3, end)])
        else:
            me.spoken.append((now, end))
        if end - now > 4 and rng.random() < 0.5:
            you.spoken.append((middle - 1.2, middle - 0.7))
        if rng.random() < 0.4:
            you.nods.append(now + 1.0)
        if rng.random() < 0.3:
            me.away.append((now + 0.1, now + 1.4))
        now = end + rng.choice([rng.uniform(0.25, 1.2), rng.uniform(-0.7, -0.3), 3.8], p=[0.75, 0.17, 0.08])
        speaker = 1 - speaker
    for who, other in (PEOPLE, PEOPLE[::-1]):
        person = both[who]
        person.blinks.extend(np.cumsum(rng.uniform(1.5, 5.0, int(seconds / 3.5)))[:-2])
        for start in np.arange(10.0, seconds - 12, 25.0) + rng.uniform(0, 12):
            person.smiles.append((start, start + rng.uniform(1.0, 2.5)))
            both[other].smiles.append((start + rng.uniform(0.4, 1.6), start + rng.uniform(2.6, 4.0)))
        person.brows.extend((start, start + 0.8) for start in np.arange(17.0, seconds - 5, 21.0))
        person.shakes.extend(np.arange(31.0, seconds - 5, 47.0))
        person.away.extend((start, start + 1.7) for start in np.arange(5.5, seconds - 5, 13.0))
    for person in both.values():
        for name, low, high in (
            ("move", 0.05, 0.9),
            ("jaw", 0.3, 1.2),
            ("f0", 0.1, 1.0),
            ("level", 0.1, 0.8),
        ):
            person.sines[name] = np.stack([rng.uniform(low, high, 12), rng.uniform(0, 2 * np.pi, 12)])
    return both


def face_table(person: Person, who: str, t: np.ndarray, own: np.ndarray, fps: float) -> pd.DataFrame:
    def acts(parts: list[tuple[float, float]], ramp_s: float = 0.15) -> np.ndarray:
        return np.minimum(1.0, sum((plateau(own, a, b, ramp_s) for a, b in parts), np.zeros_like(own)))

    smile, brows, away = acts(person.smiles), acts(person.brows), acts(person.away, 0.05)
    eyes = lids(own, person.blinks)
    move = person.wave("move", own)
    jaw = 0.15 + 0.1 * person.wave("jaw", own) * acts(person.spoken)
    return table(
        t,
        who,
        eye_open_left=eyes,
        eye_open_right=0.95 * eyes,
        mouthSmileLeft=0.5 * smile,
        mouthSmileRight=0.45 * smile,
        eyeSquintLeft=0.1 + 0.2 * smile,
        eyeSquintRight=0.1 + 0.2 * smile,
        browInnerUp=0.05 + 0.5 * brows,
        browOuterUpLeft=0.05 + 0.5 * brows,
        browOuterUpRight=0.05 + 0.5 * brows,
        jawOpen=np.clip(jaw, 0, 1),
        head_yaw=4 * move + nodding(own, person.shakes, 8),
        head_pitch=2 * move + nodding(own, person.nods),
        head_roll=1.5 * move,
        head_x=1.5 * move,
        head_z=60 + 2 * move,
        gaze_yaw=5 + 24 * away,
        gaze_pitch=np.full_like(own, -8.0),
        motion=(3 + 2 * move**2) * 25 / fps,
        luma=np.full_like(own, 120.0),
    )


@dataclass(frozen=True, eq=False)
class Conversation:
    """What extraction would give: ``face.parquet`` by participant, and voices."""

    frames: dict[str, pd.DataFrame]
    heard: Heard

    def session(
        self,
        roles: tuple[str | None, str | None] = ("client", "therapist"),
        order: tuple[int, int] = (0, 1),
        *,
        silent: bool = False,
    ) -> Session:
        """The session, with participants listed in some order; `silent`: without sound."""
        named = dict(zip(PEOPLE, roles, strict=True))
        listed = [PEOPLE[k] for k in order]
        return session(
            *(self.frames[who] for who in listed),
            roles=[named[who] for who in listed],
            heard=None if silent else self.heard,
        )

    def write(self, folder: Path) -> dict:
        """Write a session's tables; its ``session.json``."""
        folder.mkdir(parents=True)
        pd.concat(self.frames.values()).to_parquet(folder / "face.parquet", index=False)
        self.heard.table.to_parquet(folder / "voice.parquet", index=False)
        people = [
            {"id": who, "role": role} for who, role in zip(PEOPLE, ("client", "therapist"), strict=True)
        ]
        return {"session_id": folder.name, "participants": people, "sound": self.heard.sound}


def conversation(
    seed: int = 0,
    seconds: float = 420.0,
    *,
    fps: float = 25.0,
    start_s: float = 0.0,
    pitch: float = 1.0,
    gain_db=0.0,
) -> Conversation:
    """Two people; the same seed gives the same behaviour at any `fps`, `start_s`, `pitch` and `gain_db`."""
    both = people(seed, seconds)
    own = times(seconds, fps)
    frames = {who: face_table(both[who], who, start_s + own, own, fps) for who in PEOPLE}
    heard = voices(
        seconds,
        {who: both[who].spoken for who in PEOPLE},
        start_s=start_s,
        f0_hz={
            who: lambda t, who=who, base=base: pitch * base * 2 ** (both[who].wave("f0", t) / 8)
            for who, base in zip(PEOPLE, (210.0, 120.0), strict=True)
        },
        intensity_db={who: lambda t, who=who: gain_db + 3 * both[who].wave("level", t) for who in PEOPLE},
        syllables_hz={"p1": 4.5, "p2": 4.0},
    )
    return Conversation(frames, heard)
