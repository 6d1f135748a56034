"""A gatekeeper that signs whatever it is shown: what a quorum is worth with it among them."""

from __future__ import annotations

from devnet.actors.attestations import Attestation
from devnet.actors.behaviours import behaves
from devnet.actors.gatekeeper import Gatekeeper
from devnet.actors.messages import SignatureAsked
from devnet.actors.operations import Operation
from devnet.actors.view import View
from devnet.spec.behaviours import SIGNS_ALL


@behaves(SIGNS_ALL)
class SignsAll(Gatekeeper):
    """It neither counts nor looks; its own duties it does like any other."""

    def objection(self, view: View, attestation: Attestation) -> str | None:
        return None

    def _asked(self, view: View, asked: SignatureAsked) -> Operation:
        return self._answer(view, asked.attestation, asked.asked_by, None)
