from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import devnet
from devnet.base import assets
from devnet.base.errors import MachineLacks
from devnet.base.toolchain import Toolchain
from devnet.record.bundle import NotABundle, open_bundle
from devnet.record.folder import seal
from devnet.record.provenance import provenance
from devnet.report import plotting, write_report
from devnet.report.amounts import decimal, komp, komp_short, moment, percent, span
from devnet.report.cycles import read_cycles
from devnet.report.events import Told
from devnet.report.figures import MOST_SERIES
from devnet.report.incidents import read_incidents
from devnet.report.ledger import read_ledger
from devnet.report.page import inline_json
from devnet.report.plotting import PACKAGE
from devnet.report.prices import dynamic_price
from devnet.report.story import Story, read_story
from tests.report.fabricated import ADDRESSES, BLOCK_SECONDS, GENESIS, KOMP, SUPPLY, fabricate

# Elements that load what their attribute names, as a browser does without being asked.
LOADING = {"src", "srcset", "poster", "data", "background", "action"}
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


@pytest.fixture()
def run(tmp_path: Path) -> Path:
    return fabricate(tmp_path / "run")


@pytest.fixture()
def story(run: Path) -> Story:
    with open_bundle(run, verify=False) as bundle:
        return read_story(bundle, "passed", "sim")


