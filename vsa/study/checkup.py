"""Whether a study folder is sound: its log, its sessions, and whether they still have consent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsa.check import Check
from vsa.errors import InputError, SessionError
from vsa.study.chain import verify
from vsa.study.folder import FEATURES, LOG, MANIFEST
from vsa.study.gathering import own_row
from vsa.study.places import look
from vsa.study.results import Results
from vsa.study.rows import key
from vsa.study.withdrawal import unfinished, withdrawals

if TYPE_CHECKING:
    import pandas as pd

    from vsa.study.manifest import Manifest

_NAMED = 5
#: Shorter beginnings of a fingerprint could be those of another.
_SHORTEST = 12
_AGAIN = "vsa extract does them again."
#: A table of so many times as many rows as there are sessions, and so many more, is not looked at row by row.
_MOST_TIMES, _MOST_MORE = 10, 1000


def examine_study(study: Path, expect: str = "") -> list[Check]:
    """Look at a study folder; nothing is changed.

    Parameters
    ----------
    study
        The folder.
    expect
        Fingerprint of an entry of the log that was kept elsewhere, or how it begins: it must still be there.

    Raises
    ------
    InputError
        When `expect` is no fingerprint.
    """
    if expect and not (len(expect) >= _SHORTEST and all(c in "0123456789abcdef" for c in expect.lower())):
        raise InputError(
            f"'{expect}' is no fingerprint.",
            f"Give the {_SHORTEST} first of its hexadecimal digits, or all 64.",
        )
    results = Results(study)
    finished = results.sessions()
    return [
        _log(study, expect),
        *_withdrawals(study, finished),
        *_manifest(study, results, finished),
        *_damaged(study, finished),
        _features(study, results, finished),
        *_making(study),
    ]


def is_sound(checks: Sequence[Check]) -> bool:
    """Whether nothing is wrong."""
    return not any(check.verdict == "wrong" for check in checks)


def _log(study: Path, expect: str) -> Check:
    try:
        chain = verify(study)
    except SessionError as error:
        return Check("log", "wrong", error.message, error.hint)
    count = len(chain.entries)
    said = [
        f"{count} entr{'y' if count == 1 else 'ies'}; the last is {chain.last}",
        *chain.faults,
        *chain.notes,
    ]
    if expect and not chain.holds(expect):
        said.append(
            f"{expect} is not in it: its end was cut off, or it was written anew, since that was noted"
        )
        return Check(
            "log", "wrong", "\n".join(said), "Compare it with a backup: somebody or something changed it."
        )
    if chain.faults:
        return Check(
            "log", "wrong", "\n".join(said), "Compare it with a backup: somebody or something changed it."
        )
    if not count:
        found = f"there is no {LOG}" if not (study / LOG).exists() else "it has no entries"
        return Check("log", "warn", found, "The next command that works on the study begins it.")
    return Check("log", "ok", "\n".join(said), "Keep the last one elsewhere; --expect looks for it later.")


def _withdrawals(study: Path, finished: Sequence[str]) -> Iterator[Check]:
    try:
        open_, begun = unfinished(study), withdrawals(study)
    except SessionError:  # said of the log
        return
    for entry in open_:
        kind, person = entry.outcome["as"], entry.outcome["person"]
        yield Check(
            "withdrawal",
            "wrong",
            f"{kind} {person}: begun on {entry.time[:10]}, and not ended",
            f"vsa withdraw {person} {study} --as {kind}",
        )
    gone = {key("session", one) for entry in begun if entry not in open_ for one in entry.ids}
    if back := [name for name in finished if key("session", name) in gone]:
        yield Check(
            "withdrawal",
            "wrong",
            f"{_count(back)} withdrawn, and there again: {_some(back)}",
            "Withdraw them again, unless consent was given anew.",
        )


def _manifest(study: Path, results: Results, finished: Sequence[str]) -> Iterator[Check]:
    from vsa.study.manifest import read_manifest

    if not (study / MANIFEST).is_file():
        yield Check(
            "manifest", "warn", f"there is no {MANIFEST}", "Whether sessions have consent can't be said."
        )
        return
    try:
        manifest = read_manifest(study / MANIFEST, finished=finished)
    except InputError as error:
        yield Check("manifest", "wrong", error.message, "Mend it: until then, nothing is extracted.")
        return
    yield from _against(manifest, results, finished)


def _against(manifest: Manifest, results: Results, finished: Sequence[str]) -> Iterator[Check]:
    """What the manifest has and the folder has not, and the other way round."""
    planned = {key("session", plan.session_id): plan.session_id for plan in manifest.plans}
    refused = {key("session", one) for one in manifest.without_consent}
    there = {key("session", name): name for name in finished}
    failed = {key("session", failure.session_id) for failure in results.failures()}
    yield Check(
        "manifest",
        "ok",
        f"{_count(planned)} with consent, {len(refused)} without, {len({*planned} & {*there})} extracted",
    )
    if missing := [planned[k] for k in planned if k not in there]:
        bad = sum(key("session", one) in failed for one in missing)
        why = f" ({bad} failed: failures.csv says why)" if bad else ""
        yield Check("not extracted", "warn", f"{_count(missing)}: {_some(missing)}{why}", _AGAIN)
    if gone := [there[k] for k in there if k in refused]:
        yield Check(
            "consent",
            "wrong",
            f"{_count(gone)} in the folder without consent: {_some(gone)}",
            "vsa withdraw removes them.",
        )
    if strange := [there[k] for k in there if k not in refused and k not in planned]:
        yield Check(
            "consent",
            "warn",
            f"{_count(strange)} in the folder that the manifest lacks: {_some(strange)}",
            "Whether these have consent can't be said: add them to it, or withdraw them.",
        )


def _damaged(study: Path, finished: Sequence[str]) -> Iterator[Check]:
    whole = {*finished}
    bad = sorted(
        folder.name
        for folder in look(study).sessions
        if folder.parent == study and not folder.name.startswith(".") and folder.name not in whole
    )
    if bad:
        yield Check("damaged", "wrong", f"{_count(bad)}: {_some(bad)}", _AGAIN)


def _features(study: Path, results: Results, finished: Sequence[str]) -> Check:
    """Whether the table of all sessions has what each session's own table has."""
    import pandas as pd
    import pyarrow.parquet as pq

    if not (study / FEATURES).is_file():
        verdict: Any = "wrong" if finished else "ok"
        return Check(
            FEATURES, verdict, f"it is not there, and {_count(finished)} finished", _AGAIN if finished else ""
        )
    try:
        many = pq.read_metadata(study / FEATURES).num_rows
        if many > _MOST_TIMES * len(finished) + _MOST_MORE:
            found = f"it has {many} rows, and {_count(finished)} finished"
            return Check(FEATURES, "wrong", found, "vsa extract writes it anew.")
        table = pd.read_parquet(study / FEATURES)
        rows = {str(one): table.iloc[k] for k, one in enumerate(table["session_id"])}
    except (OSError, ValueError, KeyError) as error:
        return Check(
            FEATURES, "wrong", f"it can't be read ({type(error).__name__})", "vsa extract writes it anew."
        )
    faults, hint = [], "vsa extract writes it anew."
    if twice := len(table) - len(rows):
        faults.append(f"{twice} rows too many: sessions are there twice")
    if missing := [name for name in finished if name not in rows]:
        faults.append(f"{_count(missing)} not in it: {_some(missing)}")
    if extra := sorted({*rows} - {*finished}):
        faults.append(f"{_count(extra)} in it without a finished session: {_some(extra)}")
    own = {name: _same(results.session(name) / FEATURES, name, rows.get(name)) for name in finished}
    if unfit := [name for name, same in own.items() if same is None]:
        faults.append(f"{_count(unfit)} whose own table is damaged or not their one row: {_some(unfit)}")
        hint = "vsa extract --afresh does sessions with a damaged table again, and writes it anew."
    if other := [name for name, same in own.items() if name in rows and same is False]:
        faults.append(f"{_count(other)} with other values than the session's own table: {_some(other)}")
    if faults:
        return Check(FEATURES, "wrong", "\n".join(faults), hint)
    return Check(FEATURES, "ok", f"{_count(finished)}, as in their folders")


def _same(path: Path, name: str, row: pd.Series[Any] | None) -> bool | None:
    """Whether a session's own table has the row that the table of all has; None if it is not its one row."""
    try:
        own = own_row(path.read_bytes(), name).to_pandas().iloc[0]
    except (OSError, ValueError):
        return None
    return row is not None and all(column in row and _equal(row[column], own[column]) for column in own.index)


def _equal(one: object, other: object) -> bool:
    import pandas as pd

    missing = bool(pd.isna(one)), bool(pd.isna(other))
    return all(missing) if any(missing) else bool(one == other)


def _making(study: Path) -> Iterator[Check]:
    if left := look(study).making:
        yield Check(
            "in the making",
            "warn",
            f"{len(left)}: {_some(sorted(path.name for path in left))}",
            "What a killed run left goes with the next vsa extract.",
        )


def _count(names: Sequence[str] | Mapping[str, str]) -> str:
    return f"{len(names)} session{'s' * (len(names) != 1)}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
