"""A study folder of simulated calls: recordings, manifest, and beside them what is true, as results of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.run.new_folder import new_folder
from vsa.simulate.call import SimulatedCall, film_call
from vsa.simulate.portraits import Landmarks
from vsa.simulate.scenario import SCENARIOS, Scenario
from vsa.simulate.truth import Truth, truth_of
from vsa.study.folder import MANIFEST, README
from vsa.study.results import write_json
from vsa.study.simulated_mark import mark

if TYPE_CHECKING:
    import pandas as pd

MEDIA, TRUTH, ANSWERS = "media", "truth", "answers.csv"
#: The only client and the only therapist: there are no more faces.
_CLIENT, _THERAPIST = "c01", "t01"
#: Told which session it is at, and how many of how many pictures are done.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Simulated:
    """One session to be simulated: its id, what its call is like, and its seed."""

    session_id: str
    scenario: Scenario
    seed: int


def sessions_of(scenarios: Sequence[Scenario], count: int, seed: int) -> list[Simulated]:
    """So many sessions, the scenarios in turn, each with a seed of its own."""
    return [
        Simulated(f"s{k + 1:02d}_{one.name}", one, seed + k)
        for k, one in ((k, scenarios[k % len(scenarios)]) for k in range(count))
    ]


def write_study(
    out: Path,
    sessions: Sequence[Simulated],
    landmarks: Landmarks,
    *,
    progress: Progress = lambda session_id, done, of: None,
) -> list[SimulatedCall]:
    """Simulate sessions into a study folder, that `vsa extract` takes as it is.

    Parameters
    ----------
    out
        The folder; it is complete in the end, or as it was.
    sessions
        What to simulate.
    landmarks
        The face engine, to find the mesh of each photograph with.
    progress
        Is told how far it is.

    Raises
    ------
    InputError
        When there is something in the folder, or it can't be made.
    SessionError
        Stage ``write``, when the disk is full or the like.
    """
    for one in sessions:
        one.scenario.checked()
    calls, rows = [], []
    with new_folder(out) as part:
        (part / MEDIA).mkdir()
        (part / TRUTH).mkdir()
        for number, one in enumerate(sessions, 1):
            told = _teller(progress, one.session_id)
            path = part / MEDIA / f"{one.session_id}.mp4"
            call = film_call(path, landmarks, one.scenario, one.seed, progress=told)
            facts = _facts(one, number)
            truth = truth_of(call, one.session_id, facts)
            write_truth(part / TRUTH / one.session_id, truth, call.path)
            rows.append(_row(one, truth, facts))
            calls.append(call)
        _finish(part, rows, sessions)
    return calls


def write_truth(folder: Path, truth: Truth, recording: Path) -> None:
    """Write what is true of a session as extraction would, and ``events.parquet`` beside it.

    Parameters
    ----------
    folder
        To make.
    truth
        The session's.
    recording
        The rendered call, for its fingerprint.
    """
    from vsa.face.table import COLUMNS
    from vsa.media.digest import sha256_of_file
    from vsa.run.session_features import write_features
    from vsa.study.face_table import write_face
    from vsa.study.turn_files import rttm
    from vsa.study.voice_table import write_voice

    folder.mkdir(parents=True)
    write_face(folder / "face.parquet", COLUMNS, truth.faces.items())
    write_voice(folder / "voice.parquet", truth.voices)
    truth.turns.to_parquet(folder / "turns.parquet", index=False)
    (folder / "turns.rttm").write_text(rttm(truth.turns, truth.record["session_id"]), "utf-8")
    truth.events.to_parquet(folder / "events.parquet", index=False)
    source = {
        **truth.record["source"],
        "sha256": sha256_of_file(recording),
        "bytes": recording.stat().st_size,
        "modified_ns": None,
    }
    described: dict[str, Any] = {**truth.record, "source": source}
    missing = write_features(folder, described)
    described["quality"] = {**described["quality"], "features_missing": missing}
    write_json(folder / "session.json", described)
    mark(folder.glob("*.parquet"))


def _teller(progress: Progress, session_id: str) -> Callable[[int, int], None]:
    return lambda done, of: progress(session_id, done, of)


def _facts(one: Simulated, number: int) -> dict[str, str]:
    return {
        "client_id": _CLIENT,
        "therapist_id": _THERAPIST,
        "session_number": str(number),
        "modality": "online",
        "simulated": "true",
        "scenario": one.scenario.name,
        "seed": str(one.seed),
    }


def _row(one: Simulated, truth: Truth, facts: dict[str, str]) -> dict[str, str]:
    people = truth.record["participants"]
    tiles = {f"tile:{p['role']}": side for p, side in zip(people, ("left", "right"), strict=True)}
    row = {"session_id": one.session_id, "video": f"{MEDIA}/{one.session_id}.mp4", "consent": "yes"}
    return {**row, **dict(sorted(tiles.items())), **facts}


def _finish(part: Path, rows: list[dict[str, str]], sessions: Sequence[Simulated]) -> None:
    import pandas as pd

    from vsa.study.results import Results
    from vsa.study.tables import write_csv

    write_csv(pd.DataFrame(rows), part / MANIFEST)
    write_csv(_answers([one.session_id for one in sessions], sessions[0].seed), part / ANSWERS)
    Results(part / TRUTH).gather_features()
    (part / README).write_text(_readme(sessions), "utf-8")


def _answers(session_ids: Sequence[str], seed: int) -> pd.DataFrame:
    """What the client answers to the WAI-SR, out of thin air: it has nothing to do with the calls."""
    import numpy as np
    import pandas as pd

    from vsa.simulate.answers import answers_for
    from vsa.study.instruments import load

    ids = pd.DataFrame({"session_id": session_ids, "client_id": _CLIENT, "therapist_id": _THERAPIST})
    latent = np.random.default_rng([seed, 23]).standard_normal(len(ids))
    return answers_for(ids, latent, load("wai-sr"), seed=seed, missing=0.03)


def _readme(sessions: Sequence[Simulated]) -> str:
    used = {one.scenario.name: one.scenario for one in sessions}
    listed = "\n".join(f"| `{name}` | {SCENARIOS.get(name, one.about)} |" for name, one in used.items())
    calls = "\n".join(
        f"| `{one.session_id}` | {one.scenario.seconds:g} | {one.scenario.size[0]}x{one.scenario.size[1]} | "
        f"{one.scenario.fps:g} | {one.seed} |"
        for one in sessions
    )
    return _README.format(calls=calls, listed=listed)


_README = """\
# SIMULATED calls

