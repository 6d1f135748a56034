"""Machines that ask to be admitted: each must be what it says, or nobody else's (S6)."""

from __future__ import annotations

from devnet.actors.attestations import Admission, Attestation
from devnet.actors.duties.duty import Duty
from devnet.actors.messages import AdmissionAsked, AdmissionRefused, Admitted
from devnet.actors.operations import Operation, Tell
from devnet.actors.view import View, guest_of, hardware_id, is_guest, owner_of

ADMISSION_SECONDS = 86_400


class Admitting(Duty):
    """The leading gatekeeper is asked; an admission is valid for a day."""

    attests = (Admission,)

    def __init__(self) -> None:
        self._asked: list[AdmissionAsked] = []

    def take(self, view: View, message: object, *, leads: bool) -> list[Operation]:
        if isinstance(message, AdmissionAsked) and leads:
            self._asked.append(message)
        return []

    def wanted(self, view: View) -> tuple[Admission, ...]:
        asked, self._asked = self._asked, []
        return tuple(
            Admission(
                each.worker,
                each.node_address,
                each.owner_address,
                each.hardware_id,
                view.now + ADMISSION_SECONDS,
            )
            for each in asked
        )

    def objection(self, view: View, attestation: Attestation) -> str | None:
        assert isinstance(attestation, Admission)
        if is_guest(attestation.worker):
            reason = _guest_objection(view, attestation)
        else:
            reason = _machine_objection(view, attestation)
        if reason is None and attestation.deadline > view.now + ADMISSION_SECONDS:
            return "valid for longer than a day"
        if reason is None and view.reads.is_gatekeeper(attestation.owner):
            return "a gatekeeper owns no worker (R3)"
        return reason

    def completed(self, view: View, attestation: Attestation, signatures: bytes) -> list[Operation]:
        assert isinstance(attestation, Admission)
        admitted = Admitted(attestation.hardware_id, attestation.deadline, signatures)
        return [Tell(attestation.worker, admitted)]

    def given_up(self, view: View, attestation: Attestation, reasons: str) -> list[Operation]:
        assert isinstance(attestation, Admission)
        return [Tell(attestation.worker, AdmissionRefused(reasons))]


def _machine_objection(view: View, admission: Admission) -> str | None:
    directory = view.directory
    known = {worker.name for worker in directory.spec.workers}
    if admission.worker not in known:
        return f"no machine named {admission.worker}"
    if admission.hardware_id != hardware_id(directory.seed, admission.worker):
        return "another machine's hardware id"
    if directory.address(admission.worker) != admission.node:
        return "not that machine's node key"
    is_owner = directory.address(owner_of(admission.worker)) == admission.owner
    if not is_owner and not view.reads.is_pool(admission.owner):  # S7: or a pool owns its node
        return "not that machine's owner"
    return None


def _guest_objection(view: View, admission: Admission) -> str | None:
    """Nobody here has seen a guest's machine: it must only be nobody else's (S6)."""
    if not int(admission.node, 16):
        return "the zero address is no node key"
    if guest_of(admission.node) != admission.worker:
        return "not that machine's node key"
    for account in (admission.node, admission.owner):
        name = view.directory.name(account)
        if name in view.directory.accounts:  # it is admitted as what it is
            return f"{name} is no guest"
    holder = view.reads.hardware_holder(admission.hardware_id)
    if int(holder, 16):
        return f"that hardware id is {view.directory.name(holder)}'s"
    return None
