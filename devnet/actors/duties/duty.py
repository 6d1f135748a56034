"""A duty of gatekeepers: what they see, propose, judge and sign of a part of the protocol (R3)."""

from __future__ import annotations

from typing import ClassVar

from devnet.actors.attestations import Attestation
from devnet.actors.messages import Counted, Wish
from devnet.actors.operations import Operation
from devnet.actors.view import View

PERF, SLASH, CRITICAL = "PERF", "SLASH", "CRITICAL"  # R4, L6, G2


class Duty:
    """Every gatekeeper has every duty: it takes in what happens, and judges for itself what a peer
    asks it to sign. The one that leads also proposes what is wanted, and acts.

    A duty overrides what it has; as it stands here it sees nothing and signs nothing.
    """

    attests: ClassVar[tuple[type[Attestation], ...]] = ()
    """The kinds of attestation that are this duty's, and no other's."""

    wishes: ClassVar[tuple[type[Wish], ...]] = ()
    """What may be asked of a gatekeeper in this matter."""

    def quorum(self, attestation: Attestation) -> str:
        """Whose quorum it takes."""
        return PERF

    def due(self) -> int | None:
        """Chain seconds at which the leading gatekeeper must act; None while nothing waits."""
        return None

    def take(self, view: View, message: object, *, leads: bool) -> list[Operation]:
        """Note what came in; a wish of `wishes` is answered now or once it is `completed`."""
        return []

    def wanted(self, view: View) -> tuple[Attestation, ...]:
        """What to propose now; asked of the leading gatekeeper only."""
        return ()

    def saw(self, attestation: Attestation) -> None:
        """It has been proposed, here or by a peer; after `objection`."""

    def objection(self, view: View, attestation: Attestation) -> str | None:
        """Why this gatekeeper does not sign; None when all it can check holds."""
        return None

    def signed(self, attestation: Attestation) -> None:
        """This gatekeeper has put its signature under it."""

    def count(self, attestation: Attestation, asked_by: str) -> Operation | None:
        """What must be counted first, answered by a `Counted`; None to judge at once."""
        return None

    def counted(self, view: View, counted: Counted) -> str | None:
        """`objection`, once this gatekeeper's own count has come."""
        return self.objection(view, counted.attestation)

    def completed(self, view: View, attestation: Attestation, signatures: bytes) -> list[Operation]:
        """What follows, at the one that proposed, from a quorum's signatures."""
        return []

    def given_up(self, view: View, attestation: Attestation, reasons: str) -> list[Operation]:
        """What follows, at the one that proposed, when the quorum is out of reach."""
        return []

    def operations(self, view: View) -> list[Operation]:
        """What to do now, after everything was taken in; asked of the leading gatekeeper only."""
        return []

    def follow(self, view: View) -> None:
        """Let go of what is over, after everything was taken in; asked of those that do not lead.

        What is not over they keep, since one of them may lead next.
        """
