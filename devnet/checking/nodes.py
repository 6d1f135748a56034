"""What the events of stakes say: nodes, their registrations and their withdrawals (S1 to S6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from devnet.checking.amounts import BONUS, FULL_STAKE, NO_BONUS, ZERO_ADDRESS
from devnet.checking.part import Args, Part
from devnet.model import Parameters
from devnet.protocol import Event, ObservedTransaction


@dataclass(slots=True)
class NodeFacts:
    """A node by its events; times in seconds, 0 until they happen."""

    owner: str
    stake_wei: int = FULL_STAKE
    bps: int = NO_BONUS
    registered_at: int = 0
    unlock_at: int = 0
    exit_at: int = 0
    withdrawn: bool = False
    forfeited: bool = False
    severe: int = 0  # pending incidents of levels 2 and 3
    seized: int = 0  # in escrow, wei
    hardware_id: bytes = b""
    pending: int = 0
    charged: dict[int, int] = field(default_factory=dict)  # by level, until when (L5)

    @property
    def live(self) -> bool:
        """S4."""
        return not self.withdrawn and not self.forfeited


@dataclass(frozen=True, slots=True)
class Registration:
    """A `Staked` event. `holder` is the live node that held the hardware before, if any."""

    transaction: str
    node: str
    hardware_id: bytes
    again: bool
    holder: str | None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A `Withdrawn` event; `stake_wei` is what was left, `pending` the incidents open then."""

    transaction: str
    node: str
    amount: int
    stake_wei: int
    pending: int
    timestamp: int
    exit_at: int
    unlock_at: int


class Nodes(Part):
    """`seen` by address; `registrations` and `withdrawals` are news."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        self.seen: dict[str, NodeFacts] = {}
        self.registrations: list[Registration] = []
        self.withdrawals: list[Withdrawal] = []
        self._hardware: dict[bytes, str] = {}
        self.folds = {
            "Staked": self._staked,
            "Restaked": self._restaked,
            "ToppedUp": self._topped_up,
            "ExitRequested": self._exit_requested,
            "Withdrawn": self._withdrawn,
        }

    def mark(self) -> None:
        self.registrations.clear()
        self.withdrawals.clear()

    def of(self, args: Args) -> NodeFacts:
        """Of the event's node; of a node nobody staked for, one without stake: a check tells."""
        return self.seen.setdefault(args["node"], NodeFacts(owner=ZERO_ADDRESS, stake_wei=0))

    def _staked(self, transaction: ObservedTransaction, event: Event) -> None:
        args = event.args
        name, hardware_id = args["node"], args["hardwareId"]
        holder = self._hardware.get(hardware_id)
        live = holder if holder and self.seen[holder].live else None
        again = name in self.seen
        self.registrations.append(Registration(transaction.hash, name, hardware_id, again, live))
        self._hardware[hardware_id] = name
        self.seen[name] = NodeFacts(
            owner=args["owner"],
            bps=BONUS.get(args["months"], 0),
            registered_at=transaction.timestamp,
            unlock_at=args["unlockAt"],
            hardware_id=hardware_id,
        )

    def _restaked(self, transaction: ObservedTransaction, event: Event) -> None:
        node, args = self.of(event.args), event.args
        node.bps, node.unlock_at = BONUS.get(args["months"], 0), args["unlockAt"]

    def _topped_up(self, transaction: ObservedTransaction, event: Event) -> None:
        self.of(event.args).stake_wei += event.args["amount"]

    def _exit_requested(self, transaction: ObservedTransaction, event: Event) -> None:
        self.of(event.args).exit_at = event.args["exitAt"]

    def _withdrawn(self, transaction: ObservedTransaction, event: Event) -> None:
        node = self.of(event.args)
        self.withdrawals.append(
            Withdrawal(
                transaction=transaction.hash,
                node=event.args["node"],
                amount=event.args["amount"],
                stake_wei=node.stake_wei,
                pending=node.pending,
                timestamp=transaction.timestamp,
                exit_at=node.exit_at,
                unlock_at=node.unlock_at,
            )
        )
        node.stake_wei, node.withdrawn = 0, True