class Page(HTMLParser):
    """What of a page a test asks about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.tables: list[bool] = []
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.loaded: list[str] = []
        self.tags: dict[str, int] = {}
        self.handlers: list[str] = []
        self._heading = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self._heading = bool(re.fullmatch("h[1-6]", tag))
        if self._heading:
            self.headings.append(f"{tag} ")
        if tag == "table":
            self.tables.append(False)
        if tag == "caption":
            self.tables[-1] = True
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href" and tag == "a":
                self.anchors.append(value or "")
            elif name in LOADING or (name == "href" and tag != "a"):
                self.loaded.append(f"{tag} {name}={value}")
            if name.startswith("on"):
                self.handlers.append(name)

    def handle_data(self, data: str) -> None:
        if self._heading:
            self.headings[-1] += data
            self._heading = False


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


class TestWhatMadeIt:
    def test_the_manifest_says_it_and_the_page_shows_it(self, run: Path) -> None:
        made = {
            "version": "1.2.3",
            "commit": "ab" * 20,
            "anvil": "1.7.1",
            "python": "3.11.7",
            "date": "2026-01-02T03:04:05Z",
        }
        bundle = seal(run, {"verdict": "passed", "made": made})
        text = write_report(bundle).read_text()
        assert (
            f"devnet 1.2.3, commit <code>{'ab' * 20}</code>, anvil 1.7.1, Python 3.11.7; "
            "sealed 2026-01-02T03:04:05Z"
        ) in text
        assert "<code>devnet replay run.kompute.zip</code>" in text

    def test_provenance_is_this_checkout_s(self) -> None:
        Toolchain().anvil()
        made = provenance()
        lock = json.loads((assets.root() / "package-lock.json").read_text())
        assert made["anvil"] == lock["packages"]["node_modules/@foundry-rs/anvil"]["version"]
        assert made["version"] == devnet.__version__
        root = assets.checkout()
        assert root is not None
        head = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        assert made["commit"] in (head, f"{head}-dirty")

    def test_away_from_a_checkout_there_is_no_commit(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("devnet.record.provenance.checkout", lambda: None)
        monkeypatch.setenv("KOMPUTE_CACHE", str(tmp_path))
        made = provenance()
        assert (made["commit"], made["anvil"]) == (None, None)


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


class TestTheStory:
    def test_the_ledger_adds_up(self, story: Story) -> None:
        ledger = story.ledger
        assert ledger.supply == SUPPLY
        assert ledger.total == SUPPLY
        assert ledger.adds_up
        balances = {story.name(holder.address): holder.balance for holder in ledger.holders}
        assert balances["alice"] == 990 * KOMP
        assert balances["company"] == KOMP
        assert balances["Staking"] == 975 * KOMP
        assert balances["Slashing"] == 0

    def test_rewards_follow_the_rule(self, story: Story) -> None:
        first, second = story.cycles.cycles
        one, two = ADDRESSES["worker-1"], ADDRESSES["worker-2"]
        assert first.shares == {one: 1_000 * KOMP // 3, two: 2_000 * KOMP // 3}
        assert second.v == {one: 10**18 + 1}
        assert second.shares == {one: 34 * KOMP}
        assert (first.ended, second.ended) == (True, True)
        assert story.cycles.paid == {one: 1_000 * KOMP // 3}
        assert story.cycles.added == {
            ADDRESSES["treasury"]: 1_000 * KOMP,
            ADDRESSES["Market"]: 9 * KOMP,
            ADDRESSES["Slashing"]: 25 * KOMP,
        }

    def test_the_incident(self, story: Story) -> None:
        (incident,) = story.incidents
        assert story.name(incident.node) == "worker-2"
        assert (incident.end - incident.start, incident.amount) == (43_200, 25 * KOMP)
        assert incident.executed_at == incident.reported_at

    def test_orders(self, story: Story) -> None:
        first, second = story.orders
        assert (first.consumed, first.fee, first.reward, first.refund) == (
            10 * KOMP,
            KOMP,
            9 * KOMP,
            10 * KOMP,
        )
        assert (first.state, first.kind, first.most_replicas) == ("finalized", "container", 2)
        assert (second.kind, second.invoked, second.completed) == ("serverless", 2, 1)
        assert first.adds_up
        assert second.adds_up

    def test_a_price_follows_utilization_until_that_is_stale(self, story: Story) -> None:
        points = story.prices.points["vcpu_hour"]
        median = 42 * 10**15
        assert [(p.utilization, p.price) for p in points] == [
            (0, median * 75 // 100),
            (5 * 10**17, median * 80 // 100),
            (None, median * 95 // 100),
            (None, median * 95 // 100),
        ]
        assert points[2].timestamp - points[1].timestamp == 21_601
        assert points[3].timestamp == GENESIS + 145 * BLOCK_SECONDS
        assert story.prices.vendors["vcpu_hour"] == {
            "aws": 40 * 10**15,
            "gcp": 42 * 10**15,
            "azure": 50 * 10**15,
        }

    def test_steps(self, story: Story) -> None:
        assert [step.verb for step in story.steps] == [
            "stake",
            "order",
            "advance",
            "claim",
            "expect",
        ]
        assert story.steps[2].end - story.steps[2].start == 70 * BLOCK_SECONDS
        assert story.planned == 5


def told(name: str, **args: int | str) -> Told:
    return Told(
        block=1,
        timestamp=1,
        transaction="0x",
        contract="Kompute",
        name=name,
        text={key: value for key, value in args.items() if isinstance(value, str)},
        number={key: value for key, value in args.items() if isinstance(value, int)},
    )


class TestRules:
    def test_a_missing_event_shows(self) -> None:
        ledger = read_ledger([told("Transfer", **{"from": "0xa", "to": "0xb", "value": 5})])
        assert ledger.total == 0
        assert not ledger.adds_up

    def test_a_reward_nobody_could_share_moves_on(self) -> None:
        cycles = read_cycles(
            [
                told("RewardAdded", **{"from": "0xa", "cycle": 0, "amount": 7}),
                told("RewardRolled", **{"from": 0, "to": 2, "amount": 7}),
                told("Published", node="0xb", cycle=2, sequence=1, v=3),
            ],
            running=3,
        )
        assert [(cycle.number, cycle.reward) for cycle in cycles.cycles] == [(0, 0), (2, 7)]
        assert cycles.earned("0xb") == 7

    def test_a_running_cycle_has_no_shares_yet(self) -> None:
        events = [
            told("RewardAdded", **{"from": "0xa", "cycle": 0, "amount": 7}),
            told("Published", node="0xb", cycle=0, sequence=1, v=3),
        ]
        assert read_cycles(events, running=0).earned("0xb") == 0
        assert read_cycles(events, running=None).earned("0xb") == 0
        assert read_cycles(events, running=1).earned("0xb") == 7

    @settings(deadline=None)
    @given(
        v=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10**20), min_size=1),
        reward=st.integers(0, 10**26),
    )
    def test_shares_leave_less_than_one_unit_a_publisher(
        self, v: dict[str, int], reward: int
    ) -> None:
        events = [told("RewardAdded", **{"from": "0xa", "cycle": 0, "amount": reward})]
        events += [told("Published", node=n, cycle=0, sequence=1, v=x) for n, x in v.items()]
        (cycle,) = read_cycles(events, running=1).cycles
        assert 0 <= reward - sum(cycle.shares.values()) < len(v)  # §11.4

    def test_c7_voided_v_has_no_share(self) -> None:
        events = [
            told("RewardAdded", **{"from": "0xa", "cycle": 0, "amount": 9}),
            told("Published", node="0xb", cycle=0, sequence=1, v=5),
            told("Published", node="0xc", cycle=0, sequence=1, v=5),
            told("Voided", node="0xb", cycle=0, v=5),
        ]
        (cycle,) = read_cycles(events, running=1).cycles
        assert dict(cycle.shares) == {"0xb": 0, "0xc": 9}

    def test_l6_how_incidents_ended(self) -> None:
        charge = {"node": "0xb", "level": 2, "from": 10, "to": 20}
        seizure = {"node": "0xb", "level": 3, "from": 0, "to": 0}
        events = [
            told("IncidentReported", id=1, **charge),
            told("IncidentReported", id=2, **seizure),
            told("Appealed", id=2, payer="0xc", bond=5),
            told("IncidentExecuted", id=1, node="0xb", amount=7),
            told("IncidentOverturned", id=2, node="0xb"),
        ]
        executed, overturned = read_incidents(events)
        assert (executed.executed_at, executed.amount, executed.bond) == (1, 7, None)
        assert (overturned.overturned_at, overturned.amount, overturned.bond) == (1, 0, 5)
        assert (executed.has_interval, overturned.has_interval) == (True, False)

    @settings(deadline=None)
    @given(
        moves=st.lists(
            st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(0, 10**27))
        )
    )
    def test_transfers_never_change_the_sum(self, moves: list[tuple[str, str, int]]) -> None:
        mint = told("Transfer", **{"from": "0x" + "0" * 40, "to": "a", "value": 10**27})
        ledger = read_ledger(
            [mint, *(told("Transfer", **{"from": f, "to": t, "value": v}) for f, t, v in moves)]
        )
        assert ledger.total == ledger.supply == 10**27

    @settings(deadline=None)
    @given(st.integers(0, 10**24), st.integers(0, 2 * 10**18))
    def test_the_price_stays_within_its_bounds(self, median: int, u: int) -> None:
        assert 75 * median // 100 <= dynamic_price(median, u) <= 95 * median // 100  # §11.12


class TestAmounts:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            (komp(25 * 10**18), "25"),
            (komp(1), "0.000000000000000001"),
            (komp(-1_234_567 * 10**18 - 5 * 10**17), "-1,234,567.5"),
            (komp_short(10**18 // 3), "0.3333…"),
            (komp_short(10**18 // 2), "0.5"),
            (percent(123_456 * 10**13), "123.45…"),
            (decimal(7, places=0), "7"),
            (span(43_200), "12 h"),
            (span(90_061), "1 d 1 h"),
            (span(0), "0 s"),
            (moment(GENESIS), "2026-01-01 00:00"),
            (moment(10**30), "?"),
        ],
    )
    def test_as_people_read_them(self, text: str, value: str) -> None:
        assert text == value

    def test_json_cannot_end_its_script(self) -> None:
        assert inline_json({"a": "</script>&"}) == '{"a":"\\u003c/script\\u003e\\u0026"}'


def in_browser(page: Path, profile: Path, *, width: int = 1280) -> str:
    """The page's elements after its scripts ran, in a browser that can reach no other host."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise MachineLacks("no chromium on PATH: apt-get install -y chromium")
    done = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={profile / 'browser'}",
            f"--window-size={width},2000",
            "--enable-logging=stderr",
            "--virtual-time-budget=10000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert said == [], said
    return done.stdout
