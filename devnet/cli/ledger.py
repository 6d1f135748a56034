"""The ledger a run left, as a table that adds up."""

from __future__ import annotations

from pathlib import Path

from devnet.cli import terminal


def print_ledger(bundle: Path) -> None:
    """Everybody's KOMP at the end of a bundle, from the token's own events."""
    from devnet.record.bundle import open_bundle
    from devnet.report.story import read_story
    from devnet.spec.units import komp_text

    with open_bundle(bundle, verify=False) as opened:
        story = read_story(opened, "")
    rows = [
        (
            story.name(holder.address),
            _cut(holder.received),
            _cut(holder.sent),
            _cut(holder.balance),
        )
        for holder in story.ledger.holders
    ]
    rows.append(("total", "", "", _cut(story.ledger.total)))
    titles = ("KOMP", "received", "sent", "balance")
    terminal.print_table(titles, rows, right=titles[1:])
    total, supply = komp_text(story.ledger.total), komp_text(story.ledger.supply)
    verdict = "it adds up" if story.ledger.adds_up else "it does NOT add up"
    terminal.print_text(f"{verdict}: balances {total}, supply {supply}")
    terminal.print_text("amounts are cut after six places; the report has them whole")


def _cut(wei: int) -> str:
    """An amount that fits a column of an 80-column terminal."""
    whole, rest = divmod(wei, 10**18)
    return f"{whole:,}.{rest // 10**12:06d}"
