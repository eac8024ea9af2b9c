"""Running extraction in tests as a user would, and holding its rows against a composed call's truth."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from people import clip_path
from stage import CallTruth

from vsa.commands.progress import Plain
from vsa.run.batch import Summary, extract
from vsa.run.settings import Settings
from vsa.study.face_table import read_face
from vsa.study.plan import SessionPlan, from_media
from vsa.study.results import Results

#: Where `clip` keeps what it extracted: one folder for all processes of a run (tests/conftest.py).
SHARED: list[Path] = []


class Quiet(Plain):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


@dataclass(frozen=True)
class Extracted:
    """A finished session."""

    folder: Path
    record: dict[str, Any]
    face: pd.DataFrame

    @property
    def ids(self) -> list[str]:
        return [p["id"] for p in self.record["participants"]]

    def of(self, participant: str) -> pd.DataFrame:
        """One participant's rows, in order of time."""
        return self.face[self.face.participant == participant].reset_index(drop=True)


def run(plans: list[SessionPlan], out: Path, **settings: Any) -> tuple[Summary, Quiet]:
    """Extract sessions; what was said comes back with how it ended."""
    told = Quiet()
    return extract(plans, out, Settings(**settings), told), told


def extracted(source: Path | SessionPlan, out: Path, **settings: Any) -> Extracted:
    """Extract one session and read it back."""
    plan = source if isinstance(source, SessionPlan) else from_media([source])[0]
    summary, told = run([plan], out, **settings)
    assert not summary.failed, told.lines
    return read(out, plan.session_id)


def clip(name: str) -> Extracted:
    """A real clip, extracted once for all tests of a run, in whichever process they are.

    A test that needs it is skipped where the clip is absent; see `people.clip_path`.
    """
    source = clip_path(name)
    with (SHARED[0] / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (SHARED[0] / source.stem / "session.json").exists():
            return extracted(source, SHARED[0])
    return read(SHARED[0], source.stem)


def read(out: Path, session_id: str) -> Extracted:
    """Read a finished session."""
    results = Results(out)
    record = results.finished(session_id)
    assert record is not None
    folder = results.session(session_id)
    return Extracted(folder, record, read_face(folder / "face.parquet"))


@dataclass(frozen=True)
class Match:
    """How extraction saw one person of a composed call.

    `participant` is the id that holds most of the person's visible frames; `found` the share of the visible frames in
    which that id was tracked on the person's head; `strayed` the share of that id's tracked frames that were elsewhere,
    or while the face could not be seen.
    """

    participant: str
    found: float
    strayed: float


def matches(truth: CallTruth, got: Extracted) -> dict[str, Match]:
    """Hold rows against truth, person by person."""
    boxes = {p: got.of(p) for p in got.ids}
    out = {}
    for person in truth.participants:
        on_head = {p: _inside(rows, person.heads) for p, rows in boxes.items()}
        best = max(on_head, key=lambda p: int((on_head[p] & person.visible).sum()))
        hits = on_head[best]
        tracked = boxes[best].tracked.to_numpy(bool)
        out[person.name] = Match(
            best,
            float((hits & person.visible).sum() / max(person.visible.sum(), 1)),
            float((tracked & ~(hits & person.visible)).sum() / max(tracked.sum(), 1)),
        )
    return out


def check(
    truth: CallTruth, tmp_path: Path, *, least: float = 0.95, strayed: float = 0.02
) -> tuple[Extracted, dict[str, Match]]:
    """Every visible face is tracked, by one participant a person, and nobody else is there."""
    got = extracted(truth.path, tmp_path / "out")
    found = matches(truth, got)
    for name, match in found.items():
        print(f"{name}: {match.participant}, found {match.found:.3f}, strayed {match.strayed:.3f}")
        assert match.found >= least, (name, match)
        assert match.strayed <= strayed, (name, match)
    assert len({m.participant for m in found.values()}) == len(truth.participants)
    assert len(got.ids) == len(truth.participants)
    return got, found


def _inside(rows: pd.DataFrame, heads: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each frame's face is about where the truth has the head."""
    assert len(rows) == len(heads)
    x = (rows.box_x + rows.box_w / 2).to_numpy()
    y = (rows.box_y + rows.box_h / 2).to_numpy()
    left, top, w, h = heads.T
    margin = 0.15 * np.maximum(w, h)
    inside = (x > left - margin) & (x < left + w + margin) & (y > top - margin) & (y < top + h + margin)
    return np.asarray(inside & rows.tracked.to_numpy(bool))
