"""The main job from end to end: recordings to signals, features, a model and a review list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vsa import assets
from vsa.errors import InputError
from vsa.face.engine import create
from vsa.run.batch import Listener, Summary, extract
from vsa.run.session import Settings
from vsa.simulate.portraits import Landmarks
from vsa.study.plan import SessionPlan, Video, from_media

if TYPE_CHECKING:
    from vsa.bond.model import ModelInfo

#: Rates per minute need half a minute at least.
CALL_S = 36.0
_SEED = 7
#: The simulated cohort: the last clients are not trained on but flagged.
_CLIENTS, _SESSIONS, _HELD_OUT = 240, 4, 10


@dataclass(frozen=True)
class Bond:
    """What the bond half made, all of it simulated.

    Attributes
    ----------
    cohort, model, flags
        Files.
    info
        The model's.
    verdicts
        Sessions on the review list by verdict.
    """

    cohort: Path
    model: Path
    flags: Path
    info: ModelInfo
    verdicts: dict[str, int]


@dataclass(frozen=True)
class Demo:
    """What was made.

    Attributes
    ----------
    plans, sessions, summary
        The recordings, their results folder, and how extraction ended.
    call
        The simulated call; None if there were recordings to analyse.
    truth
        What the two people of the simulated call do and say, and when.
    bond
        The other half.
    """

    plans: Sequence[SessionPlan]
    sessions: Path
    summary: Summary
    call: Path | None
    truth: Path | None
    bond: Bond


def run(out: Path, media: Sequence[Path], listener: Listener, say: Callable[[str], None]) -> Demo:
    """Run the demo.

    Parameters
    ----------
    out
        Folder for all of it.
    media
        Recordings to analyse; if there are none, a call of two public-domain portraits is rendered.
    listener
        Is told how extraction goes.
    say
        Is told each step in one line.

    Raises
    ------
    InputError
        When `out` can't be written, or a recording can't be named.
    """
    recordings = from_media(media)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out} can't be written ({error.strerror}).", "Give another folder.") from None
    assets.pull(report=lambda line: say(line) if "already" not in line else None)
    call = truth = None
    if not recordings:
        call, truth = (out / "media" / f"simulated_call{end}" for end in (".mp4", "_truth.csv"))
        _simulate(call, truth, say)
        recordings = [SessionPlan("simulated_call", (Video(call),), {"therapist": "left", "client": "right"})]
    sessions = out / "sessions"
    say(f"Measuring the people in {', '.join(plan.videos[0].path.name for plan in recordings)}")
    summary = extract(recordings, sessions, Settings(), listener)
    return Demo(recordings, sessions, summary, call, truth, _bond(out, say))


def _simulate(path: Path, truth: Path, say: Callable[[str], None]) -> None:
    import pandas as pd

    from vsa.simulate.call import OFF_CAMERA, write_call
    from vsa.simulate.conversation import plan_conversation, render
    from vsa.simulate.sound import room_noise
    from vsa.simulate.speech import WOMAN, Talker
    from vsa.study.tables import write_csv

    if path.exists() and truth.exists():
        return
    say(f"Rendering a SIMULATED call of two public-domain portraits, {CALL_S:.0f} s (about a minute)")
    path.parent.mkdir(parents=True, exist_ok=True)
    talkers = {"therapist": Talker(f0_hz=172.0, tract=1.12, syllables_hz=4.3), "client": WOMAN}
    talk = plan_conversation(CALL_S, _SEED, participants=tuple(talkers))
    voices = {**render(talk, voices=talkers), OFF_CAMERA: room_noise(CALL_S)}
    call = write_call(path, _still_landmarks(), seconds=CALL_S, seed=_SEED, voices=voices)
    said = talk.turns[["participant", "kind", "start", "end"]]
    write_csv(pd.concat([call.events, said]).sort_values("start", ignore_index=True), truth)


def _still_landmarks() -> Landmarks:
    """Landmarks of the one face in a photograph."""
    from vsa.face.still import landmarks_of

    engine = create("auto")
    return lambda rgb: landmarks_of(engine, rgb)


def _bond(out: Path, say: Callable[[str], None]) -> Bond:
    """Train on a simulated cohort, and flag sessions of clients that the model has not seen."""
    from vsa.bond import store
    from vsa.bond.flags import flag
    from vsa.bond.training import train
    from vsa.simulate.cohort import simulate_cohort
    from vsa.study.tables import write_csv

    say(f"Training a bond model on a SIMULATED cohort of {_CLIENTS} clients, drawn from assumed effects")
    table = simulate_cohort(_CLIENTS, _SESSIONS, seed=_SEED)
    new = table["client_id"].isin(table["client_id"].unique()[-_HELD_OUT:])
    cohort, model, flags = (
        out / name for name in ("simulated_cohort.csv", "simulated_model.skops", "simulated_flags.csv")
    )
    write_csv(table, cohort)
    known = table[~new].reset_index(drop=True)
    known.attrs["source"] = cohort.name
    trained = train(known, seed=_SEED)
    store.save(trained, model)
    found = flag(trained, table[new].reset_index(drop=True))
    write_csv(found.table, flags)
    return Bond(cohort, model, flags, trained.info, found.counts)
