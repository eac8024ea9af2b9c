"""A bond model's file: the pipeline as skops writes it (a zip, no pickle), and ``vsa.json`` beside it in the zip.

No code of the file is run when it is read: types that are no part of scikit-learn, NumPy or SciPy are refused, and so
are models of features that this vsa defines in another way, or whose numbers come out differently here.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from vsa.bond.evaluation import HeldOut, Scores
from vsa.bond.membership import Kind, TrainedOn, Withdrawn
from vsa.bond.model import BondModel, ModelInfo
from vsa.errors import InputError
from vsa.features.registry import versions
from vsa.whole_file import replacing

#: Of the file; raised when an older vsa could not read it.
SCHEMA = 1
_INFO = "vsa.json"
#: Beyond what skops trusts by itself; harmless: a dtype holds no code.
_TRUSTED = ["numpy.dtype"]
_RETRAIN = "Train it again with this version of vsa."


def save(model: BondModel, path: Path) -> None:
    """Write a model, complete or not at all.

    Raises
    ------
    InputError
        When the file can't be written.
    """
    from skops import io

    record = {"schema": SCHEMA, "what": "vsa bond model", "probe": _probe(model), **asdict(model.info)}
    with replacing(path) as part:
        io.dump(model.pipeline, part, compression=zipfile.ZIP_DEFLATED)
        with zipfile.ZipFile(part, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_INFO, json.dumps(record, indent=1, allow_nan=False))


def load(path: Path) -> BondModel:
    """Read a model.

    Raises
    ------
    InputError
        When it is no model of vsa, holds types that are not trusted, or fits another version.
    """
    record = _record(path)
    if record.get("schema") != SCHEMA:
        raise InputError(f"{path} has schema {record.get('schema')}, and this vsa reads {SCHEMA}.", _RETRAIN)
    try:
        info = _info(record)
    except (KeyError, TypeError, AttributeError):
        raise _damaged(path) from None
    _check_features(path, info)
    model = BondModel(_pipeline(path), info)
    try:
        same = bool(np.isclose(_probe(model), float(record["probe"]), rtol=1e-6))
    except Exception:  # whatever another version of a library stumbles over
        same = False
    if not same:
        made = info.versions.get("scikit-learn", "another version")
        raise InputError(
            f"{path} was made with scikit-learn {made} and gives other numbers with the one that is installed.",
            _RETRAIN,
        )
    return model


def trained_with(path: Path, ids: Mapping[Kind, Collection[str]]) -> int | None:
    """How many sessions of a model's training have any of some ids; None if the file doesn't say.

    Raises
    ------
    InputError
        When it is no model of vsa.
    """
    rows = _rows(path, _record(path), ids)
    return None if rows is None else len(rows)


def mark_withdrawn(path: Path, ids: Mapping[Kind, Collection[str]], date: str) -> int | None:
    """Note in a model's file that sessions of its training were withdrawn; how many they are, as `trained_with`.

    What is noted already is not noted again. The file is replaced whole or not at all.

    Raises
    ------
    InputError
        When it is no model of vsa, or can't be written.
    """
    record = _record(path)
    rows = _rows(path, record, ids)
    if rows is None:
        return None
    noted = _withdrawn(path, record)
    new = set(rows) - {row for one in noted for row in one.rows}
    if new:
        record["withdrawn"] = [asdict(one) for one in (*noted, Withdrawn(date, tuple(sorted(new))))]
        _rewrite(path, record)
    return len(rows)


def _rows(path: Path, record: dict[str, Any], ids: Mapping[Kind, Collection[str]]) -> tuple[int, ...] | None:
    try:
        trained_on = _trained_on(record)
    except (KeyError, TypeError, AttributeError):
        raise _damaged(path) from None
    return None if trained_on is None else trained_on.rows(ids)


def _withdrawn(path: Path, record: dict[str, Any]) -> tuple[Withdrawn, ...]:
    try:
        return _withdrawals(record)
    except (KeyError, TypeError):
        raise _damaged(path) from None


def _damaged(path: Path) -> InputError:
    return InputError(f"{path}: its {_INFO} is damaged.", "Get the file again.")


def _rewrite(path: Path, record: dict[str, Any]) -> None:
    """Put another ``vsa.json`` into a model's file; the rest stays as it is."""
    try:
        with zipfile.ZipFile(path) as archive, replacing(path) as part:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as new:
                for member in archive.infolist():
                    if member.filename != _INFO:
                        new.writestr(member, archive.read(member))
                new.writestr(_INFO, json.dumps(record, indent=1, allow_nan=False))
            part.chmod(path.stat().st_mode)
    except zipfile.BadZipFile:
        raise InputError(f"{path} is damaged.", "Get the file again.") from None


def _record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path} does not exist.", "Give a model that 'vsa train' wrote.")
    try:
        with zipfile.ZipFile(path) as archive:
            record = json.loads(archive.read(_INFO))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError):
        record = None
    if not isinstance(record, dict) or record.get("what") != "vsa bond model":
        raise InputError(f"{path} is no bond model.", "Give a file that 'vsa train' wrote.")
    return record


def _info(record: dict[str, Any]) -> ModelInfo:
    values = {field.name: record[field.name] for field in fields(ModelInfo) if field.default is MISSING}
    values["evaluation"] = tuple(
        HeldOut(**{**one, "model": Scores(**one["model"]), "baseline": Scores(**one["baseline"])})
        for one in record["evaluation"]
    )
    for name in ("features", "quality", "notes"):
        values[name] = tuple(values[name])
    return ModelInfo(**values, trained_on=_trained_on(record), withdrawn=_withdrawals(record))


def _trained_on(record: dict[str, Any]) -> TrainedOn | None:
    held = record.get("trained_on")  # not in models of earlier versions
    return held and TrainedOn(held["salt"], {kind: tuple(names) for kind, names in held["ids"].items()})


def _withdrawals(record: dict[str, Any]) -> tuple[Withdrawn, ...]:
    return tuple(Withdrawn(one["date"], tuple(one["rows"])) for one in record.get("withdrawn") or ())


def _check_features(path: Path, info: ModelInfo) -> None:
    here = versions(info.features)
    other = [name for name, version in info.feature_versions.items() if here.get(name) != version]
    if other:
        raise InputError(
            f"{path} rests on {len(other)} features that this vsa defines in another way or not at all: "
            f"{', '.join(other[:5])}.",
            f"It was made with vsa {info.versions.get('vsa', '?')}. Extract and train again with one version.",
        )


def _pipeline(path: Path) -> Any:
    from skops import io

    try:
        unknown = sorted(set(io.get_untrusted_types(file=path)) - set(_TRUSTED))
    except Exception as error:  # a damaged file may fail in any way while it is only looked at
        raise InputError(f"{path} is damaged ({type(error).__name__}).", "Get the file again.") from None
    if unknown:
        raise InputError(
            f"{path} holds types that vsa does not load: {', '.join(unknown[:5])}.",
            "A model of vsa holds none of these: don't trust the file.",
        )
    try:
        return io.load(path, trusted=_TRUSTED)
    except Exception as error:
        raise InputError(f"{path} can't be loaded ({type(error).__name__}).", _RETRAIN) from None


def _probe(model: BondModel) -> float:
    """What the model expects of a session of which nothing is known: a check that it computes what it did."""
    return float(model.pipeline.predict(np.full((1, len(model.info.features)), np.nan))[0])
