"""The main job from end to end: recordings to signals, features, a model and a review list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vsa import assets
from vsa.face.engine import create
from vsa.run.batch import Listener, Summary, extract
from vsa.run.session import Settings
from vsa.simulate.portraits import Landmarks
from vsa.study.plan import SessionPlan, Video, from_media

#: Rates per minute need half a minute at least.
CALL_S = 36.0
_SEED = 7
#: The simulated cohort: the last clients are not trained on but flagged.
_CLIENTS, _SESSIONS, _HELD_OUT = 60, 4, 10


@dataclass(frozen=True)
class Demo:
    """Where everything is."""

    sessions: Path
    summary: Summary
    cohort: Path
    model: Path
    flags: Path
    verdicts: dict[str, int]


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
    """
    assets.pull(report=lambda line: say(line) if "already" not in line else None)
    out.mkdir(parents=True, exist_ok=True)
    plans = from_media(media) if media else [_simulated_call(out, say)]
    sessions = out / "sessions"
    say(f"Extracting signals into {sessions}")
    summary = extract(plans, sessions, Settings(), listener)
    cohort, model, flags, verdicts = _bond(out, say)
    return Demo(sessions, summary, cohort, model, flags, verdicts)


def _simulated_call(out: Path, say: Callable[[str], None]) -> SessionPlan:
    from vsa.simulate.call import write_call

    path = out / "media" / "simulated_call.mp4"
    if not path.exists():
        say(f"Rendering a call of two public-domain portraits, {CALL_S:.0f} s, into {path} (about a minute)")
        path.parent.mkdir(parents=True, exist_ok=True)
        call = write_call(path, _still_landmarks(), seconds=CALL_S, seed=_SEED)
        call.events.to_csv(out / "media" / "simulated_call_truth.csv", index=False)
    return SessionPlan("simulated_call", (Video(path),), {"therapist": "left", "client": "right"})


def _still_landmarks() -> Landmarks:
    """Landmarks of the one face in a photograph."""
    from vsa.face.still import landmarks_of

    engine = create("auto")
    return lambda rgb: landmarks_of(engine, rgb)


def _bond(out: Path, say: Callable[[str], None]) -> tuple[Path, Path, Path, dict[str, int]]:
    """Train on a simulated cohort, and flag sessions of clients that the model has not seen."""
    from vsa.bond import store
    from vsa.bond.flags import flag
    from vsa.bond.training import train
    from vsa.simulate.cohort import simulate_cohort
    from vsa.study.tables import write_csv

    say("Training on a SIMULATED cohort (drawn from assumed effects, not from people)")
    table = simulate_cohort(_CLIENTS, _SESSIONS, seed=_SEED)
    new = table["client_id"].isin(table["client_id"].unique()[-_HELD_OUT:])
    cohort, model, flags = (
        out / name for name in ("simulated_cohort.csv", "simulated_model.skops", "simulated_flags.csv")
    )
    write_csv(table, cohort)
    known = table[~new].reset_index(drop=True)
    known.attrs["source"] = str(cohort)
    trained = train(known, seed=_SEED)
    store.save(trained, model)
    found = flag(trained, table[new].reset_index(drop=True))
    write_csv(found.table, flags)
    return cohort, model, flags, found.counts
