"""A bond model's file: pipelines as skops writes them (a zip, no pickle), with ``vsa.json`` and arrays in the same zip.

No code of the file is run when it is read: types that are no part of scikit-learn, MAPIE, NumPy or SciPy are refused,
and so are models of features that this vsa defines in another way, or whose numbers come out differently here.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from vsa.bond.design import Design
from vsa.bond.membership import Kind, TrainedOn, Withdrawn
from vsa.bond.model import BondModel, ModelInfo
from vsa.bond.seen.reference import Reference
from vsa.bond.seen.support import Support
from vsa.bond.weak import Calibration, Weak
from vsa.errors import InputError
from vsa.features.registry import versions
from vsa.whole_file import replacing

#: Of the file; raised when an older vsa could not read it.
SCHEMA = 2
_INFO = "vsa.json"
#: What the model has seen: ``support/<name>.npy`` and ``reference/<name>.npy``.
_ARRAYS: dict[str, Any] = {"support": Support, "reference": Reference}
#: Beyond what skops trusts by itself. All of them are data with known methods; none holds code of the file.
_TRUSTED = [
    "mapie.conformity_scores.bounds.absolute.AbsoluteConformityScore",
    "mapie.estimator.regressor.EnsembleRegressor",
    "mapie.regression.regression.CrossConformalRegressor",
    "mapie.regression.regression._MapieRegressor",
    "numpy.dtype",
    "sklearn.model_selection._split.GroupKFold",
    "sklearn.tree._tree.Tree",
]
#: More than any model unpacks to, bytes.
_LARGEST = 512 << 20
_RETRAIN = "Train it again with this version of vsa."


def save(model: BondModel, path: Path) -> None:
    """Write a model, complete or not at all.

    Raises
    ------
    InputError
        When the file can't be written.
    """
    from skops.io import dump

    record = {"schema": SCHEMA, "what": "vsa bond model", "probe": _probe(model), **asdict(model.info)}
    with replacing(path) as part:
        held = {"pipeline": model.pipeline, "conformal": model.conformal, "base": model.base}
        dump(held, part, compression=zipfile.ZIP_DEFLATED)
        with zipfile.ZipFile(part, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_INFO, json.dumps(record, indent=1, allow_nan=False))
            for name in _ARRAYS:
                for key, array in getattr(model, name).to_arrays().items():
                    archive.writestr(f"{name}/{key}.npy", _npy(array))


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
        _check_types(record)
        info = _info(record)
        _check_features(path, info)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise _damaged(path) from None
    held = _pipelines(path)
    model = BondModel(
        held["pipeline"],
        held["conformal"],
        _arrays(path, "support"),
        _arrays(path, "reference"),
        info,
        held["base"],
    )
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
        reference: Reference = _arrays(path, "reference")
        _rewrite(path, record, reference.without(sorted(new)))
    return len(rows)


def _rows(path: Path, record: dict[str, Any], ids: Mapping[Kind, Collection[str]]) -> tuple[int, ...] | None:
    try:
        trained_on = _trained_on(record)
        return None if trained_on is None else trained_on.rows(ids)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise _damaged(path) from None


def _withdrawn(path: Path, record: dict[str, Any]) -> tuple[Withdrawn, ...]:
    try:
        return _withdrawals(record)
    except (KeyError, TypeError, AttributeError):
        raise _damaged(path) from None


def _damaged(path: Path) -> InputError:
    return InputError(f"{path}: its {_INFO} is damaged.", "Get the file again.")


def _rewrite(path: Path, record: dict[str, Any], reference: Reference) -> None:
    """Put another ``vsa.json`` and reference into a model's file; the rest stays as it is."""
    try:
        with zipfile.ZipFile(path) as archive, replacing(path) as part:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as new:
                for member in archive.infolist():
                    if member.filename != _INFO and not member.filename.startswith("reference/"):
                        new.writestr(member, archive.read(member))
                new.writestr(_INFO, json.dumps(record, indent=1, allow_nan=False))
                for key, array in reference.to_arrays().items():
                    new.writestr(f"reference/{key}.npy", _npy(array))
            part.chmod(path.stat().st_mode)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):
        raise InputError(f"{path} is damaged.", "Get the file again.") from None


