"""Files that are no model of vsa, or one that was changed: none of their code runs, and all are refused in words."""

from __future__ import annotations

import io
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calling import call, state

from vsa.bond.evaluation.evaluate import Settings
from vsa.bond.store import load, mark_withdrawn, save, trained_with
from vsa.bond.training import train
from vsa.errors import InputError
from vsa.simulate.cohort import simulate_cohort

pytestmark = pytest.mark.slow  # it takes whole runs of commands


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "bond.skops"
    save(train(simulate_cohort(30, 2, seed=2), settings=Settings(permutations=0, repeats=1)).model, path)
    return path


@pytest.fixture
def model(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(trained, tmp_path / "bond.skops"))


def rewrite(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """The same zip with other members."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    change(held)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(name, content)


def schema_with(**node: Any) -> Callable[[dict[str, bytes]], None]:
    """Put another object where the conformal part of the model stands."""

    def change(held: dict[str, bytes]) -> None:
        schema = json.loads(held["schema.json"])
        schema["content"]["conformal"] = {"__id__": 999_999, **node}
        held["schema.json"] = json.dumps(schema).encode()

    return change


@pytest.mark.parametrize(
    "node",
    [
        {
            "__class__": "system",
            "__module__": "posix",
            "__loader__": "FunctionNode",
            "content": {"module_path": "posix", "function": "system"},
        },
        {"__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode", "content": None},
        {"__class__": "Path", "__module__": "pathlib", "__loader__": "TypeNode"},
        {"__class__": "x", "__module__": "builtins", "__loader__": "NoSuchNode"},
        {"__class__": "dict", "__module__": "builtins"},
    ],
    ids=["function", "process", "type", "no such loader", "no loader"],
)
def test_types_from_elsewhere_are_refused_before_anything_is_made_of_them(
    model: Path, tmp_path: Path, node: dict[str, Any]
) -> None:
    rewrite(model, schema_with(**node))
    simulate_cohort(10, 2, seed=8).to_csv(tmp_path / "new.csv", index=False)
    before = state(tmp_path)
    for command in (
        ("flag", model, tmp_path / "new.csv", "--out", tmp_path / "flags.csv"),
        ("evaluate", model, tmp_path / "new.csv", "--out", tmp_path / "told"),
        ("report", tmp_path / "new.csv", "--model", model, "--jobs", "1", "--out", tmp_path / "report"),
    ):
        ended = call(*command)
        assert ended.code == 2
        assert "bond.skops" in ended.said
        assert "does not load" in ended.said or "is damaged" in ended.said
    assert state(tmp_path) == before


def pickled(held: dict[str, bytes]) -> None:
    """An array of objects, which NumPy would unpickle."""
    content = io.BytesIO()
    np.save(content, np.array([{}], dtype=object), allow_pickle=True)
    first = next(name for name in held if name.startswith("support/"))
    held[first] = content.getvalue()


def huge_claim(held: dict[str, bytes]) -> None:
    """An array that says that it is large, and is not."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        content, {"descr": "<f8", "fortran_order": False, "shape": (1 << 60,)}
    )
    first = next(name for name in held if name.startswith("support/"))
    held[first] = content.getvalue()


def deep(held: dict[str, bytes]) -> None:
    held["vsa.json"] = b"[" * 200_000


def no_arrays(held: dict[str, bytes]) -> None:
    for name in [one for one in held if one.startswith("reference/")]:
        del held[name]


def other_info(held: dict[str, bytes]) -> None:
    held["vsa.json"] = b'"vsa bond model"'


def not_text(held: dict[str, bytes]) -> None:
    held["vsa.json"] = b"\xff\xfe{}"


def climbing(held: dict[str, bytes]) -> None:
    """Members whose names lead out of a folder: nothing is ever unpacked to the disk."""
    held["../../outside.txt"] = b"x"
    held["support/../../outside.npy"] = b"x"


@pytest.mark.parametrize("change", [pickled, huge_claim, deep, no_arrays, other_info, not_text, climbing])
def test_members_that_are_not_what_they_should_be_are_refused(
    model: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    rewrite(model, change)
    with pytest.raises(InputError, match=r"damaged|no bond model"):
        load(model)
    assert sorted(path.name for path in model.parent.iterdir()) == ["bond.skops"]


@pytest.mark.parametrize("name", ["vsa.json", "support/bomb.npy", "bomb.npy", "schema.json"])
def test_a_file_that_unpacks_to_a_mountain_is_not_unpacked(model: Path, name: str) -> None:
    import tracemalloc

    with zipfile.ZipFile(model) as archive:
        held = {member: archive.read(member) for member in archive.namelist() if member != name}
    with zipfile.ZipFile(model, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for member, content in held.items():
            archive.writestr(member, content)
        with archive.open(name, "w") as bomb:
            for _ in range(33):
                bomb.write(bytes(16 << 20))
    assert model.stat().st_size < 8 << 20
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="unpacks to more than"):
            load(model)
        with pytest.raises(InputError, match="unpacks to more than"):
            trained_with(model, {"client": ["c1"]})
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_is_cut_or_has_changed_bytes_is_refused_or_the_same_model(
    trained: Path, tmp_path: Path
) -> None:
    whole, path = trained.read_bytes(), tmp_path / "bond.skops"
    draw = random.Random(5)
    right = load(trained)
    refused = 0
    for k in range(40):
        changed = bytearray(whole[: draw.randrange(len(whole))] if k % 4 == 0 else whole)
        for _ in range(draw.choice((1, 4))):
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        try:
            assert load(path).info == right.info
        except InputError:
            refused += 1
    assert refused > 20


@pytest.mark.slow
def test_every_part_of_its_record_may_be_of_another_kind(model: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        record = json.loads(archive.read("vsa.json"))
    whole = model.read_bytes()
    refused = 0
    for name in record:
        for other in (None, "x", [[]]):
            model.write_bytes(whole)
            changed = {**record, name: other}
            rewrite(model, lambda held, now=changed: held.update({"vsa.json": json.dumps(now).encode()}))
            for use in (
                load,
                lambda path: trained_with(path, {"client": ["sim-c001"]}),
                lambda path: mark_withdrawn(path, {"client": ["sim-c001"]}, "2026-01-01"),
            ):
                try:
                    use(model)
                except InputError:
                    refused += 1
    assert refused > 30
