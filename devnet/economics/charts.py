"""The year's charts as Plotly's own JSON; every one of them also stands in a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from devnet.economics.population import Group
from devnet.economics.result import Result
from devnet.economics.tally import SOURCES, CycleFigures
from devnet.model.pricing import WAD, dynamic_price
from devnet.report.amounts import plotted
from devnet.report.figures import UTILIZATION_AXIS

Figure = dict[str, Any]

PER_CENT_OF_WAD: Final = 16
PER_CENT_OF_BPS: Final = 2
CURVE_POINTS: Final = 50
LEVELS: Final = (1, 2, 3)


def charts(result: Result) -> dict[str, Figure]:
    """By the id of the element each is drawn into."""
    cycles = result.cycles
    return {
        "chart-returns": _returns(result),
        "chart-rewards": _lines(
            "KOMP a node",
            cycles,
            [(row.group.title, _a_node(row.group, row.nodes)) for row in result.groups],
        ),
        "chart-price": _price(cycles),
        "chart-market": _market(cycles),
        "chart-sources": _bars(
            "KOMP",
            cycles,
            [(source, _added(source)) for source in SOURCES],
        ),
        "chart-slashed": _bars(
            "KOMP",
            cycles,
            [(f"level {level}", _slashed(level)) for level in LEVELS],
        ),
        "chart-nodes": _lines("nodes", cycles, [("published", lambda row: row.publishers * WAD)]),
    }


Value = Callable[[CycleFigures], int]


def _a_node(group: Group, nodes: int) -> Value:
    return lambda row: row.shares.get(group, 0) // nodes


def _added(source: str) -> Value:
    return lambda row: row.added.get(source, 0)


def _slashed(level: int) -> Value:
    return lambda row: row.slashed.get(level, 0)


def _lines(
    unit: str, cycles: Sequence[CycleFigures], series: Sequence[tuple[str, Value]]
) -> Figure:
    traces = [
        {"type": "scatter", "mode": "lines", "name": name, **_over(cycles, value)}
        for name, value in series
    ]
    return {"data": traces, "layout": _axes(unit)}


def _bars(unit: str, cycles: Sequence[CycleFigures], series: Sequence[tuple[str, Value]]) -> Figure:
    traces = [
        {"type": "bar", "name": name, **_over(cycles, value)}
        for name, value in series
        if any(value(row) for row in cycles)
    ]
    return {"data": traces, "layout": _axes(unit) | {"barmode": "stack"}}


def _over(cycles: Sequence[CycleFigures], value: Value) -> Figure:
    return {"x": [row.cycle for row in cycles], "y": [plotted(value(row)) for row in cycles]}


def _axes(unit: str) -> Figure:
    return {
        "xaxis": {"title": {"text": "cycle"}, "tickformat": "d"},
        "yaxis": {"title": {"text": unit}, "rangemode": "tozero"},
    }


def _returns(result: Result) -> Figure:
    rows = result.groups
    middle = [plotted(row.middle, PER_CENT_OF_BPS) for row in rows]
    bar = {
        "type": "bar",
        "name": "median",
        "x": [row.group.title for row in rows],
        "y": middle,
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [plotted(row.high - row.middle, PER_CENT_OF_BPS) for row in rows],
            "arrayminus": [plotted(row.middle - row.low, PER_CENT_OF_BPS) for row in rows],
        },
    }
    layout = {
        "xaxis": {"title": {"text": ""}, "type": "category"},
        "yaxis": {"title": {"text": "% of the stake a year"}},
    }
    return {"data": [bar], "layout": layout}


def _price(cycles: Sequence[CycleFigures]) -> Figure:
    priced = [row for row in cycles if row.median_usd]
    seen = {
        "type": "scatter",
        "mode": "markers",
        "name": "cycles",
        "x": [plotted(row.utilization, PER_CENT_OF_WAD) for row in priced],
        "y": [plotted(row.price_usd * WAD // row.median_usd, PER_CENT_OF_WAD) for row in priced],
        "text": [f"cycle {row.cycle}" for row in priced],
    }
    points = [WAD * place // CURVE_POINTS for place in range(CURVE_POINTS + 1)]
    rule = {
        "type": "scatter",
        "mode": "lines",
        "name": "0.75 + 0.20 u² (O3)",
        "x": [plotted(u, PER_CENT_OF_WAD) for u in points],
        "y": [plotted(dynamic_price(WAD, u), PER_CENT_OF_WAD) for u in points],
    }
    layout = {
        "xaxis": {"title": {"text": "utilization, %"}, "range": [0, 100]},
        "yaxis": {"title": {"text": "price, % of the clouds' median"}},
    }
    return {"data": [rule, seen], "layout": layout}


def _market(cycles: Sequence[CycleFigures]) -> Figure:
    def line(name: str, value: Value, **more: Any) -> Figure:
        return {"type": "scatter", "mode": "lines", "name": name, **_over(cycles, value), **more}

    used = {
        "type": "scatter",
        "mode": "lines",
        "name": "utilization",
        "x": [row.cycle for row in cycles],
        "y": [plotted(row.utilization, PER_CENT_OF_WAD) for row in cycles],
        "yaxis": "y2",
        "line": {"dash": "dot"},
    }
    layout = _axes("USD a vCPU-hour") | {"yaxis2": UTILIZATION_AXIS}
    prices = [
        line("price", lambda row: row.price_usd),
        line("median of the clouds", lambda row: row.median_usd, line={"dash": "dash"}),
        used,
    ]
    return {"data": prices, "layout": layout}
