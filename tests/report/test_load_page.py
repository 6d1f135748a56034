"""The report of a load test."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import ClassVar

import pytest

from devnet.report import write_report
from tests.report.pages import in_browser


class TestALoad:
    STAGE: ClassVar = {
        "stage": "stake",
        "on_chain": 10,
        "succeeded": 10,
        "failed": 0,
        "p50_milliseconds": 226,
        "p95_milliseconds": 233,
        "limit_milliseconds": 5000,
    }
    STATISTICS: ClassVar = {
        "seconds": 20.0,
        "dropped": 3,
        "entries": {
            "TX stake": {
                "ok": 10,
                "failed": 2,
                "p50_us": 226_100,
                "p95_us": 233_900,
                "max_us": 250_000,
                "errors": {"no receipt in time": 2},
            }
        },
    }

    def page(self, run: Path, *stages: dict[str, object], faults: tuple[str, ...] = ()) -> str:
        verdict = {
            "verdict": "failed" if faults else "passed",
            "stages": list(stages),
            "transactions": 100,
            "load_milliseconds": 20_000,
            "faults": list(faults),
        }
        (run / "steps.jsonl").write_text("")
        (run / "verdict.json").write_text(json.dumps(verdict))
        (run / "load.json").write_text(json.dumps(self.STATISTICS))
        return write_report(run, verdict["verdict"]).read_text()

    def test_stages_percentiles_limits_failures_and_throughput(self, run: Path) -> None:
        slow = {**self.STAGE, "stage": "claim", "p95_milliseconds": 6_000}
        text = self.page(run, self.STAGE, slow, faults=("claim: p95 6000 ms, at most 5000",))
        assert "100 transactions of users in 20.0 s, 5.0 a second; 1 of 2 stages held" in text
        assert "12 requests, 0.6 a second; 2 failed, 3 steps were dropped." in text
        row = (
            '<th scope="row">stake</th><td class="n">10</td><td class="n">10</td>'
            '<td class="n">0.5</td><td class="n">0</td><td class="n">226</td>'
            '<td class="n">233</td><td class="n">5,000</td>'
        )
        assert row in text
        assert '<tr class="bad-row"><th scope="row">claim</th>' in text
        assert '<div class="failure">claim: p95 6000 ms, at most 5000</div>' in text
        assert "2 times: no receipt in time" in text
        assert "0 steps" not in text
        assert "Timeline of steps" not in text

    def test_of_what_nobody_counted_there_is_no_time(self, run: Path) -> None:
        silent = {**self.STAGE, "succeeded": 0, "p50_milliseconds": 0, "p95_milliseconds": 0}
        assert (
            '<tr class="bad-row"><th scope="row">stake</th><td class="n">10</td>'
            '<td class="n">0</td><td class="n">0.5</td><td class="n">0</td>'
            '<td class="n">-</td><td class="n">-</td><td class="n">5,000</td>'
        ) in self.page(run, silent)

    def test_a_browser_draws_its_charts(self, run: Path, tmp_path: Path) -> None:
        self.page(run, self.STAGE)
        dom = in_browser(run / "report.html", tmp_path)
        drawn = re.findall(r'<div class="chart js-plotly-plot" id="(chart-[a-z-]+)"', dom)
        assert {"chart-stages", "chart-throughput"} <= set(drawn)

    def test_one_cut_short_shows_what_was_counted(self, run: Path) -> None:
        (run / "load.json").write_text(json.dumps(self.STATISTICS))
        text = write_report(run, "cut short").read_text()
        assert "It was cut short before it was judged." in text
        assert "12 requests, 0.6 a second; 2 failed, 3 steps were dropped." in text

    @pytest.mark.parametrize("broken", ["[]", "7", '{"stages": [1]}', '{"stages": [{}]}', "{"])
    def test_what_cannot_be_read_is_a_note(self, run: Path, broken: str) -> None:
        (run / "verdict.json").write_text(broken)
        assert "Final ledger" in write_report(run, "failed").read_text()
