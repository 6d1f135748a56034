"""A pricing contract of its own over feeds that anybody sets."""

from __future__ import annotations

from contracts_stage import HOUR, Stage

VENDORS = ("aws", "gcp", "azure")
ZERO = "0x" + "00" * 20
WAD = 10**18
H = 30 * HOUR  # the longest of the three heartbeats
HEARTBEATS = (24 * HOUR, H, 20 * HOUR)
DECIMALS = (8, 18, 20)
REVERTS, BURNS_GAS, ANSWERS_SHORT, ANSWERS_LONG, DIRTY_ROUND, CARRIED_OVER = range(1, 7)


class Market:
    """One resource, number 0."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        for vendor, decimals, beat in zip(VENDORS, DECIMALS, HEARTBEATS, strict=True):
            bounds = (1, 10**6 * 10**decimals)
            assert stage.create(vendor, "MockFeed", decimals, beat, *bounds) is None
        assert stage.create("usd", "MockFeed", 8, 12 * HOUR, 1, 10**14) is None
        assert stage.create("used", "MockFeed", 18, 6 * HOUR, 0, 2 * WAD) is None
        self.priced_by("Prices", *VENDORS)

    def priced_by(self, name: str, *feeds: str, usd: str = "usd") -> None:
        """Another pricing contract over these feeds."""
        three = [[self.stage.address(feed) for feed in feeds]]
        others = [self.stage.address(name) for name in (usd, "used", "Gatekeepers")]
        assert self.stage.create(name, "Pricing", three + [[ZERO] * 3] * 5, *others) is None

    def answers(self, *usd: int | None) -> None:
        """Each vendor's answer of this second in whole dollars, None for no fresh one."""
        for vendor, decimals, answer in zip(VENDORS, DECIMALS, usd, strict=True):
            at = self.stage.now if answer is not None else 0
            value = (answer or 0) * 10**decimals
            self.stage.send("mallory", vendor, "set", value, at)

    def poke(self) -> list[str]:
        return self.stage.send("mallory", "Prices", "poke", 0).names

    def refused(self) -> dict[str, object]:
        error = self.stage.refused("mallory", "Prices", "poke", 0)
        assert error.name == "TooFewFresh"
        return dict(error.values)

    def stored(self) -> tuple[int, int]:
        """Price and pending jump in whole dollars."""
        found = self.stage.read("Prices", "stored", 0)
        return found["price"] // WAD, found["pending"] // WAD
