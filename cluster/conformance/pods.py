"""Pods of one namespace of a real cluster, made and watched by the official client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kubernetes import client
from kubernetes.client.exceptions import ApiException

from cluster.conformance.claims import NotHeld
from cluster.conformance.subject import Subject
from cluster.errors import ClusterError
from cluster.waiting import Seen, wait_for

LIMIT_SECONDS = 30.0
NOT_FOUND = 404
FOREVER = "while :; do sleep 0.1; done"
OWN_ADDRESS = {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
"""What a container is told of its pod: `$HOST` is the address."""
_HOLD = "kompute.network/held"

Document = dict[str, Any]


class Refused:
    """What was refused, once it has been: its words."""

    message = ""


class Pods:
    """A namespace of one row's own on the `subject`, where waits end after `limit_seconds`, and
    after `claim_seconds` from `control` on."""

    def __init__(
        self, subject: Subject, namespace: str, limit_seconds: float, claim_seconds: float = 0
    ) -> None:
        self.subject, self.namespace, self.limit_seconds = subject, namespace, limit_seconds
        self.controlled = False
        self._claim_seconds = claim_seconds or limit_seconds
        # Documents go in as Kubernetes writes them, which the client takes and its types do not.
        self.core: Any = client.CoreV1Api(subject.api)
        self._client: Any = subject.api

    def control(self) -> None:
        """All that the row's claim stands on has held; what does not hold from here on is the claim
        itself. A row that is declared without a refusal says it, or its failure shows nothing."""
        self.controlled = True
        self.limit_seconds = self._claim_seconds

    def group(self, api: type) -> Any:
        """Another group of the API, such as `client.AppsV1Api`."""
        return api(self._client)

    def container(self, *command: str, name: str = "main", **fields: Any) -> Document:
        """A container that runs `command`; a single word is a script of the shell."""
        words = ["sh", "-c", *command] if len(command) == 1 else list(command)
        return {
            "name": name,
            "image": self.subject.image,
            "imagePullPolicy": "IfNotPresent",
            "command": words,
            **fields,
        }

    def template(self, *containers: Document, **spec: Any) -> Document:
        """A pod of these containers, as a controller's template has it."""
        return {
            "metadata": {"annotations": dict(self.subject.annotations)},
            "spec": {
                "containers": list(containers),
                "terminationGracePeriodSeconds": 1,
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "dnsPolicy": "Default",
                **spec,
            },
        }

    def start(
        self,
        *containers: Document,
        name: str = "pod",
        labels: Mapping[str, str] | None = None,
        notes: Mapping[str, str] | None = None,
        **spec: Any,
    ) -> str:
        """Create the pod with these labels and annotations; its name."""
        body = self.template(*containers, **{"restartPolicy": "Never", **spec})
        body["metadata"] |= {"name": name, "labels": dict(labels or {})}
        body["metadata"]["annotations"] |= notes or {}
        self.core.create_namespaced_pod(self.namespace, body)
        return name

    def config_map(self, name: str, **data: str) -> None:
        self.core.create_namespaced_config_map(
            self.namespace, {"metadata": {"name": name}, "data": data}
        )

    def secret(self, name: str, **data: str) -> None:
        self.core.create_namespaced_secret(
            self.namespace, {"metadata": {"name": name}, "stringData": data}
        )

    @contextmanager
    def held(self, name: str = "pod") -> Iterator[None]:
        """Keep the pod in the API after its end, so that its last state can be read."""
        self._finalizers(name, [_HOLD])
        try:
            yield
        finally:
            self._finalizers(name, None)

    def _finalizers(self, name: str, wished: list[str] | None) -> None:
        self.core.patch_namespaced_pod(name, self.namespace, {"metadata": {"finalizers": wished}})

    def delete(self, name: str = "pod", *, grace_seconds: int | None = None) -> None:
        self.core.delete_namespaced_pod(name, self.namespace, grace_period_seconds=grace_seconds)

    def pod(self, name: str = "pod") -> Document:
        found = self.core.read_namespaced_pod(name, self.namespace)
        document: Document = self._client.sanitize_for_serialization(found)
        return document

    def state(self, name: str = "pod", container: str = "main") -> Document:
        """The status of a container, empty while it has none."""
        status = self.pod(name)["status"]
        for kind in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"):
            for each in status.get(kind, ()):
                if each["name"] == container:
                    return dict(each)
        return {}

    def wait(
        self,
        what: str,
        holds: Callable[[Document], object],
        name: str = "pod",
        limit_seconds: float = 0,
    ) -> Document:
        """The pod, once that holds of it; at once an error where its node has refused it."""
        seen: Document = {}

        def look() -> Seen:
            nonlocal seen
            seen = self.pod(name)
            status = seen["status"]
            if held := bool(holds(seen)):
                return Seen(held)
            if status.get("phase") == "Failed" and "reason" in status:
                raise ClusterError(f"{name} has failed: {status['reason']}: {status['message']}")
            return Seen(held, str(status))

        self.until(f"{name}: {what}", look, limit_seconds)
        return seen

    def until(
        self,
        what: str,
        look: Callable[[], Seen],
        limit_seconds: float = 0,
        every_seconds: float = 0.05,
    ) -> None:
        """Wait for anything; 0 is the bench's own limit."""
        limit = limit_seconds or self.limit_seconds
        wait_for(what, look, limit, every_seconds=every_seconds, error=ClusterError)

    def pods(self, labels: str = "") -> list[Document]:
        """Those of these labels that are not leaving, by name."""
        found = self.core.list_namespaced_pod(self.namespace, label_selector=labels).items
        documents = [self._client.sanitize_for_serialization(each) for each in found]
        return [each for each in documents if "deletionTimestamp" not in each["metadata"]]

    def several(
        self,
        what: str,
        number: int,
        holds: Callable[[Document], object],
        labels: str = "",
        limit_seconds: float = 0,
    ) -> list[Document]:
        """The pods of these labels, once there are so many of which that holds, and no others."""
        seen: list[Document] = []

        def look() -> Seen:
            seen[:] = self.pods(labels)
            held = [bool(holds(pod)) for pod in seen]
            return Seen(held == [True] * number, str([pod["status"] for pod in seen]))

        self.until(f"{number} pods: {what}", look, limit_seconds)
        return seen

    def nodes(self) -> list[Document]:
        """The nodes that pods may be placed on, by name."""
        found = [self._client.sanitize_for_serialization(n) for n in self.core.list_node().items]
        return [node for node in found if not node["spec"].get("taints")]

    def node(self, place: int = 0) -> str:
        """The name of one of them."""
        return str(self.nodes()[place]["metadata"]["name"])

    def never(
        self, what: str, holds: Callable[[Document], object], name: str = "pod", seconds: float = 4
    ) -> None:
        """That does not come to hold of the pod in this time."""
        try:
            self.wait(what, holds, name, limit_seconds=seconds)
        except ClusterError as error:
            if "not within" not in str(error):
                raise
            return
        raise NotHeld(f"{name} should never be: {what}")

    def phase(self, wanted: str, name: str = "pod", limit_seconds: float = 0) -> Document:
        return self.wait(
            wanted, lambda pod: pod["status"].get("phase") == wanted, name, limit_seconds
        )

    def ended(self, name: str = "pod") -> Document:
        """How its first container ended, once it has."""
        state: Document = {}

        def ends(pod: Document) -> bool:
            for first in pod["status"].get("containerStatuses", ())[:1]:
                state.update(first["state"].get("terminated", {}))
            return bool(state)

        self.wait("ended", ends, name)
        return state

    def waiting(self, reason: str, name: str = "pod", container: str = "main") -> str:
        """The message of a container that waits for that reason."""
        message = ""

        def holds(pod: Document) -> bool:
            nonlocal message
            for each in (
                *pod["status"].get("containerStatuses", ()),
                *pod["status"].get("initContainerStatuses", ()),
            ):
                state = each["state"].get("waiting", {})
                if each["name"] == container and state.get("reason") == reason:
                    message = state.get("message", "")
                    return True
            return False

        self.wait(f"{container} waits: {reason}", holds, name)
        return message

    def printed(self, name: str = "pod", **query: Any) -> str:
        """The log, with the API's own parameters."""
        answer: Any = self.core.read_namespaced_pod_log(
            name, self.namespace, _preload_content=False, **query
        )
        return bytes(answer.data).decode()

    def ran(self, *command: str, **spec: Any) -> str:
        """What a pod of one container printed; it must succeed."""
        fields = spec.pop("container", {})
        name = self.start(self.container(*command, **fields), **spec)
        self.phase("Succeeded", name)
        return self.printed(name)

    def gone(self, name: str = "pod", limit_seconds: float = 0) -> None:
        def look() -> Seen:
            try:
                return Seen(False, str(self.pod(name)["status"]))
            except ApiException as error:
                return Seen(error.status == NOT_FOUND, str(error))

        self.until(f"{name} gone", look, limit_seconds)

    @contextmanager
    def refused(self, status: int | None = None) -> Iterator[Refused]:
        """The API refuses what is done inside, with that status where one is named."""
        said = Refused()
        try:
            yield said
        except ApiException as error:
            said.message = str(error.body or error.reason)
            if status in (None, error.status):
                return
            raise
        raise NotHeld(f"wanted a refusal {status or ''}, it was carried out")

    def events(self, reason: str, name: str = "pod") -> list[str]:
        """The messages of a pod's events of that reason, once there is one."""
        found: list[str] = []

        def look() -> Seen:
            listed = self.core.list_namespaced_event(
                self.namespace, field_selector=f"involvedObject.name={name}"
            )
            found[:] = [each.message for each in listed.items if each.reason == reason]
            return Seen(bool(found), str([each.reason for each in listed.items]))

        self.until(f"event {reason} of {name}", look)
        return found


def started(pod: Mapping[str, Any], container: str = "main") -> bool:
    """Whether that container runs."""
    return any(
        each["name"] == container and "running" in each["state"]
        for each in pod["status"].get("containerStatuses", ())
    )


def ready(pod: Mapping[str, Any]) -> bool:
    """The pod's own condition."""
    return any(
        each["type"] == "Ready" and each["status"] == "True"
        for each in pod["status"].get("conditions", ())
    )


def restarts(pod: Mapping[str, Any], container: str = "main") -> int:
    """How often that container was started again."""
    return sum(
        int(each["restartCount"])
        for each in pod["status"].get("containerStatuses", ())
        if each["name"] == container
    )
