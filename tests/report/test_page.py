"""The report as a page: one file that loads nothing, whole and safe to open."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import pytest

from devnet.base.errors import MachineLacks
from devnet.base.toolchain import Toolchain
from devnet.record.bundle import NotABundle
from devnet.record.folder import seal
from devnet.report import plotting, write_report
from devnet.report.figures import MOST_SERIES
from devnet.report.plotting import PACKAGE
from tests.report.fabricated import ADDRESSES, fabricate
from tests.report.pages import Page, in_browser

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


class TestThePage:
    def test_it_tells_the_whole_run(self, run: Path) -> None:
        path = write_report(run, "passed", cluster="sim")
        assert path == run / "report.html"
        text = path.read_text()
        page = Page(text)
        assert page.headings == [
            "h1 full loop",
            "h2 Timeline of steps",
            "h2 V per node over cycles",
            "h2 Rewards per node and cycle",
            "h2 Slashes",
            "h2 Price against utilization",
            "h3 vcpu_hour",
            "h2 Orders and fees",
            "h2 Final ledger",
        ]
        assert page.tables
        assert all(page.tables)
        assert '<span class="verdict good">passed</span>' in text
        assert "It adds up" in text
        assert f"0x{145:064x}" in text
        assert "2 workers staked 500 KOMP each" in text
        assert "367.333333333333333333" in text  # earned by worker-1 over two cycles

    def test_nothing_is_loaded_from_anywhere(self, run: Path) -> None:
        page = Page(write_report(run, "passed").read_text())
        assert page.loaded == []
        assert page.handlers == []
        assert "link" not in page.tags
        assert all(anchor.startswith("#") for anchor in page.anchors)
        assert {anchor[1:] for anchor in page.anchors} <= set(page.ids)
        assert len(page.ids) == len(set(page.ids))

    def test_plotly_is_in_it_once_and_only_where_there_is_a_chart(
        self, run: Path, tmp_path: Path
    ) -> None:
        path = write_report(run, "passed")
        packed = re.findall(r'id="plotly">([^<]*)<', path.read_text())
        assert len(packed) == 1
        script = gzip.decompress(base64.b64decode(packed[0]))
        assert script == (Toolchain().contracts_libraries() / PACKAGE).read_bytes()
        assert path.stat().st_size < 700_000  # 4.8 MB with the whole of Plotly
        bare = tmp_path / "bare"
        bare.mkdir()
        (bare / "steps.jsonl").write_text("")
        page = write_report(bare, "cut short")
        assert page.stat().st_size < 20_000

    def test_a_failed_step_stands_out(self, tmp_path: Path) -> None:
        run = fabricate(tmp_path / "run", failure="stake of worker-2 is 500, expected 475")
        text = write_report(run, "failed").read_text()
        assert '<span class="verdict bad">failed</span>' in text
        assert text.count("stake of worker-2 is 500, expected 475") == 2
        assert text.count('<tr class="bad-row">') == 1
        assert "<strong>Step 5 failed:</strong>" in text

    def test_a_run_cut_short_tells_what_there_is(self, run: Path) -> None:
        for name in ("steps.jsonl", "events.jsonl", "blocks.jsonl"):
            data = (run / name).read_bytes()
            (run / name).write_bytes(data[: len(data) * 2 // 3])
        text = write_report(run, "cut short").read_text()
        assert '<span class="verdict warn">cut short</span>' in text
        assert "3 of 5 steps were carried out" in text
        assert "events.jsonl:" in text
        assert "the last line, was cut off and is left out" in text

    def test_a_start_that_failed_still_has_a_page(self, tmp_path: Path) -> None:
        (tmp_path / "scenario.yaml").write_text("name: never started\nsteps: [1]\n")
        text = write_report(tmp_path, "cut short").read_text()
        for said in (
            "never started",
            "no block was recorded",
            "0 of 1 steps",
            "No KOMP was minted",
        ):
            assert said in text

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("genesis.json", "[1]"),
            ("genesis.json", "{"),
            ("genesis.json", '{"chain": 7, "deployment": {"parameters": []}}'),
            ("names.json", "[]"),
            ("scenario.yaml", "a: [b"),
            ("scenario.yaml", "- 1"),
            ("blocks.jsonl", '{"number": "x"}\n'),
            ("events.jsonl", '{"name": "Transfer", "args": 7}\n{"name": "Transfer"}\n'),
            ("events.jsonl", "{oops\n{}\n"),
            ("steps.jsonl", '{"index": 1}\n'),
            ("steps.jsonl", "7\n"),
        ],
    )
    def test_what_cannot_be_read_is_a_note_not_an_error(
        self, run: Path, name: str, content: str
    ) -> None:
        (run / name).write_text(content)
        assert "Final ledger" in write_report(run, "failed").read_text()

    def test_text_from_outside_stays_text(self, tmp_path: Path) -> None:
        run = fabricate(tmp_path / "run", scenario=EVIL.replace("'", ""), failure=EVIL)
        (run / "names.json").write_text(json.dumps({ADDRESSES["worker-1"]: EVIL}))
        text = write_report(run, "failed", cluster=EVIL).read_text()
        page = Page(text)
        assert "img" not in page.tags
        assert page.tags["script"] == 3
        assert page.handlers == []
        assert text.count("&lt;img src=x onerror=alert(2)&gt;") >= 4

    def test_a_bundle_gets_its_page_beside_it(self, run: Path) -> None:
        bundle = seal(run, {"verdict": "failed", "cluster": "native"})
        path = write_report(bundle)
        assert path == bundle.with_name("run.report.html")
        assert '<span class="verdict bad">failed</span>' in path.read_text()
        assert "<dd>native</dd>" in path.read_text()

    def test_no_run_no_page(self, tmp_path: Path) -> None:
        with pytest.raises(NotABundle):
            write_report(tmp_path, "passed")
        assert list(tmp_path.iterdir()) == []

    def test_a_browser_draws_it(self, run: Path, tmp_path: Path) -> None:
        path = write_report(run, "passed")
        dom = in_browser(path, tmp_path)
        drawn = set(re.findall(r'id="(chart-[a-z0-9-]+)"[^>]*class="chart js-plotly-plot"', dom))
        drawn |= set(re.findall(r'class="chart js-plotly-plot"[^>]*id="(chart-[a-z0-9-]+)"', dom))
        assert drawn == {"chart-v", "chart-rewards", "chart-price-vcpu-hour"}
        assert dom.count('class="main-svg"') >= 3

    def test_a_legend_stands_below_its_chart_and_every_line_has_its_own_colour(
        self, tmp_path: Path
    ) -> None:
        run = fabricate(tmp_path / "run", others=20)
        dom = in_browser(write_report(run, "passed"), tmp_path)
        legend = re.search(r'id="chart-v".*?<ul class="legend">(.*?)</ul>', dom, re.DOTALL)
        assert legend is not None
        names = re.findall(r"<i[^>]*></i>([^<]*)", legend[1])
        colours = re.findall(r'<i style="([^"]*)"', legend[1])
        assert len(names) == MOST_SERIES + 1
        assert names[-1] == "10 others"
        assert len(set(colours)) == len(colours) == len(names)

    @pytest.mark.parametrize("width", [500, 1280])  # no browser window is narrower
    def test_charts_fill_the_page_at_any_width(self, run: Path, tmp_path: Path, width: int) -> None:
        page = write_report(run, "passed")
        dom = in_browser(page, tmp_path, width=width)
        sizes = {
            (int(w), int(h))
            for w, h in re.findall(r'class="main-svg"[^>]*width="(\d+)" height="(\d+)"', dom)
        }
        assert sizes
        for wide, high in sizes:
            assert high >= 280
            assert width * 0.4 <= wide <= width - 20

    def test_what_a_wide_table_is_about_is_read_without_scrolling(self, tmp_path: Path) -> None:
        page = write_report(fabricate(tmp_path / "run", others=20), "passed")
        measure = """<script>
        for (const box of document.querySelectorAll(".scroll")) {
          const caption = box.querySelector("caption");
          if (caption) document.title += ` ${box.scrollWidth > box.clientWidth}:` +
            (caption.getBoundingClientRect().right <= box.getBoundingClientRect().right);
        }</script>"""
        page.write_text(page.read_text().replace("</body>", f"{measure}</body>"))
        title = re.search("<title>(.*?)</title>", in_browser(page, tmp_path, width=500))
        assert title is not None
        measured = re.findall("(true|false):(true|false)", title[1])
        assert "true" in {wider for wider, _ in measured}
        assert {seen for _, seen in measured} == {"true"}

    def test_without_the_script_that_draws_it_says_so(
        self, run: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(store: object, say: object) -> Path:
            raise MachineLacks("npm ci: no network")

        monkeypatch.setattr(plotting, "get_libraries", missing)
        text = write_report(run, "passed").read_text()
        assert "The charts are left out" in text
        assert "npm ci: no network" in text
        assert 'class="chart"' not in text
        assert "<script" not in text
        assert "V by cycle and node" in text

    def test_an_unknown_address_is_cut_and_whole_in_its_title(self, run: Path) -> None:
        (run / "names.json").write_text("{}")
        genesis = json.loads((run / "genesis.json").read_text())
        del genesis["accounts"]["bob"]
        (run / "genesis.json").write_text(json.dumps(genesis))
        text = write_report(run, "passed").read_text()
        bob = ADDRESSES["bob"]
        assert f'<code title="{bob}">{bob[:6]}…{bob[-4:]}</code>' in text
        assert f">{bob}<" not in text