def _record(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path} does not exist.", "Give a model that 'vsa train' wrote.")
    try:
        with zipfile.ZipFile(path) as archive:
            too_large = sum(member.file_size for member in archive.infolist()) > _LARGEST
            record = None if too_large else json.loads(archive.read(_INFO))
    except Exception:  # a damaged file may fail in any way
        too_large, record = False, None
    if too_large:
        raise InputError(
            f"{path} unpacks to more than {_LARGEST >> 20} MB, and no bond model does.",
            "Don't trust the file.",
        )
    if not isinstance(record, dict) or record.get("what") != "vsa bond model":
        raise InputError(f"{path} is no bond model.", "Give a file that 'vsa train' wrote.")
    return record


def _check_types(record: dict[str, Any]) -> None:
    """Raise ValueError where something that is known has another type than `ModelInfo` says."""
    from pydantic import TypeAdapter

    # as JSON, where a tuple is a list, and a number of any kind may be whole
    TypeAdapter(ModelInfo).validate_json(json.dumps(record), strict=True)


def _info(record: dict[str, Any]) -> ModelInfo:
    values = {field.name: record[field.name] for field in fields(ModelInfo) if field.default is MISSING}
    for name in ("middle", "quality", "notes", "raters"):
        values[name] = tuple(values[name])
    values["design"] = _design(record["design"])
    values["scale"] = record["scale"] and tuple(record["scale"])
    values["weak"] = Weak(**record["weak"])
    values["calibration"] = record["calibration"] and Calibration(**record["calibration"])
    return ModelInfo(
        **values,
        started_from=record["started_from"],
        base_design=record["base_design"] and _design(record["base_design"]),
        trained_on=_trained_on(record),
        withdrawn=_withdrawals(record),
    )


def _design(held: dict[str, Any]) -> Design:
    kinds = held["categories"]
    return Design(
        tuple(held["features"]),
        bool(held["split"]),
        tuple(held["numbers"]),
        kinds and {name: tuple(some) for name, some in kinds.items()},
    )


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


def _npy(array: Any) -> bytes:
    """An array as a .npy file, no pickle."""
    content = io.BytesIO()
    np.save(content, np.asarray(array), allow_pickle=False)
    return content.getvalue()


def _arrays(path: Path, name: str) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            held = {
                member.removeprefix(f"{name}/").removesuffix(".npy"): np.load(
                    io.BytesIO(archive.read(member)), allow_pickle=False
                )
                for member in archive.namelist()
                if member.startswith(f"{name}/") and member.endswith(".npy")
            }
        return _ARRAYS[name].from_arrays(held)
    except Exception:  # a damaged file may fail in any way
        raise InputError(f"{path} is damaged ({name}).", "Get the file again.") from None


def _pipelines(path: Path) -> dict[str, Any]:
    from skops.io import get_untrusted_types
    from skops.io import load as loaded

    try:
        unknown = sorted(set(get_untrusted_types(file=path)) - set(_TRUSTED))
    except Exception as error:  # a damaged file may fail in any way while it is only looked at
        raise InputError(f"{path} is damaged ({type(error).__name__}).", "Get the file again.") from None
    if unknown:
        raise InputError(
            f"{path} holds types that vsa does not load: {', '.join(unknown[:5])}.",
            "A model of vsa holds none of these: don't trust the file.",
        )
    try:
        held = loaded(path, trusted=_TRUSTED)
    except Exception as error:
        raise InputError(f"{path} can't be loaded ({type(error).__name__}).", _RETRAIN) from None
    if not isinstance(held, dict) or set(held) != {"pipeline", "conformal", "base"}:
        raise _damaged(path)
    return held


def _probe(model: BondModel) -> float:
    """What the model expects of a session of which nothing is known: a check that it computes what it did."""
    design = model.info.base_design or model.info.design
    return float(model.predict(np.full((1, len(design.columns)), np.nan))[0])
