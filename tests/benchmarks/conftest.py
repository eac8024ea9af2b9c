"""What benchmarks measured, printed as it comes and, with `--write-docs`, kept in docs/."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Page -> what stands above its figures.
PAGES = {
    "performance": "# Performance\n\nWritten by `make bench`: speed and memory, each beside what it is compared with "
    "in the same run. Figures depend on the machine, and on virtual machines on the hour; the ratios less so. One file "
    "of benchmarks alone, for example: `.venv/bin/python -m pytest tests/benchmarks/test_costs.py -m benchmark -s "
    "--write-docs`. Only the sections that were measured are written anew.\n",
    "accuracy": "# Accuracy\n\nWritten by `make bench`: what vsa measures, held against what is known.\n",
}

Say = Callable[[str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-docs", action="store_true", help="Write docs/performance.md and docs/accuracy.md."
    )


@pytest.fixture(scope="session")
def _pages(request: pytest.FixtureRequest) -> Iterator[dict[str, dict[str, list[str]]]]:
    pages: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    yield pages
    if request.config.getoption("--write-docs", default=False):
        for page, sections in pages.items():
            path = ROOT / "docs" / f"{page}.md"
            kept = sections_of(path.read_text("utf-8")) if path.exists() else {}
            stamp = f"*{machine()}*"
            new = {title: "\n".join([f"{stamp}\n", *lines]) for title, lines in sections.items()}
            text = [PAGES[page], *(f"## {title}\n\n{body}\n" for title, body in {**kept, **new}.items())]
            path.write_text("\n".join(text), "utf-8")


def sections_of(text: str) -> dict[str, str]:
    """Title of each section to what stands under it: those that are not measured now are kept."""
    parts = re.split(r"^## (.+)\n+", text, flags=re.MULTILINE)[1:]
    return {title: body.strip() for title, body in zip(parts[::2], parts[1::2], strict=True)}


@pytest.fixture
def figures(
    request: pytest.FixtureRequest, _pages: dict[str, dict[str, list[str]]]
) -> Callable[[str, str], Say]:
    """`figures(page, title)` gives a function that prints a line and keeps it under that title."""

    def section(page: str, title: str) -> Say:
        print(f"\n{title}")

        def say(line: str) -> None:
            print(line)
            _pages[page][title].append(line)

        return say

    return section


def machine() -> str:
    """Date, commit and machine of this run."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{datetime.date.today()}, commit {commit.stdout.strip() or 'unknown'}, {cores} cores of "
        f"{model[1].strip() if model else platform.machine()}, Python {platform.python_version()}"
    )
