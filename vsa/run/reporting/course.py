"""A session on one time axis: from its signals to what the timeline of its page shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from vsa.features import coupled, looks, swings
from vsa.features.chance import against_surrogates
from vsa.features.episodes import Episodes, runs
from vsa.features.limits import face_of, need_rate, pair_of, voice_of
from vsa.features.nods import find_nods
from vsa.features.registry import TooLittle
from vsa.features.smiles import need_smiles
from vsa.features.synchrony import WINDOW_S
from vsa.features.turns_known import LONG_SILENCE_S
from vsa.report.pages.view_timeline import Interruption, Lane, Spans, Synchrony, Timeline, no_spans
from vsa.report.strips import unmeasured
from vsa.voice.turns import BACKCHANNEL, TURN

if TYPE_CHECKING:
    import pandas as pd

    from vsa.features.person import Face, Voice
    from vsa.features.session import Session


def timeline_of(session: Session) -> Timeline:
    """Gather who speaks, looks, smiles and nods when, and how far movements go together."""
    start_s, end_s = session.span_s
    turns = session.turns
    none = no_spans()
    return Timeline(
        start_s=start_s,
        end_s=end_s,
        lanes=tuple(_lane(session, scope) for scope in session.scopes),
        strangers=none
        if turns is None
        else _spans(turns.turns[~turns.turns["participant"].isin(session.scopes)]),
        silences=none if turns is None else _long(_spans(turns.silences)),
        overlaps=none if turns is None else _spans(turns.overlaps),
        interruptions=()
        if turns is None
        else tuple(
            Interruption(
                float(row.start), float(row.end), str(row.participant), str(row.interrupted), bool(row.taken)
            )
            for row in turns.interruptions.itertuples()
        ),
        synchrony=synchrony_of(session),
        no_speech=session.no_turns if turns is None else "",
    )


def synchrony_of(session: Session) -> Synchrony:
    """How far the motion energy of the pair goes together over the session, against surrogates."""
    try:
        first, second = pair_of(session)
        series = [coupled.motion(session, scope) for scope in (first, second)]
    except TooLittle as why:
        return _no_synchrony(str(why))
    test = against_surrogates(series[0], series[1], coupled.RATE_HZ)
    if test.reason:
        return _no_synchrony(test.reason)
    middle = session.span_s[0] + test.observed.starts_s + WINDOW_S / 2
    return Synchrony(middle, test.window_z, WINDOW_S, test.z, test.p, "")


def _no_synchrony(why: str) -> Synchrony:
    return Synchrony(np.empty(0), np.empty(0), WINDOW_S, math.nan, math.nan, why)


def _lane(session: Session, scope: str) -> Lane:
    face = session.faces[scope]
    missing: dict[str, str] = {}

    def found(signal: str, find: Callable[[], Spans]) -> Spans:
        try:
            face_of(session, scope)
            return find()
        except TooLittle as why:
            missing[signal] = str(why)
            return no_spans()

    away = found("gaze", lambda: _away(face))
    smiles = found("smile", lambda: _episodes(need_smiles(face)))
    nods = found("nod", lambda: _nods(face))
    try:
        voice: Voice | None = voice_of(session, scope)
    except TooLittle as why:
        voice, missing["speech"] = None, str(why)
    said = None if session.turns is None else session.turns.turns
    own = None if said is None else said[said["participant"] == scope]
    return Lane(
        scope=scope,
        name=scope,
        turns=no_spans() if own is None else _spans(own[own["kind"] == TURN]),
        backchannels=no_spans() if own is None else _spans(own[own["kind"] == BACKCHANNEL]),
        away=away,
        gaze_unknown=no_spans() if "gaze" in missing else _gaze_unknown(face, session.span_s),
        smiles=smiles,
        nods=nods,
        unseen=unmeasured(face.t, face.tracked, session.span_s),
        unheard=no_spans() if voice is None else unmeasured(voice.t, voice.known, session.span_s),
        missing=missing,
    )


def _away(face: Face) -> Spans:
    """Looks away that last."""
    return _stacked(
        (track.start_s + looks.STEP_S * a, track.start_s + looks.STEP_S * b)
        for track in looks.tracks(face)
        for a, b in runs(track.away)
    )


def _gaze_unknown(face: Face, span_s: tuple[float, float]) -> Spans:
    """What lies between the stretches in which it is known where the person looks."""
    edges = [span_s[0]]
    for track in looks.tracks(face):
        edges += [track.start_s, track.start_s + looks.STEP_S * len(track.away)]
    edges.append(span_s[1])
    gaps = np.array(edges).reshape(-1, 2)
    return np.asarray(gaps[gaps[:, 1] - gaps[:, 0] > looks.SHORTEST_S])


def _nods(face: Face) -> Spans:
    need_rate(face, swings.NEEDED_RATE_HZ)
    return _episodes(find_nods(face))


def _episodes(found: Episodes) -> Spans:
    return np.column_stack([found.start_s, found.end_s])


def _stacked(pairs: Iterable[tuple[float, float]]) -> Spans:
    return np.array(list(pairs), np.float64).reshape(-1, 2)


def _spans(table: pd.DataFrame) -> Spans:
    return np.asarray(table[["start", "end"]], np.float64)


def _long(spans: Spans) -> Spans:
    return spans[spans[:, 1] - spans[:, 0] >= LONG_SILENCE_S - 1e-9]
