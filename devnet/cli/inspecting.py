"""What other tools need of a running devnet: RPC, accounts, contracts and ABIs by their names."""

from __future__ import annotations

import difflib
import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from devnet.base import UsageError
from devnet.base.folder import DevnetFolder
from devnet.chain import derive
from devnet.daemon import Caller
from devnet.protocol.deployment import abi_name


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """An account of the network's mnemonic; `address` with its checksum, the key as 0x and hex."""

    name: str
    address: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Inspected:
    """A running devnet, asked once."""

    caller: Caller
    status: dict[str, Any]

    @classmethod
    def of(cls, name: str) -> Inspected:
        """Raises UsageError when it does not run."""
        caller = Caller(DevnetFolder.existing(name))
        return cls(caller, caller.ask("status"))

    @property
    def contracts(self) -> dict[str, str]:
        """Addresses with their checksums by name, pools among them."""
        found: dict[str, str] = self.status["contracts"]
        return found

    def accounts(self) -> tuple[NamedAccount, ...]:
        """All of the network's, in the mnemonic's order."""
        genesis = json.loads((Path(self.status["run"]) / "genesis.json").read_text())
        accounts = derive(genesis["chain"]["mnemonic"], genesis["accounts"])
        return tuple(
            NamedAccount(name, to_checksum_address(account.address), "0x" + account.key.to_hex())
            for name, account in accounts.items()
        )

    def abi(self, contract: str) -> list[dict[str, Any]]:
        """Of the contract that runs, whatever the sources say by now.

        Raises UsageError for a name that nobody knows.
        """
        abis: dict[str, list[dict[str, Any]]] = self.caller.ask("abis")
        found = abis.get(contract) or abis.get(abi_name(contract))
        if found is None:
            known = [*self.contracts, *abis]
            close = difflib.get_close_matches(contract, known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else "devnet contracts lists them"
            raise UsageError(f"no contract named '{contract}'", hint=hint)
        return found

    def variables(self) -> dict[str, str]:
        """For a shell; `ETH_RPC_URL` is what Foundry's tools read."""
        found = {
            "ETH_RPC_URL": str(self.status["rpc"]),
            "KOMPUTE_DEVNET": str(self.status["name"]),
            "KOMPUTE_RPC_URL": str(self.status["rpc"]),
            "KOMPUTE_CHAIN_ID": str(self.status["chain_id"]),
            "KOMPUTE_RUN": str(self.status["run"]),
        }
        if self.status["kubeconfig"]:
            found["KUBECONFIG"] = str(self.status["kubeconfig"])
        for name, address in self.contracts.items():
            word = re.sub(r"[^A-Z0-9]", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper())
            found[f"KOMPUTE_ADDRESS_{word}"] = address
        return found


def export_lines(variables: dict[str, str]) -> list[str]:
    """As a POSIX shell reads them."""
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