Everything in this folder is simulated. Nobody in it is a client or a therapist, and nothing in it says how accurate vsa
is with people: it shows that the way from a file to a table holds together, and how far what vsa finds agrees with what
was drawn.

- `media/`: the calls. The files say SIMULATED in their title.
- `manifest.csv`: the study, for `vsa extract`.
- `answers.csv`: answers of the client to the WAI-SR after each session, drawn at random, for `vsa score`.
- `truth/`: what is true, in the files that `vsa extract` writes; `vsa.open_results("truth")` opens them. Rows of
  `truth/ID/face.parquet` are at the times of the pictures; what nobody knows is missing (features of how much and how
  fast expression changes have only smiles to go by). `events.parquet` says who blinks, smiles, nods, looks away
  (`look_away`), turns the head (`head_turn`) or has the camera off (`camera_off`), and when.

| session | s | px | pictures/s | seed |
| --- | --- | --- | --- | --- |
{calls}

| scenario | what happens |
| --- | --- |
{listed}

## Where it comes from

The faces are two photographs in the public domain, works of the US government: Eileen Collins (NASA), from the
Python package scikit-image, and Grace Hopper (US Navy), from Matplotlib. They are warped and drawn over: Collins
"is" the client and Hopper the therapist in no other sense than that their pictures stand there. The voices are
synthesized, imitate nobody and say nothing. The name in a tile is set in DejaVu Sans.

## What is easier here than in life

- Two faces, sharp and near frontal; heads turn by at most 12 degrees, and what a turn would uncover is never seen.
- Both eyes do the same; pupils don't change; glasses don't mirror anything.
- A smile moves mouth corners and cheeks, without wrinkles; speech moves the jaw alone; no hands, no bodies.
- Nods, smiles, blinks and looks away follow each other and never overlap; each kind is always of about one size and
  speed.
- Light never changes within a call.
- Voices begin and end at once; turns are longer and backchannels shorter than what could be either; nobody laughs.
- What people do has nothing to do with what the other does, or with how they get on.

Some things are harder: shading stays that of the photograph when a head turns, and Collins smiles all the time.
"""
