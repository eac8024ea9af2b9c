"""Who is who in the results: faces that were followed, and the roles that the manifest expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vsa.face.follow import Block, FaceTrack, Followed
from vsa.face.table import COLUMNS
from vsa.face.tiles import Tile
from vsa.media.recording import Recording
from vsa.run.source import Fingerprint
from vsa.study.plan import SessionPlan, TileHint, Video
from vsa.voice.alignment import Alignment


@dataclass(frozen=True)
class Part:
    """One recording of a session, analysed: it is closed, and what was found about it stays.

    Attributes
    ----------
    clock
        How its time becomes the session's; None where that is its own.
    """

    video: Video
    recording: Recording
    followed: Followed
    file: Fingerprint
    clock: Alignment | None = None


@dataclass(frozen=True)
class Seat:
    """One participant of a session.

    Attributes
    ----------
    id
        ``p1``, ``p2``, … in reading order.
    role
        From the manifest; None if it gives none.
    part
        Which of the session's recordings shows this participant.
    followed
        All faces of that recording.
    face
        This participant's; None where the manifest expects somebody and no face was found.
    tile
        Where it is on screen, x, y, w, h, px.
    clock
        How the recording's time becomes the session's; None where that is its own.
    """

    id: str
    role: str | None
    part: int
    followed: Followed
    face: FaceTrack | None
    tile: tuple[int, int, int, int] | None
    clock: Alignment | None = None

    def blocks(self) -> Iterator[Block]:
        """Rows for every analysed picture, on the session's time."""
        for block in self._own_blocks():
            yield block if self.clock is None else replace(block, t=self.clock.to_reference(block.t))

    def _own_blocks(self) -> Iterator[Block]:
        if self.face is not None:
            yield from self.followed.blocks(self.face)
        else:
            t = self.followed.times
            nothing = np.full((len(t), len(COLUMNS)), np.nan, np.float32)
            yield Block(t, np.zeros(len(t), bool), nothing, None)


def seats_of(plan: SessionPlan, parts: Sequence[Part]) -> list[Seat]:
    """Participants of a session, numbered, with their roles."""
    found: list[tuple[str | None, int, Followed, FaceTrack | None, tuple[int, int, int, int] | None]] = []
    for number, part in enumerate(parts):
        followed, info = part.followed, part.recording.info
        if (role := part.video.role) is not None:
            face = _own(followed, plan.tiles.get(role), info.width)
            tile = face.person.tile if face else (0, 0, info.width, info.height)
            found.append((role, number, followed, face, tile))
            continue
        roles = _roles(plan.tiles, followed, info.width)
        taken = {id(face): role for role, face in roles.items() if face is not None}
        found += [(taken.get(id(face)), number, followed, face, face.person.tile) for face in followed.faces]
        found += [
            (role, number, followed, None, hint if isinstance(hint := plan.tiles[role], tuple) else None)
            for role, face in roles.items()
            if face is None
        ]
    return [
        Seat(f"p{k}", role, part, followed, face, tile, parts[part].clock)
        for k, (role, part, followed, face, tile) in enumerate(found, 1)
    ]


def _own(followed: Followed, hint: TileHint | None, width: int) -> FaceTrack | None:
    """Whose camera a recording is: where the manifest says, else the face seen longest."""
    if hint is not None:
        return _roles({"": hint}, followed, width)[""]
    return max(followed.faces, key=lambda f: f.person.frames, default=None)


def _roles(tiles: Mapping[str, TileHint], followed: Followed, width: int) -> dict[str, FaceTrack | None]:
    """Which face has each role that the manifest places."""
    faces = followed.faces
    across = sorted(faces, key=lambda f: f.person.tile[0] + f.person.tile[2] / 2)
    roles: dict[str, FaceTrack | None] = {}
    for role, hint in tiles.items():
        free = [f for f in faces if all(f is not taken for taken in roles.values())]
        if isinstance(hint, tuple):
            wanted = Tile(*hint)
            overlap = {id(f): Tile(*f.person.tile).overlap(wanted) for f in free}
            best = max(free, key=lambda f: (overlap[id(f)], f.person.frames), default=None)
            roles[role] = best if best is not None and overlap[id(best)] > 0.5 else None
        elif isinstance(hint, int):
            place = faces[hint - 1] if hint <= len(faces) else None
            roles[role] = place if any(place is f for f in free) else None
        else:
            # with one face only, the middle of the call decides which side it is on
            end = (
                across[0 if hint == "left" else -1]
                if len(across) > 1
                else _alone(across, hint, followed, width)
            )
            roles[role] = end if any(end is f for f in free) else None
    return roles


def _alone(faces: Sequence[FaceTrack], hint: str, followed: Followed, width: int) -> FaceTrack | None:
    if not faces:
        return None
    right = max((tile.x + tile.w for span in followed.spans for tile in span.tiles), default=width)
    middle = float(np.median(faces[0].person.moments()[:, 1]))
    return faces[0] if (middle < right / 2) == (hint == "left") else None
