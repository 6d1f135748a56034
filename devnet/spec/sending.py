"""The step that is no actor's own: any transaction of any account of the network."""

from __future__ import annotations

from pydantic import Field

from devnet.spec.arguments import Arguments
from devnet.spec.fields import Text, Truth
from devnet.spec.registry import Step, step
from devnet.spec.subjects import AccountName, ContractName


@step("send")
class Send(Step):
    """Send any transaction of any account: what no actor would do by itself."""

    source: AccountName = Field(
        alias="from", description="a client, a worker (its node key), WORKER-owner, treasury, …"
    )
    to: ContractName = Field(description="a contract's name, such as Staking or Feed:komp_usd")
    function: Text
    args: Arguments = Field(default_factory=dict, description="by the ABI's parameter names")
    again: Truth = Field(
        default=False,
        description="what `args` leave out is as in the last accepted call of the function",
    )
