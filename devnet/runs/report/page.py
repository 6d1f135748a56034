"""The report as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from devnet.runs.bundle import Bundle, open_bundle
from devnet.runs.folder import write_atomically

REPORT: Final = "report.html"


def write_report(path: Path, verdict: str) -> Path:
    """Write `report.html` into a run's folder; returns its path."""
    with open_bundle(path, verify=False) as bundle:
        page = render(bundle, verdict)
    target = path / REPORT
    write_atomically(target, page)
    return target


def render(bundle: Bundle, verdict: str) -> str:
    """The whole page; `verdict` is what the run came to."""
    environment = Environment(
        loader=PackageLoader("devnet.runs.report", "."), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("page.html.j2")
    return template.render(verdict=verdict, steps=list(bundle.steps()))
