"""Pools on the stage of the contract tests: funded, activated, earning, slashed, gone."""

from __future__ import annotations

from typing import Any

from contracts_stage import (
    GATEKEEPERS,
    HOUR,
    KOMP,
    UNLIMITED,
    Sent,
    Stage,
    address,
    signed,
)

from devnet.protocol import ProtocolError, pool_address

NODE = address("node-1")
DAY_10 = 240 * HOUR  # L4: the cap, 500 KOMP
MEMBERS = {"alice": 200 * KOMP, "bob": 300 * KOMP}  # the first operates


class Pools:
    """One pool, "Pool:n", operated by alice. Amounts are wei."""

    def __init__(self, stage: Stage, number: int = 1) -> None:
        self.stage, self.number, self.name = stage, number, f"Pool:{number}"

    @classmethod
    def created(cls, stage: Stage, commission: int = 1_000, operator: str = "alice") -> Pools:
        created = stage.send(operator, "PoolFactory", "create", commission)
        pool = cls(stage, stage.read("PoolFactory", "poolCount"))
        predicted = pool_address(stage.address("PoolFactory"), pool.number)
        assert created.event("PoolCreated")["pool"] == predicted
        for member in ("alice", "bob", "mallory", "owner-1", "owner-2", "treasury"):
            stage.send(member, "Kompute", "approve", predicted, UNLIMITED)
        return pool

    @classmethod
    def active(cls, stage: Stage, commission: int = 1_000, **amounts: int) -> Pools:
        """Funded by alice's 200 KOMP and bob's 300 unless told otherwise; one month."""
        pool = cls.created(stage, commission)
        for member, amount in (amounts or MEMBERS).items():
            pool.send(member.replace("_", "-"), "join", amount)
        pool.activate()
        return pool

    @property
    def address(self) -> str:
        return self.stage.address(self.name)

    def send(self, sender: str, function: str, *args: Any) -> Sent:
        return self.stage.send(sender, self.name, function, *args)

    def refused(self, sender: str, function: str, *args: Any) -> ProtocolError:
        return self.stage.refused(sender, self.name, function, *args)

    def read(self, function: str, *args: Any) -> Any:
        return self.stage.read(self.name, function, *args)

    def shares(self, member: str) -> int:
        return int(self.read("sharesOf", address(member)))

    def uncollected(self, member: str) -> tuple[int, int]:
        """Rewards and commission of a member, harvested and not collected."""
        owed = self.read("uncollectedOf", address(member))
        return owed["amount"], owed["commission"]

    def admission(self, n: int = 1, months: int = 1, deadline: int = 2**40 - 1) -> tuple[Any, ...]:
        """The arguments of `activate`, signed by two gatekeepers and by the node's key."""
        node, hardware = address(f"node-{n}"), n.to_bytes(32, "big")
        digest = self.stage.domains.admission(node, self.address, hardware, deadline)
        signatures = signed(digest, *GATEKEEPERS[:2])
        return node, hardware, months, deadline, signatures, signed(digest, f"node-{n}")

    def activate(self, n: int = 1, months: int = 1) -> Sent:
        return self.send("alice", "activate", *self.admission(n, months))

    def earn(self, reward: int, n: int = 1) -> None:
        """The pool's node is the sole publisher of a cycle with that reward, which has ended."""
        self.stage.next_cycle(offset=1)
        self.stage.send("treasury", "Rewards", "addReward", reward)
        self.stage.publish(n)
        self.stage.next_cycle()

    def slash(self, seconds: int, n: int = 1) -> int:
        """The node was offline for so long; executed. Gives what it lost."""
        stage, start = self.stage, self.stage.now
        stage.until(start + seconds)
        report = stage.incident(n, start, start + seconds)
        reported = stage.send("mallory", "Slashing", "report", *report)
        stage.until(reported.timestamp + 6 * HOUR)
        identity = reported.event("IncidentReported")["id"]
        executed = stage.send("mallory", "Slashing", "execute", identity)
        return int(executed.event("IncidentExecuted")["amount"])

    def exit(self, sender: str = "alice") -> None:
        """Asked for, due, and the stake back."""
        exit_at = self.send(sender, "requestExit").event("ExitRequested")["exitAt"]
        self.stage.until(exit_at)
        self.send("mallory", "withdraw")
