"""``vsa demo``: the main job from end to end."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("out", default="vsa-demo", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--media",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Analyse this recording instead of the simulated call; may be given several times.",
)
@click.pass_context
def demo(context: click.Context, out: Path, media: tuple[Path, ...]) -> None:
    """Run the main job into the folder OUT: signals and features of a call, then a model and a review list.

    The call is rendered from two public-domain portraits, and the cohort that the model learns from is simulated:
    nothing in OUT but what --media brings is about people.
    """
    import pandas as pd
    from rich.console import Console

    from vsa.commands.progress import listener
    from vsa.report.summary import session_table
    from vsa.run.demo import run
    from vsa.study.results import Results

    with listener(as_json=False) as told:
        done = run(out, media, told, told.say)
    results = Results(done.sessions)
    console = Console()
    for session_id in [*done.summary.before, *done.summary.done]:
        record = results.finished(session_id)
        if record is not None:
            row = pd.read_parquet(results.session(session_id) / "features.parquet").iloc[0]
            console.print(session_table(record, {str(k): v for k, v in row.items() if k != "session_id"}))
    counts = done.verdicts
    click.echo(
        f"Simulated cohort: of {sum(counts.values())} sessions of new clients {counts['weak']} weak (review "
        f"suggested), {counts['ok']} ok, {counts['abstain']} not judged. The model is trained on simulated "
        "sessions and says nothing about people."
    )
    for what, path in (
        ("signals and features", done.sessions),
        ("cohort (simulated)", done.cohort),
        ("model (simulated)", done.model),
        ("review list (simulated)", done.flags),
    ):
        click.echo(f"  {what:<24} {path}")
    context.exit(done.summary.exit_code)
