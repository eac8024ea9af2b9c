"""What is written beside a model: the evaluation, the model card, pictures, and predictions of people held out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from vsa.errors import InputError
from vsa.study.tables import write_csv
from vsa.whole_file import replacing

if TYPE_CHECKING:
    from vsa.bond.training import Trained

EVALUATION, PREDICTIONS, CARD = "evaluation.json", "predictions.csv", "card"


def evaluation_folder(model: Path) -> Path:
    """Where the evaluation of a model lies: ``bond.skops`` has ``bond-evaluation``."""
    return model.with_name(f"{model.stem}-evaluation")


def evaluation_file(model: Path, name: str) -> Path | None:
    """A file of a model's evaluation, if it is there; none where it or the folder is a link or no ordinary file."""
    folder = evaluation_folder(model)
    path = folder / name
    return path if path.is_file() and not (path.is_symlink() or folder.is_symlink()) else None


def check_place(model: Path) -> None:
    """See to it that the evaluation of a model will lie beside it.

    Raises
    ------
    InputError
        When its folder is a link: what that points to is another's.
    """
    folder = evaluation_folder(model)
    if folder.is_symlink():
        raise InputError(
            f"{folder} is a link, and the evaluation is not written through it.",
            "Move the link away, or give another --out.",
        )


def write_evaluation(trained: Trained, model: Path, *, contact: str = "") -> Path:
    """Write all of it into the model's folder, which is made; what an earlier training left there is replaced.

    Raises
    ------
    InputError
        When it can't be written, or the folder is a link.
    """
    from vsa.bond.card.card import card_page, model_card
    from vsa.report.evaluation import draw_evaluation

    check_place(model)
    folder = evaluation_folder(model)
    with replacing(folder / EVALUATION) as part:
        record = {"simulated": trained.info.simulated, **trained.evaluation.record()}
        part.write_text(json.dumps(record, indent=1, allow_nan=False), "utf-8")
    write_csv(trained.predictions, folder / PREDICTIONS, for_people=True)
    for old in folder.glob("*.png"):
        old.unlink()
    pictures = draw_evaluation(trained.info, trained.predictions, folder)
    text = model_card(trained.info, pictures, contact)
    for suffix, content in ((".md", text), (".html", card_page(text, f"Model card: {model.name}"))):
        with replacing(folder / f"{CARD}{suffix}") as part:
            part.write_text(content, "utf-8")
    return folder
