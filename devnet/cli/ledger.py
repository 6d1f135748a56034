"""The ledger a run left, as a table that adds up."""

from __future__ import annotations

from pathlib import Path

from devnet.cli import terminal


def print_ledger(bundle: Path) -> None:
    """Everybody's KOMP at the end of a bundle, from the token's own events."""
    from devnet.runs.bundle import open_bundle
    from devnet.runs.report.story import read_story
    from devnet.spec.units import komp_text

    with open_bundle(bundle, verify=False) as opened:
        story = read_story(opened, "")
    rows = [
        (
            story.name(holder.address),
            komp_text(holder.received),
            komp_text(holder.sent),
            komp_text(holder.balance),
        )
        for holder in story.ledger.holders
    ]
    rows.append(("total", "", "", komp_text(story.ledger.total)))
    titles = ("account", "received", "sent", "balance")
    terminal.print_table(
        titles,
        rows,
        right=(
            "received",
            "sent",
            "balance",
        ),
    )
    total, supply = komp_text(story.ledger.total), komp_text(story.ledger.supply)
    verdict = "it adds up" if story.ledger.adds_up else "it does NOT add up"
    terminal.print_line(f"{verdict}: balances {total}, supply {supply}")
