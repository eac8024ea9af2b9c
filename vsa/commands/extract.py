"""``vsa extract``: media files or a manifest to signals and features."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vsa.study.plan import SessionPlan

_NATIVE = "native"


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE...")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Results folder: one folder a session, features.parquet and failures.csv.",
)
@click.option(
    "--fps",
    default=_NATIVE,
    metavar="N|native",
    show_default=True,
    help="Pictures to analyse a second, by time; native: all, capped at 30.",
)
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="auto, cpu, or mediapipe (the reference, slow).",
)
@click.option(
    "--landmarks", is_flag=True, help="Keep the 478 landmarks of every picture too (landmarks.npz)."
)
@click.option(
    "--overlay",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT.mp4",
    help="Draw what was measured over the pictures of one session, to check it by eye. With one recording per "
    "participant each has its own film: OUT-<role>.mp4.",
)
@click.option("--afresh", is_flag=True, help="Do finished sessions again.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each step.")
@click.pass_context
def extract(
    context: click.Context,
    sources: tuple[Path, ...],
    out: Path,
    fps: str,
    engine: str,
    landmarks: bool,
    overlay: Path | None,
    afresh: bool,
    as_json: bool,
) -> None:
    """Measure the people in recorded calls.

    SOURCE is one or more media files, or one manifest (CSV). Sessions that are finished are not done again; run the
    same command to go on after a stop.
    """
    from vsa.commands.progress import listener
    from vsa.run.batch import extract as run
    from vsa.run.session import Settings

    settings = Settings(_rate(fps), engine, landmarks)
    plans, without_consent = _plans(sources, out)
    with listener(as_json) as told:
        told.leave_out(without_consent)
        summary = run(plans, out, settings, told, overlay=overlay, afresh=afresh)
        told.end(summary, out)
    context.exit(summary.exit_code)


def _rate(fps: str) -> float | None:
    from vsa.errors import InputError

    if fps == _NATIVE:
        return None
    try:
        rate = float(fps)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 240:
        raise InputError(f"--fps {fps} is no rate.", "Give pictures a second (up to 240), or native.")
    return rate


def _plans(sources: tuple[Path, ...], out: Path) -> tuple[list[SessionPlan], list[str]]:
    from vsa.errors import InputError
    from vsa.study.manifest import read_manifest
    from vsa.study.plan import from_media
    from vsa.study.results import Results

    tables = [source for source in sources if source.suffix.lower() in (".csv", ".tsv")]
    if not tables:
        return from_media(sources), []
    if len(sources) > 1:
        raise InputError("A manifest stands alone.", "Give one manifest, or media files.")
    manifest = read_manifest(tables[0], finished=Results(out).sessions())
    if not manifest.plans:
        raise InputError(
            f"{tables[0]}: no session has consent.", "A session is processed where consent says yes."
        )
    return manifest.plans, manifest.without_consent
