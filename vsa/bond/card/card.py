"""The model card: what a model is for and not for, whom it learned from, how it was tested and what came out.

On the pattern of Mitchell et al. 2019 (Model cards for model reporting), with the items of TRIPOD+AI (Collins et al.
2024) in mind. Its numbers are those of the model's own record; text of the study is shown as text
(`vsa.bond.card.tables.shown`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from vsa.bond import membership
from vsa.bond.card.figures import figures
from vsa.bond.card.page import card_page
from vsa.bond.card.tables import NONE, count, number, percent, shown, table
from vsa.bond.cohort import LEAST_GROUPS
from vsa.bond.evaluation.conformal import LEVEL
from vsa.bond.evaluation.resampling import LEVEL as OF_FIGURES
from vsa.bond.folds import INNER, OUTER
from vsa.bond.model import SIMULATED

if TYPE_CHECKING:
    from vsa.bond.model import ModelInfo

__all__ = ["card_page", "model_card"]

#: What the pictures of `vsa.report.evaluation` show, for those who don't see them; by name without its ending.
ALTERNATIVES = {
    "expected": "Reported bond against expected bond of sessions whose people were held out.",
    "predictors": "R2 of each predictor with its interval; the table of predictors has the numbers.",
    "flags": "Calibration curve, and net benefit of flags; the tables of flags have the numbers.",
    "signals": "The signals that stand out most: coefficients with intervals, level and change apart.",
    "learning": "R2 and r by number of clients; the table of the learning curve has the numbers.",
}
_NOT_FOR = (
    "Decisions about a person: about treatment, admission, cost, or anything else. A flag suggests that somebody looks "
    "at a session, and no more.",
    "Evaluation of staff: not of a therapist, a trainee or a team, nor to compare them.",
    "Diagnosis, risk, and what somebody is like: it knows nothing of either.",
    "Recognition of emotions: what somebody feels can't be read off how a face moves, and nothing here tries to.",
    "Sessions unlike those of the training: other questionnaires or raters, other platforms, cameras and languages, "
    "other people. 'vsa evaluate' says how a cohort differs; recalibrate with 'vsa train --start-from' before use.",
    "People who did not agree to it. Who is filmed must know, and must be able to say no with no effect on their care.",
)
_LIMITS = (
    "Small effects: with nonverbal signals alone and new clients, r of .10 to .30 is what to expect (R2 of 0 to .09, "
    "AUC of .55 to .65). Far higher figures are more often leakage than skill.",
    "Studies conflict. Synchrony went with the alliance in one meta-analysis (r = .19, Gregorini et al. 2025) and not "
    "in another (r = .06, not told from 0, Jennissen et al. 2024). Which way a signal points here may not be which way "
    "it points elsewhere.",
    "Gaze from a webcam is off by several degrees, and by more than that up and down. What is measured is looking "
    "toward the screen, which is not eye contact.",
    "Measurement of faces is worse for some people: by skin colour, gender, age, glasses and light. The table by group "
    "shows what was seen of that here, as far as the groups are known.",
    "A questionnaire is one person's answer at one time: ratings pile up at the top of their scale, and clients, "
    "therapists and observers often disagree.",
    "Signals go with the bond or don't; nothing here says what would happen if somebody behaved differently.",
    "The intervals of figures are those of the people tested. Another training would give other figures again.",
    "Never validated on therapy sessions by its makers: vsa was built on simulated calls and simulated cohorts. What "
    "is known for real sessions is what the figures above say if this training was of real ones, and what you test "
    "yourself with 'vsa evaluate'.",
)


def model_card(info: ModelInfo, pictures: Sequence[str] = (), contact: str = "") -> str:
    """Write the card of a model.

    Parameters
    ----------
    info
        The model's.
    pictures
        Names of the pictures that `vsa.report.evaluation.draw_evaluation` wrote, beside which the card will lie.
    contact
        Whom to ask, in any words.

    Returns
    -------
    Markdown (CommonMark with tables).
    """
    images = {PurePath(name).stem: _image(name) for name in pictures}
    sections = (
        ("What it is", _what(info)),
        ("Intended use", _use(info)),
        ("Not for", _not_for(info)),
        ("Data", _data(info)),
        ("How it was made and tested", _procedure(info)),
        ("Figures", figures(info, images)),
        ("Signals", _signals(info)),
        ("Limits", (f"- {limit}" for limit in _LIMITS)),
        ("Withdrawn since", (shown(line) for line in membership.said(info.withdrawn))),
        ("To make it again", _again(info)),
        ("Contact", [shown(contact) or "Contact: not given. Set it with --contact."]),
    )
    said = [f"**{SIMULATED}**", ""] if info.simulated else []
    lines = [*said, "# Model card: reported bond, from nonverbal signals", ""]
    for title, content in sections:
        if body := list(content):
            lines += [f"## {title}", "", *said, *body, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _image(name: str) -> str:
    return f"![{ALTERNATIVES.get(PurePath(name).stem, 'Picture of the evaluation.')}]({name})"


def _what(info: ModelInfo) -> Iterator[str]:
    taken = [*info.design.numbers, *(info.design.categories or {})]
    beside = f" and the covariates {', '.join(map(shown, taken))}" if taken else ""
    yield (
        f"A regression ({info.family}) that takes {count(len(info.features), 'signal')} of a recorded session{beside} "
        f"and gives the bond that it expects somebody to report ('{shown(info.target)}'). With it come an interval "
        f"meant to hold the reported bond in {percent(LEVEL)} of sessions, the probability of a weak bond if that "
        "could be learned, and reasons in words; or it says that the session can't be judged from its recording."
    )
    if info.started_from:
        yield f"\nIt was {shown(info.started_from)}."
    yield f"\nA weak bond is {shown(info.weak.said(info.target, info.weak_cut))}."


def _use(info: ModelInfo) -> Iterator[str]:
    yield (
        'To help a team choose which sessions to look at first ("review suggested"), beside all else that it knows, '
        "and to study how nonverbal signals go with the reported bond. A person looks at the session, and decides."
    )
    yield "\nFor sessions like those of the training (see Data), recorded and extracted in the same way."


def _not_for(info: ModelInfo) -> Iterator[str]:
    yield from (f"- {use}" for use in _NOT_FOR)
    if info.design.split:
        yield (
            "- Clients with a single session: a session's signals are compared with those of the client's others "
            f"(the training had {info.sessions / info.clients:.1f} sessions a client), and with one there is no change."
        )
    if info.weak.kind == "drop":
        yield "- Flags for clients with one session: a drop below the client's own mean takes at least two."


def _data(info: ModelInfo) -> Iterator[str]:
    clients = str(info.clients) if info.grouped_by == "client" else "not known"
    scale = "not known" if info.scale is None else f"{info.scale[0]:g} to {info.scale[1]:g} points"
    rows = [
        ("Sessions", str(info.sessions)),
        ("Clients", clients),
        ("Therapists", "not known" if info.therapists is None else str(info.therapists)),
        ("Bond", f"'{shown(info.target)}'"),
        ("Where it is from", shown(info.label_source)),
        ("Rated by", ", ".join(map(shown, info.raters)) or "not known"),
        ("Possible range", scale),
        ("Mean", f"{number(info.bond_mean)} points"),
        ("SD", f"{number(info.bond_sd)} points"),
        ("Lowest and highest reported", f"{number(info.bond_min)} and {number(info.bond_max)} points"),
        ("Signals missing", f"at most {percent(info.missing_p95)} of them in 95 % of the sessions"),
        ("Measures of the recording's quality", str(len(info.quality))),
    ]
    yield from table(("What", "Value"), rows, words=2)
    if info.scale is not None and info.bond_max >= info.scale[1]:
        yield "Some reported the highest bond that there is: among these the model can't tell differences.\n"
    if any(info.people.values()):
        yield "Who they are, in sessions. Values of fewer than 5 clients are put together as 'other'.\n"
        people = (
            (shown(column), shown(value), str(n))
            for column, values in info.people.items()
            for value, n in values.items()
        )
        yield from table(("What", "Value", "Sessions"), people, words=2)
    else:
        yield "Who they are is not known: the table had no gender, age, diagnosis or modality.\n"
    yield from (f"- {shown(note)}" for note in info.notes)


def _procedure(info: ModelInfo) -> Iterator[str]:
    found, clients = info.evaluation, info.grouped_by == "client"
    who = f"{info.grouped_by}s"
    if info.base_design is not None:
        yield "- The expectation of the model that it starts from is the only column; one line was learned."
    elif info.design.split:
        yield (
            "- Each signal is taken twice: as the client's mean over all sessions given (level), and as the session's "
            "deviation from it (change). The mean is made of signals alone, never of bonds."
        )
    else:
        yield "- Each signal is taken as it is: hardly any client has several sessions."
    yield (
        "- A missing value becomes the median of the training, and that it was missing is noted beside it. All columns "
        "are brought to one scale. Both are learned in each training alone."
    )
    chosen = found["held_out"][0]["chosen"]
    families = ", ".join(f"{shown(name)} in {percent(share)}" for name, share in chosen.items())
    yield (
        f"- Ridge, elastic net and boosted stumps compete, each with several settings, in {INNER} folds inside of each "
        f"training. Winners in the trainings of the test on new {who}: {families}. Of the model itself: "
        f"{shown(info.family)}, setting {info.setting:g}."
    )
    held = (
        "all sessions of a client are held out together" if clients else "each session is held out by itself"
    )
    yield (
        f"- Test: {held}, in {OUTER} folds, drawn {count(found['repeats'], 'time')}. Where {LEAST_GROUPS} therapists "
        "or more can be told apart, the same is done with all sessions of a therapist."
    )
    yield (
        f"- Figures have intervals of {percent(OF_FIGURES)}: the people who were held out are drawn anew "
        f"{found['draws']} times, each with all of their sessions."
    )
    yield f"- The model itself is fitted to all {info.sessions} sessions."


def _signals(info: ModelInfo) -> Iterator[str]:
    from vsa.features.words import label

    yield (
        "Measurements of how people look, move, sound and take turns; 'vsa features show NAME' says how each is "
        "defined.\n"
    )
    rows = (
        (shown(name), shown(label(name)), str(info.feature_versions.get(name, NONE)))
        for name in info.features
    )
    yield from table(("Name", "In words", "Version"), rows, words=2)


def _again(info: ModelInfo) -> Iterator[str]:
    found = info.evaluation
    rows = [
        ("Seed", str(found["seed"])),
        ("Draws of the outer folds", str(found["repeats"])),
        ("Draws of the bootstrap", str(found["draws"])),
        ("Permutations of each kind", str(found["permutations"])),
        ("Weak bond", shown(found["weak"])),
        ("Bond", shown(info.target)),
        ("Started from", shown(info.started_from) or "nothing"),
    ]
    yield from table(("Setting", "Value"), rows, words=2)
    yield "The same table, settings and versions give the same model and figures.\n"
    yield from table(
        ("Made with", "Version"), ((shown(k), shown(v)) for k, v in info.versions.items()), words=2
    )
