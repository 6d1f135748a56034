"""The model with a clock of its own: calls in, outcomes out, no chain in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from devnet.chain.keccak import keccak
from devnet.chain.signer import SIGNATURE_BYTES
from devnet.checking.parameters import model_parameters
from devnet.deploy.parameters import DeploymentParameters
from devnet.deploy.plan import addresses, plan
from devnet.model import Model, Outcome
from devnet.model.calls import Call
from devnet.model.gatekeepers import Quorum, needed
from devnet.model.rewards import cycle_of
from devnet.protocol import Deployment, Genesis
from devnet.protocol.messages import Domains
from devnet.protocol.states import UNLIMITED
from devnet.spec.network import NetworkSpec

GENESIS_BLOCK: Final = 2  # as on a devnet: an empty block, then the creations
BLOCK_HASH: Final = keccak(b"a block of a year without a chain")


class Accounts(dict[str, str]):
    """Addresses by name, made as they are asked for; nobody has their keys, nobody signs."""

    def __missing__(self, name: str) -> str:
        self[name] = address = "0x" + keccak(f"economics/{name}".encode())[12:].hex()
        return address


class Trusted(Domains):
    """Digests that stand for nothing, since every signature names its signer.

    Without a chain there is nobody to deceive. Quorums are still counted by the model's own rules.
    """

    def result(self, *_: Any) -> bytes:  # the one that is asked for in every publication
        return b""

    def _digest(self, *_: Any) -> bytes:
        return b""


def signature_of(address: str) -> bytes:
    """65 bytes that name their signer."""
    return bytes.fromhex(address[2:]).ljust(SIGNATURE_BYTES, b"\0")


def signer_in(_: bytes, signature: bytes) -> str:
    """The signer that `signature_of` has put in."""
    return "0x" + signature[:20].hex()


class Economy:
    """One network's model at `block`, whose timestamp is `now`; addresses are lower-case hex.

    `refused` counts what the rules refused, by function and error; `sent` counts all calls.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        self.spec = spec
        self.accounts = Accounts()
        given = DeploymentParameters.of(spec, self.accounts)
        where = addresses(plan(given), self.accounts["deployer"])
        chain = spec.chain
        genesis = Genesis(chain.chain_id, chain.genesis_timestamp, GENESIS_BLOCK)
        self.parameters = model_parameters(given, Deployment(where, {}, {}, genesis))
        domains = Trusted(chain.chain_id, where)
        self.model = Model(self.parameters, lambda _: BLOCK_HASH, signer_in, domains)
        self.state = self.model.state
        self._block = self.now = 0
        self.block = GENESIS_BLOCK
        self.sent = 0
        self.refused: Counter[tuple[str, str]] = Counter()

    @property
    def block(self) -> int:
        """The block at hand."""
        return self._block

    @block.setter
    def block(self, number: int) -> None:
        chain = self.spec.chain
        self._block = number
        self.now = chain.genesis_timestamp + number * chain.block_seconds

    @property
    def cycle(self) -> int:
        """C1."""
        return cycle_of(self.block, self.parameters.genesis_block, self.parameters.cycle_blocks)

    @property
    def cycle_seconds(self) -> int:
        """How long a cycle lasts."""
        return self.parameters.cycle_blocks * self.spec.chain.block_seconds

    def start_of(self, cycle: int) -> int:
        """The first block of a cycle."""
        return self.parameters.genesis_block + cycle * self.parameters.cycle_blocks

    def address(self, name: str) -> str:
        """Of a contract, else of an account."""
        return self.parameters.addresses.get(name) or self.accounts[name]

    def balance(self, address: str) -> int:
        return self.state.balances[address]

    def send(self, sender: str, contract: str, function: str, args: Mapping[str, Any]) -> Outcome:
        """A call of the account at the address `sender` in the block at hand."""
        self.sent += 1
        call = Call(sender, self._block, self.now, args)
        outcome = self.model.decide(contract, function, call)
        if not outcome.ok:
            self.refused[function, str(outcome.error)] += 1
        return outcome

    def require(
        self, sender: str, contract: str, function: str, args: Mapping[str, Any]
    ) -> Outcome:
        """The same where a refusal would be a fault of this package, not an outcome.

        Raises RuntimeError with the contracts' error.
        """
        outcome = self.send(sender, contract, function, args)
        if not outcome.ok:
            raise RuntimeError(f"{contract}.{function} refused: {outcome.error}")
        return outcome

    def pay(self, sender: str, to: str, amount: int) -> Outcome:
        """KOMP from one address to another."""
        return self.send(sender, "Kompute", "transfer", {"to": to, "value": amount})

    def allow(self, owner: str, *contracts: str) -> None:
        """Let contracts pull from an account without a limit."""
        for contract in contracts:
            self.approve(owner, self.parameters.addresses[contract])

    def approve(self, owner: str, spender: str) -> None:
        """The same for any address."""
        self.send(owner, "Kompute", "approve", {"spender": spender, "value": UNLIMITED})

    def signatures(self, quorum: Quorum) -> bytes:
        """R4: of just enough gatekeepers, ascending."""
        registry = self.state.registry.value
        signers = sorted(registry.members)[: needed(registry, quorum)]
        return b"".join(signature_of(signer) for signer in signers)


def added(outcome: Outcome) -> int:
    """C2: what a call added to the rewards, wei."""
    return sum(event.args["amount"] for event in outcome.events if event.name == "RewardAdded")
