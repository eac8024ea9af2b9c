"""The command line: each command is a few lines in `vsa.commands` that call the rooms; heavy imports stay in there."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from vsa import __version__
from vsa.errors import SessionError, VsaError
from vsa.leaving import Leaving

#: Command -> the module in `vsa.commands` that holds it, and its line in the help.
COMMANDS = {
    "demo": "The main job from end to end, on a small simulated call.",
    "models": "Get, show and check the pretrained files that vsa uses.",
    "doctor": "Say what this machine can do, what is missing and how to get it.",
    "init": "Make a study folder with a manifest to fill in.",
    "extract": "Measure the people in recorded calls.",
    "score": "Turn questionnaire answers into scores, with what is missing or odd in them.",
    "turns": "Take turns out to Praat or ELAN, and bring them back corrected.",
    "sync": "Say whether two series move together more than by chance, and who leads.",
    "features": "Show the registry of features: definitions, units, ranges, sources.",
    "train": "Train a bond model on features and self-reported bond.",
    "evaluate": "Say how a model does for a new cohort, and how that differs from its training.",
    "flag": "List the sessions whose rapport signals suggest a review, and why.",
    "report": "Write pages to read: the review list, a page and a sheet for each session.",
    "compare": "Compare the alliance between groups: modality, attachment, diagnosis.",
    "withdraw": "Remove a person from a study, and mark the models that learned from them.",
    "run": "Run the stages that a pipeline file names, with its settings, so far as anything changed.",
    "simulate": "Make calls and cohorts whose truth is known.",
}
#: 128 + SIGINT, as shells have it.
_INTERRUPTED = 130
_ROOM = "Make room. What is finished is kept; run the same command again to go on."


class _Lazy(click.Group):
    """Loads a command when it is called: `vsa --help` must answer at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"vsa.commands.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="vsa")
def vsa() -> None:
    """Behavioural signals from recorded video calls, related to the bond that people report.

    vsa measures where the head and eyes point, how the face moves and how people move together. It names no
    emotions, makes no diagnosis and never decides about a person: a flag says "review suggested".
    """


def program(arguments: Sequence[str] | None = None) -> None:
    """`main` in a process that has nothing else to do."""
    leaving = Leaving()
    try:
        main(arguments)
    except SystemExit as ended:
        leaving.code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; what people can mend is said in a line or two, without a traceback."""
    try:
        code = vsa.main(arguments, prog_name="vsa", standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except VsaError as error:
        _say(error)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.exceptions.Abort):
        click.echo("Stopped. What is finished is kept; run the same command again to go on.", err=True)
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:
        from vsa.study.disk import is_full

        if not is_full(error):
            raise
        full = SessionError("write", "The disk is full: not all could be written or printed.", _ROOM)
        _say(full)
        sys.exit(full.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _say(error: VsaError) -> None:
    click.echo(f"Error: {error.message}", err=True)
    if error.hint:
        click.echo(f"  {error.hint}", err=True)
