"""``vsa demo``: the main job from end to end."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path

if TYPE_CHECKING:
    from vsa.run.demo import Demo
    from vsa.run.demo_cohort import Bond
    from vsa.simulate.agreement import Agreement
    from vsa.simulate.scores import Matches


@click.command()
@click.argument("out", default="vsa-demo", type=local_path)
@click.option(
    "--media",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Analyse this recording instead of the simulated calls; may be given several times.",
)
@click.pass_context
def demo(context: click.Context, out: Path, media: tuple[Path, ...]) -> None:
    """Run the main job into the folder OUT: signals and features of calls, scores, a model, a review list, a report.

    The calls are rendered from two public-domain portraits, and the cohort that the model learns from is simulated:
    nothing in OUT but what --media brings is about people.
    """
    from vsa.commands.progress import listener
    from vsa.run.demo import run

    with listener(as_json=False) as told:
        done = run(out, media, told, told.say)
    _show_sessions(done)
    _show_truth(done.known)
    _show_scores(done.scores)
    _show_bond(done.bond)
    click.secho("\nWhere everything is", bold=True)
    places = list(_places(done))
    width = max(len(str(path)) for path, _ in places)
    for path, what in places:
        click.echo(f"  {path!s:<{width}}  {what}")
    click.echo("\nNext: 'vsa extract YOUR_CALL.mp4 --out results' measures a recording of yours.")
    click.secho(f"\nOpen in a browser: {done.bond.report.index}", bold=True)
    context.exit(done.summary.exit_code)


def _show_sessions(done: Demo) -> None:
    import pandas as pd
    from rich.console import Console

    from vsa.report.summary import session_table
    from vsa.study.results import Results

    results = Results(done.study)
    click.echo()
    click.secho(
        "Who was on screen, and what they did" + (" (SIMULATED calls)" if done.known else ""), bold=True
    )
    for session_id in [*done.summary.before, *done.summary.done]:
        record = results.finished(session_id)
        if record is not None:
            row = pd.read_parquet(results.session(session_id) / "features.parquet").iloc[0]
            Console().print(session_table(record, {str(k): v for k, v in row.items() if k != "session_id"}))
    if done.known:
        click.echo("The client smiles in her photograph already. Neither of the two is a person on a call.")
        click.echo()
    for failure in done.summary.failed:
        click.echo(f"{failure.session_id} failed: {failure.error} {failure.hint}")


def _show_truth(known: Mapping[str, Agreement]) -> None:
    """What was measured beside what is true of the simulated calls."""
    if not known:
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD, pad_edge=False, title="Measured beside what is true of them", title_justify="left"
    )
    table.add_column("session")
    for heading in _AGREEMENT:
        table.add_column(heading, justify="right")
    for session_id, found in known.items():
        table.add_row(session_id, *(cell(found) for cell in _AGREEMENT.values()))
    Console().print(table)
    click.echo(
        "Gaze and head (yaw): median error. Events: found/true, + found but not true. Speaker: share of the speech\n"
        "that was given to who speaks. Rendered faces are easier than people: docs/accuracy.md says where.\n"
    )


def _of(found: Matches) -> str:
    """Of the true ones so many were found, and so many besides that are none."""
    extra = found.found - found.both
    return f"{found.both}/{found.true}" + (f" +{extra}" if extra else "")


_AGREEMENT: dict[str, Callable[[Agreement], str]] = {
    "gaze": lambda of: f"{of.gaze.median:.0f}°" if of.gaze.n else "-",
    "head": lambda of: f"{of.head_yaw.median:.1f}°" if of.head_yaw.n else "-",
    "blinks": lambda of: _of(of.blinks),
    "smiles": lambda of: _of(of.smiles),
    "nods": lambda of: _of(of.nods),
    "turns": lambda of: _of(of.turns),
    "speaker": lambda of: f"{of.speaker_share:.0%}" if of.speech_s else "-",
}


def _show_scores(scores: Path | None) -> None:
    if scores is None:
        return
    import pandas as pd

    table = pd.read_csv(scores)
    click.secho("What the clients reported (SIMULATED answers)", bold=True)
    for _, row in table.iterrows():
        click.echo(
            f"  {row['session_id']}: bond {row['bond']:.2f} of 5 ({row['rater']}, {row['instrument']})"
        )
    click.echo()


def _show_bond(bond: Bond) -> None:
    from vsa.bond.flags import NO_BETTER, UNCLEAR

    info, counts = bond.info, bond.verdicts
    test = info.evaluation["held_out"][0]
    better = "The model beats the training mean for people held out, by more than chance explains."
    click.secho("A bond model and a review list (SIMULATED: they say nothing about people)", bold=True)
    click.echo(
        f"  Trained on {info.sessions} sessions of {info.clients} clients. For clients held out it makes\n"
        f"  {_change(test['gain']['value'])} squared error than the training mean does (95 % interval: "
        f"{_change(test['gain']['low'])} to {_change(test['gain']['high'])})."
    )
    click.echo(f"  {({'no better': NO_BETTER, 'unclear': UNCLEAR}).get(info.verdict, better)}")
    click.echo(
        f"  Of the calls and {bond.new} sessions of new clients: {counts['weak']} weak (review suggested), "
        f"{counts['ok']} ok, {counts['abstain']} not judged."
    )
    for _, row in bond.listed[bond.listed["verdict"] == "weak"].head(1).iterrows():
        click.echo(
            f"  First on the list, {row['session_id']}: weak with probability {row['probability']:.0%}, expected bond "
            f"{row['expected_bond']:.1f}\n  ({row['expected_low']:.1f} to {row['expected_high']:.1f})"
        )
        if row["reason_1"]:
            click.echo(textwrap.fill(row["reason_1"], 96, initial_indent="  ", subsequent_indent="  "))


def _change(gain: float) -> str:
    return f"{abs(gain):.1%} {'less' if gain >= 0 else 'more'}"


def _places(done: Demo) -> Iterator[tuple[Path, str]]:
    """Files and folders, and what they are."""
    for session_id in [*done.summary.before, *done.summary.done]:
        yield done.study / session_id, "signals (face.parquet, voice.parquet), turns and session.json"
    yield done.study / "features.parquet", "a row of features a session"
    yield done.bond.bonds, "questionnaire scores (simulated)"
    if done.summary.failed:
        yield done.study / "failures.csv", "sessions that failed, and why"
    yield done.bond.cohort, "features and bonds that the model learned from (simulated)"
    yield done.bond.model, "bond model (simulated)"
    yield done.bond.evaluation, "its model card (card.html) and evaluation (simulated)"
    yield done.bond.flags, "review list"
    yield done.bond.report.index, "the report: the list, a page and a sheet a session"
