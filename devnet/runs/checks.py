"""The model beside the chain, and what both are held to after every step."""

from __future__ import annotations

from typing import Any

from devnet.chain import Chain
from devnet.deploy import DeploymentParameters
from devnet.model import Model
from devnet.protocol import Deployment, ObservedTransaction
from devnet.protocol import View as Reads
from devnet.runs.rules import model_parameters

MOST_SHOWN = 10


class Checks:
    """Feeds the model every transaction in order; compares it with the chain when asked."""

    def __init__(
        self,
        reads: Reads,
        given: DeploymentParameters,
        deployment: Deployment,
        chain: Chain,
    ) -> None:
        self._reads = reads
        self._chain = chain
        self._deployment = deployment
        self._parameters = model_parameters(given, deployment)
        self._model = Model(self._parameters, reads.block_hash)
        self._transactions: list[ObservedTransaction] = []
        self._outcomes: list[str] = []  # decided otherwise than the chain did

    def observe(self, observed: tuple[ObservedTransaction, ...]) -> None:
        """Let the model decide what the chain has decided."""
        self._transactions += observed
        for transaction in observed:
            outcome = self._model.apply(transaction)
            if outcome is None:
                continue
            if (outcome.ok, outcome.error) != (transaction.ok, transaction.error):
                chain = "accepted" if transaction.ok else f"rejected ({transaction.error})"
                model = "accepts" if outcome.ok else f"rejects ({outcome.error})"
                self._outcomes.append(
                    f"{transaction.contract}.{transaction.function} in block {transaction.block}: "
                    f"the chain {chain}, the model {model}"
                )

    def violations(self) -> list[str]:
        return []

    def differences(self) -> list[str]:
        return self._outcomes[:MOST_SHOWN]

    def after_step(self) -> list[str]:
        return [*self.violations(), *self.differences()]

    def snapshot(self) -> Any:
        return {}
