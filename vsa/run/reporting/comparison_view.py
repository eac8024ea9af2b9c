"""The alliance by groups, as the cohort page shows it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vsa.errors import InputError
from vsa.report.pages.view_cohort import ComparisonView
from vsa.study.consent import allowed_rows

if TYPE_CHECKING:
    import pandas as pd

    from vsa.run.reporting.names import Names
    from vsa.run.reporting.request import Request

PICTURE = "comparison.png"


def comparison_view(table: pd.DataFrame, asked: Request, names: Names, report: Path) -> ComparisonView:
    """Compare the sessions whose people agreed to research; where that can't be, say why."""
    from vsa.bond.comparison.compare import compare
    from vsa.report.comparison import draw_comparison
    from vsa.report.comparison_text import comparison_text

    try:
        found = compare(allowed_rows(table, asked.study, "research").table, asked.by)
    except InputError as error:
        return ComparisonView("", "", names.text(str(error)))
    draw_comparison(found, report / PICTURE)
    return ComparisonView(names.text(comparison_text(found)), PICTURE, "")
