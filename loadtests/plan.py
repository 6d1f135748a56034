"""What a load process is told, as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from devnet.chain import Account
from devnet.chain.accounts import secrets

ROLES = ("owner", "node", "client")


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A service users order: the hash of its description, and what one replica asks for."""

    spec: str
    milli_cpu: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`first_account` is the place of user 0's first account below the mnemonic; each has three.

    `deployment` is a `deployment.json`, `stats` where the result goes. Times of the wall clock
    are milliseconds, deposits wei.
    """

    rpc: str
    portal: str
    deployment: str
    stats: str
    mnemonic: str
    first_account: int
    users: int
    seconds: int
    spawn_per_second: int
    step_milliseconds: int
    stop_seconds: int
    most_late_steps: int
    container: ServicePlan
    serverless: ServicePlan
    deposit_wei: int
    order_seconds: int
    stake_months: int
    seed: int

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read it back; raises ValueError or TypeError for another document."""
        document = json.loads(path.read_text())
        for service in ("container", "serverless"):
            document[service] = ServicePlan(**document[service])
        return cls(**document)


@dataclass(frozen=True, slots=True)
class UserAccounts:
    """One user's lanes: nobody else sends from them."""

    owner: Account
    node: Account
    client: Account

    def all(self) -> tuple[Account, ...]:
        return (self.owner, self.node, self.client)


def user_accounts(mnemonic: str, first_account: int, users: int) -> Sequence[UserAccounts]:
    """`load-owner-i`, `load-node-i`, `load-client-i` of every user, from `first_account` on."""
    keys = islice(secrets(mnemonic), first_account, first_account + users * len(ROLES))
    return [
        UserAccounts(*(Account.from_secret(f"load-{role}-{number}", next(keys)) for role in ROLES))
        for number in range(users)
    ]
