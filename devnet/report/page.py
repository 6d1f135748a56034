"""The report as a file: a template, its style and its scripts, all inline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from devnet.record.bundle import Bundle, open_bundle
from devnet.record.folder import SUFFIX, write_atomically
from devnet.report import amounts
from devnet.report.figures import figures, price_chart
from devnet.report.plotting import drawing_script
from devnet.report.story import StepLine, Story, read_story

REPORT: Final = "report.html"


def write_report(path: Path, verdict: str = "", *, cluster: str = "") -> Path:
    """Write the page of a run's folder, or of a bundle beside it; returns the page's path.

    An empty `verdict` or `cluster` is taken from the manifest. Raises NotABundle when the path
    holds no run.
    """
    target = path / REPORT if path.is_dir() else path.with_name(_stem(path) + ".report.html")
    with open_bundle(path, verify=False) as bundle:
        stated = verdict or str(bundle.manifest.get("verdict", "cut short"))
        write_atomically(target, render(bundle, stated, cluster))
    return target


def render(bundle: Bundle, verdict: str, cluster: str = "") -> str:
    """The whole page."""
    story = read_story(bundle, verdict, cluster)
    charts = figures(story)
    script, missing = drawing_script() if charts else (Markup(), "")
    environment = Environment(
        loader=PackageLoader("devnet.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        {name: getattr(amounts, name) for name in ("komp", "komp_short", "usd", "percent")},
        decimal=amounts.decimal,
        moment=amounts.moment,
        span=amounts.span,
        price_chart=price_chart,
        bar=lambda step: bar(story, step),
    )
    return environment.get_template("page.html.j2").render(
        story=story,
        failed=[step for step in story.steps if step.failure],
        charts=charts,
        charts_json=inline_json(charts),
        plotly=script,
        no_charts=missing,
    )


def bar(story: Story, step: StepLine) -> tuple[str, str]:
    """Where the step lies in the run's protocol time: left edge and width, per cent."""
    start, end = story.steps[0].start, max(story.steps[-1].end, story.steps[0].start + 1)
    left = min(99, 100 * (step.start - start) / (end - start))
    width = 100 * (step.end - step.start) / (end - start)
    return f"{left:.2f}", f"{width:.2f}"


def inline_json(value: Mapping[str, Any]) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704


def _stem(path: Path) -> str:
    return path.name.removesuffix(SUFFIX)
