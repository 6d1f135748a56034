"""The steps that are no actor's own: any transaction of any account of the network."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field

from devnet.spec.arguments import Arguments
from devnet.spec.fields import SpecModel, Text, Truth
from devnet.spec.registry import Step, step
from devnet.spec.subjects import AccountName, ContractName
from devnet.spec.units import UnitError

MOST_TOGETHER = 100  # well within the gas of one block


@step("send", "from", "to", "function")
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


class Sent(SpecModel):
    """One of the sends of a block."""

    send: Send


def _a_send(given: Any) -> Any:
    if isinstance(given, Sent) or (isinstance(given, dict) and list(given) == [Send.verb]):
        return given
    seen = ", ".join(map(str, given)) if isinstance(given, dict) else given
    raise UnitError("only sends are mined together", seen, "each is 'send: {from: …, to: …}'")


@step("together", "sends")
class Together(Step):
    """Mine several sends in one block, in their order; each expects its own error."""

    listed: ClassVar[str] = "sends"
    sends: tuple[Annotated[Sent, BeforeValidator(_a_send)], ...] = Field(
        min_length=1,
        max_length=MOST_TOGETHER,
        description="a list of sends; what they read is read before the block",
    )

    def with_lines(self, lines: tuple[int, ...]) -> Self:
        """With the line of each send in the file."""
        placed = zip(self.sends, lines, strict=True)
        sends = tuple(Sent.model_construct(send=one.send.placed(line)) for one, line in placed)
        return self.model_copy(update={"sends": sends})
