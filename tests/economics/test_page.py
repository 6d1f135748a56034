"""The report of a year: self-contained, its charts drawn, its tables the result's own figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devnet.economics.charts import charts
from devnet.economics.page import render, write_page
from devnet.economics.result import Result
from devnet.economics.year import Year
from devnet.report.amounts import komp_short
from tests.economics.networks import network
from tests.report.pages import Page, in_browser

CYCLES = 12


@pytest.fixture(scope="module")
def result() -> Result:
    year = Year(network(), 3)
    for cycle in range(CYCLES):
        year.live(cycle)
    return year.end(CYCLES, 3)


def test_every_chart_has_its_place_and_the_page_loads_nothing(result: Result) -> None:
    text = render(result, network())
    page = Page(text)
    assert set(charts(result)) == {name for name in page.ids if name.startswith("chart-")}
    assert page.loaded == []
    assert page.handlers == []
    assert "It adds up" in text
    assert f"{result.nodes} nodes" not in text  # a fact, not a sentence
    assert "economics:" in text
    assert "workers:" not in text


def test_a_violation_is_the_first_thing_one_reads(result: Result) -> None:
    from dataclasses import replace

    broken = replace(result, violations=("invariant 1: <b>balances</b>",), supply=1)
    text = render(broken, network())
    assert "does not add up" in text
    assert "It does not add up" in text
    assert "invariant 1: &lt;b&gt;balances&lt;/b&gt;" in text


def test_what_a_node_got_stands_in_a_table_too(result: Result) -> None:
    text = render(result, network())
    table = text.split("KOMP a node, cut after four places</caption>")[1].split("</table>")[0]
    titles = re.findall(r'<th scope="col" class="n">([^<]*)</th>', table)
    assert titles == ["cycle", *(row.group.title for row in result.groups)]
    cells = [re.findall(r'<td class="n">([^<]*)</td>', line) for line in table.split("</tr>")[1:-1]]
    assert cells == [
        [komp_short(cycle.shares.get(row.group, 0) // row.nodes) for row in result.groups]
        for cycle in result.cycles
    ]


def test_charts_have_a_point_for_every_cycle(result: Result) -> None:
    made = charts(result)
    assert [len(trace["x"]) for trace in made["chart-rewards"]["data"]] == [CYCLES] * len(
        result.groups
    )
    names = {trace["name"] for trace in made["chart-sources"]["data"]}
    assert names == {"incentives", "consumption", "slashes"}
    rule, seen = made["chart-price"]["data"]
    assert (rule["y"][0], rule["y"][-1]) == (75.0, 95.0)  # O3
    assert all(75 <= y <= 95 for y in seen["y"])


def test_the_page_is_drawn_in_a_browser(tmp_path: Path, result: Result) -> None:
    path = tmp_path / "year.html"
    write_page(path, result, network())
    dom = in_browser(path, tmp_path)
    drawn = set(re.findall(r'id="(chart-[a-z-]+)"[^>]*class="[^"]*js-plotly-plot', dom))
    drawn |= set(re.findall(r'class="[^"]*js-plotly-plot[^"]*"[^>]*id="(chart-[a-z-]+)"', dom))
    assert drawn == set(charts(result))
