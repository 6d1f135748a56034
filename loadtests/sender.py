"""Transactions of load users: signed here, sent, and each followed to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gevent import Timeout
from gevent.event import AsyncResult
from locust.env import Environment

from devnet.chain import (
    Account,
    NodeUnreachable,
    NonceLanes,
    Receipt,
    RpcError,
    Transaction,
    sign,
    transaction_hash,
)
from devnet.protocol import Contracts, Event, decode_error
from loadtests.rpc import LoadRpc, fire
from loadtests.tally import Tally
from loadtests.watcher import Watcher

RECEIPT_SECONDS: Final = 30.0
GAS: Final = 1_000_000
# The pool may hold the transaction after these; only other refusals free the nonce.
_MAY_BE_IN_POOL: Final = ("nonce too low", "already imported", "already known")


class TransactionFailed(Exception):
    """A transaction was refused, reverted or lost; Locust has been told."""


class Sender:
    """`TX name` is one event from `due` to the receipt; its length is the gas used."""

    def __init__(
        self,
        environment: Environment,
        rpc: LoadRpc,
        watcher: Watcher,
        contracts: Contracts,
        tally: Tally,
    ) -> None:
        self._environment = environment
        self._rpc = rpc
        self._watcher = watcher
        self._contracts = contracts
        self._tally = tally
        self._lanes = NonceLanes(self._nonce)
        self._chain_id = contracts.deployment.genesis.chain_id
        self._reasons: dict[tuple[str, str], str] = {}

    def send(
        self,
        account: Account,
        contract: str,
        function: str,
        *args: Any,
        due: float,
        name: str = "",
    ) -> Mapping[str, Event]:
        """Send and wait; the receipt's events by name. Raises TransactionFailed."""
        entry = name or function
        call = self._contracts.encode(contract, function, *args)
        nonce = self._lanes.take(account.address)
        # The base fee is 0, so an account needs no ETH, and a replay no extra balance.
        raw = sign(
            account,
            Transaction(nonce, call.to, call.data, GAS, gas_price=0, chain_id=self._chain_id),
        )
        identity = transaction_hash(raw)
        mined = AsyncResult()
        self._watcher.on_receipt(identity, mined.set)
        self._tally.submitted += 1
        try:
            self._rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        except RpcError as refusal:
            if not any(text in str(refusal).lower() for text in _MAY_BE_IN_POOL):
                self._lanes.give_back(account.address, nonce)
                self._watcher.forget(identity)
                self._tally.refused += 1
                raise self._failed(entry, due, f"refused: {refusal}") from refusal
        except NodeUnreachable:
            pass  # unknown until a receipt tells
        try:
            receipt: Receipt = mined.get(timeout=RECEIPT_SECONDS)
        except Timeout:
            self._watcher.forget(identity)
            self._tally.lost += 1
            raise self._failed(entry, due, f"no receipt in {RECEIPT_SECONDS:g} s") from None
        self._tally.mined += 1
        if not receipt.ok:
            raise self._failed(entry, due, self._reason(contract, function, identity))
        fire(self._environment, "TX", entry, due, receipt.gas_used)
        return {event.name: event for event in self._contracts.events(receipt)}

    def read(self, contract: str, function: str, *args: Any) -> Any:
        """A view at the latest block."""
        call = self._contracts.encode(contract, function, *args)
        request = {"to": call.to, "data": "0x" + call.data.hex()}
        answer = self._rpc.call("eth_call", request, "latest")
        return self._contracts.result(contract, function, bytes.fromhex(answer[2:]))

    def _nonce(self, address: str) -> int:
        return int(self._rpc.call("eth_getTransactionCount", address, "latest"), 16)

    def _failed(self, name: str, due: float, reason: str) -> TransactionFailed:
        error = TransactionFailed(reason)
        fire(self._environment, "TX", name, due, 0, error)
        return error

    def _reason(self, contract: str, function: str, transaction: str) -> str:
        key = (contract, function)
        if key not in self._reasons:  # a trace is dear: once for each function
            trace = self._rpc.call("trace_transaction", transaction)
            output = (trace[0].get("result") or {}).get("output", "0x") if trace else "0x"
            error = decode_error(bytes.fromhex(output[2:]), self._contracts.names)
            self._reasons[key] = f"reverted with {error.name}"
        return self._reasons[key]
