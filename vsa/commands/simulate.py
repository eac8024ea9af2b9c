"""``vsa simulate``: calls and cohorts whose truth is known."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path

if TYPE_CHECKING:
    from vsa.run.simulation import Progress

#: Command -> the module in `vsa.commands` that holds it, and its line in the help.
_OTHERS = {"cohort": ("simulate_cohort", "Draw a cohort of sessions with known effects.")}
#: Without --scenario.
_USUAL = ("plain", "camera_off", "layout_change")


class _Lazy(click.Group):
    """Loads its other command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *_OTHERS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _OTHERS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(
            importlib.import_module(f"vsa.commands.{_OTHERS[cmd_name][0]}"), cmd_name
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            own = [(name, command.get_short_help_str(100)) for name, command in self.commands.items()]
            formatter.write_dl([*own, *((name, line) for name, (_, line) in _OTHERS.items())])


@click.group(cls=_Lazy)
def simulate() -> None:
    """Make calls and cohorts whose truth is known. Every file says that it is simulated."""


@simulate.command(short_help="Render calls of two people with known gaze, faces, speech and turns.")
@click.argument("out", type=local_path)
@click.option("--sessions", type=click.IntRange(1, 999), help="How many.  [default: one a scenario]")
@click.option("--seconds", default=30.0, show_default=True, help="Length of each.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the first session.")
@click.option(
    "--scenario",
    "names",
    multiple=True,
    metavar="NAME",
    help=f"What happens; more than one take turns.  [default: {', '.join(_USUAL)}]",
)
@click.option("--fps", default=25.0, show_default=True, help="Pictures a second.")
@click.option("--size", default="1280x720", show_default=True, metavar="WxH", help="Of the call, px.")
@click.option(
    "--crf", type=int, help="Compression, 0 to 51; 20 loses little.  [default: the scenario's, or 20]"
)
@click.option(
    "--sound",
    default="mixed",
    show_default=True,
    type=click.Choice(("mixed", "channels", "streams")),
    help="All voices in one track, one to each side, or a track each.",
)
@click.option(
    "--list", "show", is_flag=True, is_eager=True, expose_value=False, callback=lambda *a: _list(*a)
)
def media(
    out: Path,
    sessions: int | None,
    seconds: float,
    seed: int,
    names: tuple[str, ...],
    fps: float,
    size: str,
    crf: int | None,
    sound: str,
) -> None:
    """Render SIMULATED calls into the study folder OUT, which must be new or empty.

    Two public-domain portraits look, blink, smile, nod, turn and talk. OUT then holds media/, manifest.csv for
    'vsa extract OUT', and truth/: what extraction should find, in its own formats. The same seed gives the same.
    """
    from dataclasses import replace
    from typing import cast

    from vsa.face.engine import create
    from vsa.face.still import landmarks_of
    from vsa.run.simulation import sessions_of, write_study
    from vsa.simulate.scenario import Recorded, scenario

    chosen = [
        replace(scenario(name, seconds), fps=fps, size=_size(size), sound=cast("Recorded", sound)).checked()
        for name in names or _USUAL
    ]
    if crf is not None:
        chosen = [replace(one, crf=crf).checked() for one in chosen]
    wanted = sessions_of(chosen, sessions or len(chosen), seed)
    engine = create("auto")
    with _progress(len(wanted)) as told:
        calls = write_study(out, wanted, lambda rgb: landmarks_of(engine, rgb), progress=told)
    click.echo(f"{len(calls)} SIMULATED {'call' if len(calls) == 1 else 'calls'}, {seconds:g} s each: {out}")
    click.echo(f"Measure them with 'vsa extract {out}'; what is true is in {out / 'truth'}.")


def _size(text: str) -> tuple[int, int]:
    from vsa.errors import InputError

    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise InputError(f"--size {text} is no size.", "Give width x height in px, as 1280x720.")
    return int(width), int(height)


def _list(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        from vsa.simulate.scenario import SCENARIOS

        formatter = context.make_formatter()
        formatter.write_dl(list(SCENARIOS.items()))
        click.echo(formatter.getvalue(), nl=False)
        context.exit()


@contextmanager
def _progress(sessions: int) -> Iterator[Progress]:
    """A bar in a terminal, else a line a session."""
    import sys

    from rich.console import Console

    console = Console()
    at: dict[str, int] = {}
    if not sys.stdout.isatty() or console.is_dumb_terminal:

        def lines(session_id: str, done: int, of: int) -> None:
            if session_id not in at:
                at[session_id] = done
                click.echo(f"[{len(at)}/{sessions}] {session_id}: {of} pictures")

        yield lines
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        task = bars.add_task("", total=None)

        def bar(session_id: str, done: int, of: int) -> None:
            at[session_id] = done
            bars.update(task, description=f"[{len(at)}/{sessions}] {session_id}", completed=done, total=of)

        yield bar
