"""Small networks with risky lives, so that a short test meets everything."""

from __future__ import annotations

from devnet.spec import NetworkSpec, network_from_mapping

DAILY = {"blocks": "120", "gap_blocks": "6"}  # a day of 12 minutes a block


def network(nodes: int = 12, **sections: object) -> NetworkSpec:
    """`nodes` workers of several profiles and periods; days as cycles, incidents every few."""
    third = max(1, nodes // 3)
    mapping: dict[str, object] = {
        "version": "1",
        "name": "eventful",
        "cycle": DAILY,
        "workers": [
            {"name": "one", "profile": "standard", "stake_months": "1", "count": str(third)},
            {"name": "two", "profile": "large", "stake_months": "3", "count": str(third)},
            {"name": "three", "profile": "sgx", "stake_months": "12", "count": str(third)},
        ],
        "economics": {
            "incidents": {"level_1": "10%", "level_2": "4%", "level_3": "1%", "appeal": "50%"},
            "stakes": {"leave": "15%", "renew": "60%"},
            "pools": {"share": "40%", "members": "3"},
            "demand": {"orders": "4"},
        },
    }
    return network_from_mapping(mapping | sections)
