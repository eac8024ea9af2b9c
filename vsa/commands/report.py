"""``vsa report``: pages that people read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsa.commands.places import local_path, place
from vsa.commands.train import names

if TYPE_CHECKING:
    from vsa.run.reporting.build import Report
    from vsa.study.addresses import Place


@click.command()
@click.argument("study", type=place, metavar="STUDY_OR_TABLE")
@click.option("--model", type=local_path, metavar="MODEL", help="List sessions by this bond model.")
@click.option("--rules", is_flag=True, help="List them by rules, without a model.")
@click.option("--rules-file", type=local_path, metavar="TOML", help="Rules of your own.")
@click.option(
    "--budget",
    type=float,
    metavar="N",
    help="Sessions that can be reviewed: a share below 1, or a number from 1 on.  [default: 0.1]",
)
@click.option("--threshold", type=float, metavar="P", help="Instead: review from this probability on.")
@click.option("--bonds", type=place, metavar="CSV", help="Reported bonds by session_id, to show beside.")
@click.option("--rater", default="client", show_default=True, help="Whose bonds, where several rated.")
@click.option("--clients", type=place, metavar="CSV", help="What is known of clients by client_id.")
@click.option(
    "--by",
    callback=names,
    metavar="A,B",
    help="Compare groups by these.  [default: modality, attachment, diagnosis]",
)
@click.option(
    "--out", required=True, type=local_path, metavar="DIR", help="The report; an earlier one is replaced."
)
@click.option("--link-media", is_flag=True, help="Play recordings from where they lie; nothing is copied.")
@click.option(
    "--media",
    multiple=True,
    type=local_path,
    metavar="FOLDER",
    help="Look for recordings here too; may be given several times.",
)
@click.option(
    "--pseudonymize", type=local_path, metavar="KEYFILE", help="Show pseudonyms, the same for the same key."
)
@click.option(
    "--purpose",
    type=click.Choice(["quality", "research"]),
    default="quality",
    show_default=True,
    help="Leave out sessions without consent for it.",
)
@click.option(
    "--session",
    "only",
    multiple=True,
    metavar="ID",
    help="Pages of this one alone; may be given several times.",
)
@click.option(
    "--jobs", type=click.IntRange(0), default=0, metavar="N", help="Processes.  [default: one a core]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def report(
    study: Place,
    model: Path | None,
    rules: bool,
    rules_file: Path | None,
    budget: float | None,
    threshold: float | None,
    bonds: Place | None,
    rater: str,
    clients: Place | None,
    by: tuple[str, ...] | None,
    out: Path,
    link_media: bool,
    media: tuple[Path, ...],
    pseudonymize: Path | None,
    purpose: str,
    only: tuple[str, ...],
    jobs: int,
    as_json: bool,
) -> None:
    """Write pages to read: the review list of a cohort, a page and a printable sheet for each session.

    STUDY_OR_TABLE is a results folder of 'vsa extract', or a CSV or Parquet table. The pages open from disk in any
    browser and need no network. They hold numbers about people, and no pictures or sound of them: keep them as you keep
    the results.
    """
    from vsa.run.reporting.build import build
    from vsa.run.reporting.request import BUDGET, Request
    from vsa.study.folder import study_of
    from vsa.study.log import record

    rules = rules or rules_file is not None
    _check(
        model,
        rules,
        budget,
        threshold,
        link_media or not media,
        pseudonymize is not None and link_media,
        purpose,
    )
    asked = Request(
        study=study,
        out=out,
        model=model,
        rules=rules,
        rules_file=rules_file,
        budget=BUDGET if budget is None else budget,
        threshold=threshold,
        bonds=bonds,
        rater=rater,
        clients=clients,
        by=by,
        link_media=link_media,
        media=media,
        pseudonymize=pseudonymize,
        purpose=purpose,
        only=only,
        jobs=jobs,
    )
    done = build(asked, _progress)
    if folder := study_of(study):
        listed = model.name if model else "rules" if rules else "none"
        record(folder, "report", done.ids, {"model": listed, "sheets": done.sheets, **done.counts})
    if as_json:
        import json

        told = {"index": str(done.index), "sessions": list(done.ids), "sheets": done.sheets}
        click.echo(json.dumps({**told, "counts": done.counts, "notes": list(done.notes)}, indent=2))
        return
    _show(done)


def _check(
    model: Path | None,
    rules: bool,
    budget: float | None,
    threshold: float | None,
    media_used: bool,
    names_told: bool,
    purpose: str,
) -> None:
    if model is not None and rules:
        raise click.UsageError("Give a --model or --rules, not both.")
    if budget is not None and threshold is not None:
        raise click.UsageError("Give a --budget or a --threshold, not both.")
    if model is None and not rules and (budget is not None or threshold is not None):
        raise click.UsageError("A --budget or --threshold needs a --model or --rules to list sessions by.")
    if rules and threshold is not None:
        raise click.UsageError("Rules give no probability to hold against a --threshold. Give a --budget.")
    if not media_used:
        raise click.UsageError("--media says where recordings lie; --link-media links them.")
    if names_told:
        raise click.UsageError(
            "Links to recordings would tell their names: give --pseudonymize or --link-media."
        )
    if purpose == "research" and (model is not None or rules):
        raise click.UsageError("A review list is made for quality, and --purpose research has none.")


def _progress(done: int, of: int) -> None:
    """Every tenth part is told, on standard error, where there are many."""
    if of >= 20 and (10 * done // of) != (10 * max(0, done - 4) // of):
        click.echo(f"{done} of {of} sessions", err=True)


def _show(done: Report) -> None:
    pages = f"{len(done.ids)} session page{'s' * (len(done.ids) != 1)}"
    sheets = f"{done.sheets} sheet{'s' * (done.sheets != 1)} for the practitioner"
    click.echo(f"{pages}, {sheets}.")
    if done.counts:
        click.echo(
            f"{done.counts['weak']} weak (review suggested), {done.counts['ok']} ok, "
            f"{done.counts['abstain']} not judged (abstain)."
        )
    for note in done.notes:
        click.echo(f"Note: {note}")
    click.echo(f"Open in a browser: {done.index}")
