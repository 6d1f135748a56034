"""The report of a year: one self-contained HTML file, made as the page of a run is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from devnet.economics.charts import charts
from devnet.economics.result import Result
from devnet.record.folder import write_atomically
from devnet.report import amounts
from devnet.report.page import inline_json
from devnet.report.plotting import drawing_script
from devnet.spec.loading import resolved_yaml
from devnet.spec.network import NetworkSpec

TEMPLATE: Final = "year.html.j2"


def write_page(path: Path, result: Result, spec: NetworkSpec) -> None:
    """Write the page of a network's year. Raises OSError."""
    write_atomically(path, render(result, spec))


def render(result: Result, spec: NetworkSpec) -> str:
    """The whole page."""
    environment = Environment(
        # The style and the script that draws are those of a run's page.
        loader=ChoiceLoader(
            [PackageLoader("devnet.economics", "."), PackageLoader("devnet.report", ".")]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        komp=amounts.komp,
        komp_short=amounts.komp_short,
        usd=amounts.usd,
        percent=amounts.percent,
        decimal=amounts.decimal,
        span=amounts.span,
    )
    script, missing = drawing_script()
    return environment.get_template(TEMPLATE).render(
        result=result,
        assumptions=resolved_yaml(spec, without=("workers",)),
        charts_json=inline_json(charts(result)),
        plotly=script,
        no_charts=missing,
    )
