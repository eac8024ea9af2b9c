"""``vsa extract``: media files, a manifest or a study folder to signals and features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path

if TYPE_CHECKING:
    from pathlib import Path

    from vsa.study.addresses import Place
    from vsa.study.manifest import LeftOut
    from vsa.study.plan import SessionPlan

_NATIVE = "native"
#: Of manifests; the last is that of Excel's "Unicode text".
_TABLES = (".csv", ".tsv", ".txt")
_WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--out",
    metavar="DIR",
    help="Results folder: one folder a session, features.parquet and failures.csv.  [needed but for a study folder]",
)
@click.option(
    "--purpose",
    type=click.Choice(["research", "quality", "training"]),
    help="Only sessions whose people all agreed to this; else to anything.",
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
    help="auto, cpu, cuda (an NVIDIA GPU), or mediapipe (the reference, slow).",
)
@click.option(
    "--landmarks", is_flag=True, help="Keep the 478 landmarks of every picture too (landmarks.npz)."
)
@click.option(
    "--adaptive",
    is_flag=True,
    help="Quicker where the call program repeated pictures: take over what was measured where a face's picture is the "
    "same but for the coder's noise. Rows are marked.",
)
@click.option(
    "--overlay",
    type=local_path,
    metavar="OUT.mp4",
    help="Draw what was measured over the pictures of one session, to check it by eye. With one recording per "
    "participant each has its own film: OUT-<role>.mp4.",
)
@click.option(
    "--jobs",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Sessions at once, each in a process of its own; 1: in this one; 0, the default: as many as there are cores "
    "and memory for.",
)
@click.option(
    "--cluster",
    metavar="ADDRESS|FILE.toml",
    help="Do sessions on the workers of a Dask cluster: its scheduler, or what to ask a batch system for.",
)
@click.option("--afresh", is_flag=True, help="Do finished sessions again.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each step.")
@click.pass_context
def extract(
    context: click.Context,
    sources: tuple[str, ...],
    out: str | None,
    purpose: str | None,
    fps: str,
    engine: str,
    landmarks: bool,
    adaptive: bool,
    overlay: Path | None,
    jobs: int,
    cluster: str | None,
    afresh: bool,
    as_json: bool,
) -> None:
    """Measure the people in recorded calls.

    SOURCE is a study folder ('vsa init' makes one), whose manifest.csv is read and which the results go into; or a
    manifest (CSV) elsewhere; or one or more media files. Sessions that are finished are not done again; run the same
    command to go on after a stop.
    """
    from vsa.commands.progress import listener
    from vsa.run.batch import extract as run
    from vsa.run.batch import keep_consent
    from vsa.run.settings import Settings
    from vsa.study.remote_results import results_at

    settings = Settings(rate(fps), engine, landmarks, adaptive)
    table, folder = _places(sources, out)
    plans, left_out = _plans(sources, table, folder, purpose or "")
    with listener(as_json) as told:
        told.leave_out({one.session_id: one.why for one in left_out})
        said = {one.session_id: one.consent for one in left_out}
        there = keep_consent(said, results_at(folder)) if said else []
        told.still_there([name for name in there if not said[name].purposes], folder)
        if not plans:
            raise _nothing_left(table, purpose)
        logged: dict[str, int | str] = {"without_consent": len(left_out), "purpose": purpose or "any"}
        summary = run(
            plans,
            folder,
            settings,
            told,
            jobs=jobs,
            cluster=cluster,
            overlay=overlay,
            afresh=afresh,
            logged=logged,
        )
        told.end(summary, folder)
    context.exit(summary.exit_code)


def rate(fps: str) -> float | None:
    """Pictures to analyse a second; None: all."""
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


def _places(sources: Sequence[str], out: str | None) -> tuple[Place | None, Place]:
    """The manifest, if there is one, and the results folder."""
    from pathlib import Path

    from vsa.errors import InputError
    from vsa.study.addresses import place_of
    from vsa.study.folder import MANIFEST

    places = [place_of(source) for source in sources]
    folders = [one for one in places if isinstance(one, Path) and one.is_dir()]
    tables = [one for one in places if one.suffix.lower() in _TABLES]
    if book := next((one for one in places if one.suffix.lower() in _WORKBOOKS), None):
        raise InputError(f"{book} is a workbook, no CSV file.", "Export its sheet as CSV (UTF-8).")
    for folder in folders:
        if not (folder / MANIFEST).is_file():
            raise InputError(
                f"{folder} is a folder without {MANIFEST}.",
                f"Name the recordings in it, or make it a study folder: vsa init {folder}",
            )
    if len(places) > 1 and (folders or tables):
        what = "study folder" if folders else "manifest"
        raise InputError(f"A {what} stands alone.", f"Give one {what}, or media files.")
    if out is None and not folders:
        if absent := next((one for one in places if isinstance(one, Path) and not one.exists()), None):
            raise InputError(
                f"{absent} does not exist.", "Check the path. A new study begins with: vsa init DIR"
            )
        beside = tables and tables[0].name == MANIFEST
        raise InputError(
            "--out is missing: where shall the results go?",
            f"Give the study folder instead (vsa extract {tables[0].parent}), or --out DIR."
            if beside
            else "Give --out DIR; or make a study folder (vsa init DIR), which holds the manifest and the results.",
        )
    table = folders[0] / MANIFEST if folders else tables[0] if tables else None
    return table, place_of(out) if out is not None else folders[0]


def _plans(
    sources: Sequence[str], table: Place | None, folder: Place, purpose: str
) -> tuple[list[SessionPlan], list[LeftOut]]:
    from vsa.errors import InputError
    from vsa.study.addresses import place_of
    from vsa.study.plan import from_media
    from vsa.study.remote_results import results_at

    if table is None:
        if purpose:
            raise InputError(
                f"--purpose {purpose} needs a manifest: nobody wrote down what these recordings may be used for.",
                "List them in one (vsa init DIR makes it), with the consent of everybody in them.",
            )
        return from_media([place_of(source) for source in sources]), []
    from vsa.study.manifest import read_manifest

    manifest = read_manifest(table, finished=results_at(folder).sessions(), purpose=purpose)
    return manifest.plans, manifest.left_out


def _nothing_left(table: Place | None, purpose: str | None) -> Exception:
    from vsa.errors import InputError

    if purpose:
        return InputError(
            f"{table}: no session has consent for {purpose}.",
            f"A session is processed where everybody's consent says yes, or a list of purposes with {purpose} in it.",
        )
    return InputError(
        f"{table}: no session has consent.",
        "A session is processed where everybody's consent says yes, or purposes that all of them agreed to.",
    )
