"""Cohorts as their page gets them: of any size, with what real ones hold, and with names that mean harm."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from vsa.report.pages.cohort import cohort_context
from vsa.report.pages.site import INDEX, Site, link, page_name
from vsa.report.pages.view import Flag, Frame, Moment, Reason
from vsa.report.pages.view_cohort import CohortView, ComparisonView, Excluded, Listed, ModelView

NAN = math.nan
CUT = 3.25
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "\"' onmouseover=alert(3) x='",
    "=1+1",
    "long-" + 40 * "0123456789",
    "\u05e9\u05dc\u05d5\u05dd 12 \u202eabc",
    "{{ 7*7 }} <b>bold</b> &amp;",
)
_SIGNALS = (
    ("client.gaze.on_screen_share", "client: share of time looking toward the screen: 55 %", "low"),
    (
        "client.turns.backchannel_rate_per_min",
        'client: short sounds of listening ("mm-hm") per minute: 4.5',
        "low",
    ),
    ("therapist.turns.latency_median_s", "therapist: typical wait before taking the turn: 1.1 s", "high"),
    (
        "therapist.voice.f0_sd_st",
        "therapist: spread of pitch: 1.9 semitones over this client's sessions",
        "low",
    ),
    ("dyad.turns.silence_share", "both: silence share: 20 % over this client's sessions", "high"),
)
FRAME = Frame(
    study="clinic-2026",
    made="2026-11-28",
    version="0.1.0",
    model="bond.skops",
    label="weak: among the 10 % of the sessions in which a weak bond is most probable. Weak bond: 'bond' at or below "
    "3.25, the lowest 20% of the training (column 'bond' of bonds.csv, rated by client)",
    simulated_model=True,
    simulated_data="all",
    warnings=(),
    key="0123456789abcdef",
    model_print="0123456789ab",
    pseudonyms=False,
)
MODEL = ModelView(
    name="bond.skops",
    verdict="For people held out in its training, the model is closer than the training mean, by more than chance "
    "explains.",
    about={
        "Learned from": "SIMULATED: 640 sessions, 160 clients, 20 therapists",
        "Kind": "ridge on 34 signals",
    },
    results={
        "Correlation of expected and reported bond": "0.31 (0.21 to 0.40)",
        "Explained variance (R2)": "0.09",
    },
    pictures={},
    card="",
)


def cohort(sessions: int, clients: int, seed: int = 1, in_training: float = 0.0) -> CohortView:
    """A cohort with a list by a model: the first tenth for review, a few not judged, some recordings poor."""
    rng = np.random.default_rng(seed)
    bonds = np.clip(rng.normal(4, 0.6, sessions), 1, 5)
    expected = np.clip(4 + 0.3 * (bonds - 4) + rng.normal(0, 0.25, sessions), 1, 5)
    order = np.argsort(expected)
    unjudged = set(rng.choice(order[sessions // 10 :], max(1, sessions // 50), replace=False).tolist())
    listed = []
    rank = 0
    for k in order.tolist():
        rank += k not in unjudged
        listed.append(
            _listed(k, k % clients, k // clients + 1, bonds[k], expected[k], rng, in_training)
            | {"rank": None if k in unjudged else rank, "of": sessions}
        )
    return CohortView(
        sessions=tuple(_session(one, rng) for one in listed),
        excluded=(
            Excluded(
                "s-no-consent", "consent", "Not all of its people agreed to quality.", "See the manifest."
            ),
            Excluded("s-broken", "media", "The file ends in the middle of a packet.", "Copy it again."),
        ),
        target="bond",
        scale=(1.0, 5.0),
        weak_cut=CUT,
        model=MODEL,
        comparison=ComparisonView("", "", "There is no column modality, attachment or diagnosis."),
        notes=("A flag suggests that somebody looks at the session. It decides nothing about a person.",),
    )


def _listed(
    k: int,
    client: int,
    number: int,
    bond: float,
    expected: float,
    rng: np.random.Generator,
    in_training: float,
) -> dict[str, object]:
    return {
        "id": f"c{client + 1:03d}-s{number}",
        "client": f"c{client + 1:03d}",
        "number": number,
        "bond": float(np.round(bond * 4) / 4) if rng.random() > 0.1 else NAN,
        "expected": float(expected),
        "trained": bool(rng.random() < in_training),
        "facts": {
            "modality": ("online", "in person")[int(rng.random() < 0.2)],
            "platform": str(rng.choice(["zoom", "teams", "in one room"])),
            "attachment": str(rng.choice(["secure", "anxious", "avoidant"])),
            "date": f"2026-0{1 + k % 9}-1{k % 10}",
        },
    }


def _session(one: dict[str, object], rng: np.random.Generator) -> Listed:
    rank, of, expected = one["rank"], int(one["of"]), float(one["expected"])  # type: ignore[call-overload]
    weak = rank is not None and int(rank) <= of // 10  # type: ignore[call-overload]
    low, high = max(expected - 1, 1.0), min(expected + 1.1, 5.0)
    poor = rank is None
    flag = Flag(
        verdict="abstain" if poor else "weak" if weak else "ok",
        suggestion="cannot tell from this recording" if poor else "review suggested" if weak else "",
        probability=NAN if poor else float(1 / (1 + np.exp(3 * (expected - 3.4)))),
        expected=NAN if poor else expected,
        low=NAN if poor else low,
        high=NAN if poor else high,
        rank=rank,  # type: ignore[arg-type]
        reasons=() if poor else tuple(_reasons(weak, rng)),
        unjudged="the client was in view for 31 % of the session, and half is the least to judge from"
        if poor
        else "",
        in_training=bool(one["trained"]),
    )
    name = str(one["id"])
    trained = flag.in_training
    return Listed(
        session_id=name,
        client=str(one["client"]),
        therapist=f"t{int(rng.integers(1, 20)):02d}",
        number=int(one["number"]),  # type: ignore[call-overload]
        page=link("sessions", page_name(name)),
        sheet=link("sheets", page_name(name)),
        facts=one["facts"],  # type: ignore[arg-type]
        simulated=True,
        duration_s=float(rng.normal(3000, 200)),
        tracked_share=0.31 if poor else float(rng.uniform(0.9, 1)),
        missing_share=0.02,
        problems=("client in view 31%",) if poor else ("no sound",) if rng.random() < 0.03 else (),
        bond=float(one["bond"]),  # type: ignore[arg-type]
        expected=flag.expected,
        low=NAN if trained else flag.low,
        high=NAN if trained else flag.high,
        held_out=math.isfinite(flag.expected),
        flag=flag,
    )


def _reasons(weak: bool, rng: np.random.Generator) -> list[Reason]:
    found = []
    for k in rng.choice(len(_SIGNALS), 3, replace=False).tolist():
        feature, words, side = _SIGNALS[k]
        starts = np.sort(rng.uniform(0, 2900, int(rng.integers(1, 4)))) if weak else ()
        moments = tuple(Moment(float(t), float(t) + 45, feature, 0.2) for t in starts)
        compared = (
            f"{'lower' if side == 'low' else 'higher'} than in {rng.integers(7, 10)} of 10 training sessions"
        )
        found.append(
            Reason(feature, side, f"{words}, {compared}", moments, "" if moments else "not looked for")
        )
    return found


def by_rules(view: CohortView) -> CohortView:
    """The same with a list by rules, which expects no bond."""
    sessions = tuple(
        replace(
            one,
            expected=NAN,
            low=NAN,
            high=NAN,
            held_out=False,
            flag=replace(
                one.flag,
                probability=NAN,
                expected=NAN,
                low=NAN,
                high=NAN,
                weak_signals=None if one.flag.rank is None else max(0, 5 - one.flag.rank // 3),
                signals_known=None if one.flag.rank is None else 14,
            ),
        )
        for one in view.sessions
        if one.flag is not None
    )
    return replace(view, sessions=sessions, model=None, weak_cut=NAN, scale=None)


def unlisted(view: CohortView) -> CohortView:
    """The same without a model or rules."""
    sessions = tuple(
        replace(one, flag=None, expected=NAN, low=NAN, high=NAN, held_out=False) for one in view.sessions
    )
    return replace(view, sessions=sessions, model=None, weak_cut=NAN, scale=None, notes=())


def hostile() -> CohortView:
    """A cohort in which all that people name is named to do harm."""
    view = cohort(40, 10)
    bad = [HOSTILE[k % len(HOSTILE)] for k in range(40)]
    sessions = tuple(
        replace(
            one,
            session_id=f"{bad[k]}{k // len(HOSTILE) or ''}",
            client=bad[k],
            therapist=bad[k],
            page=link("sessions", page_name(f"{bad[k]}{k}")),
            facts={"modality": HOSTILE[k % 2], HOSTILE[1]: HOSTILE[k % 3], "__proto__": "ab"[k % 2]},
            problems=(bad[k],),
            flag=replace(
                one.flag,
                unjudged=one.flag.unjudged and bad[k],
                reasons=tuple(replace(reason, words=bad[k]) for reason in one.flag.reasons),
            )
            if one.flag
            else None,
        )
        for k, one in enumerate(view.sessions)
    )
    names = HOSTILE[1]
    return replace(
        view,
        sessions=sessions,
        target=names,
        excluded=(Excluded(HOSTILE[0], names, names, names),),
        model=replace(
            MODEL, name=names, verdict=names, about={names: HOSTILE[0]}, results={names: HOSTILE[2]}
        ),
        comparison=ComparisonView(names + "\n" + HOSTILE[0], "", ""),
        notes=HOSTILE,
    )


def write(folder: Path, view: CohortView, frame: Frame = FRAME) -> Path:
    """Write the page with what it needs beside it."""
    site = Site(folder, frame)
    site.write_assets()
    site.write(INDEX, "cohort.html", **cohort_context(view, frame))
    return folder / INDEX
