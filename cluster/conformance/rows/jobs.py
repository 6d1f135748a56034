"""Jobs: runs to completion, and what becomes of those that fail."""

from __future__ import annotations

from typing import Any

from kubernetes.client import BatchV1Api
from kubernetes.client.exceptions import ApiException

from cluster.conformance.bench import Bench
from cluster.conformance.claims import below, equal
from cluster.conformance.pods import FOREVER, NOT_FOUND, Document
from cluster.conformance.row import row
from cluster.waiting import Seen

CRON_SECONDS = 75.0


def job(bench: Bench, script: str, policy: str = "Never", **spec: Any) -> None:
    template = bench.template(bench.container(script), restartPolicy=policy)
    document = {"metadata": {"name": "toy"}, "spec": {"template": template, **spec}}
    bench.group(BatchV1Api).create_namespaced_job(bench.namespace, document)


def ended(bench: Bench, condition: str, limit_seconds: float = 0) -> Document:
    """The job's status, once that condition is true; its reason beside."""
    batch = bench.group(BatchV1Api)
    found: Document = {}

    def look() -> Seen:
        status = batch.read_namespaced_job("toy", bench.namespace).status
        for each in status.conditions or ():
            if each.type == condition and each.status == "True":
                found.update(reason=each.reason, succeeded=status.succeeded, failed=status.failed)
        return Seen(bool(found), str(status.conditions))

    bench.until(f"a job that is {condition}", look, limit_seconds)
    return found


@row("job.completions", 75)
def so_many_runs_a_few_at_a_time(bench: Bench) -> None:
    job(bench, "sleep 1", completions=4, parallelism=2)
    most = 0

    def look() -> Seen:
        nonlocal most
        phases = [pod["status"].get("phase") for pod in bench.pods()]
        most = max(most, sum(phase in ("Pending", "Running") for phase in phases))
        return Seen(phases == ["Succeeded"] * 4, str(phases))

    bench.until("four that have succeeded", look)
    equal(ended(bench, "Complete")["succeeded"], 4)
    below(most, 3)


@row("job.backoffLimit", 76)
def a_job_that_fails_is_tried_again_so_often(bench: Bench) -> None:
    job(bench, "exit 1", backoffLimit=1)
    found = ended(bench, "Failed", limit_seconds=60)
    equal((found["reason"], found["failed"]), ("BackoffLimitExceeded", 2))


@row("job.onFailure", 76)
def a_container_is_tried_again_within_its_pod(bench: Bench) -> None:
    job(bench, "test -e /tmp/x || exit 1", policy="OnFailure", backoffLimit=1)
    found = ended(bench, "Failed", limit_seconds=60)
    equal(found["reason"], "BackoffLimitExceeded")


@row("job.podFailurePolicy", 77)
def an_exit_code_can_fail_the_job_at_once(bench: Bench) -> None:
    codes = {"containerName": "main", "operator": "In", "values": [42]}
    policy = {"rules": [{"action": "FailJob", "onExitCodes": codes}]}
    job(bench, "exit 42", backoffLimit=5, podFailurePolicy=policy)
    found = ended(bench, "Failed")
    equal((found["reason"], found["failed"]), ("PodFailurePolicy", 1))


@row("job.activeDeadline", 77)
def a_job_beyond_its_deadline_is_ended(bench: Bench) -> None:
    job(bench, FOREVER, activeDeadlineSeconds=2)
    equal(ended(bench, "Failed")["reason"], "DeadlineExceeded")


@row("job.ttl", 77)
def a_job_that_has_ended_is_removed(bench: Bench) -> None:
    job(bench, "true", ttlSecondsAfterFinished=1)
    batch = bench.group(BatchV1Api)

    def look() -> Seen:
        try:
            return Seen(False, str(batch.read_namespaced_job("toy", bench.namespace).status))
        except ApiException as error:
            return Seen(error.status == NOT_FOUND, str(error.status))

    bench.until("a job that is gone", look)


@row("job.indexed", 78)
def each_run_knows_its_number(bench: Bench) -> None:
    job(bench, "echo $JOB_COMPLETION_INDEX", completions=2, parallelism=2, completionMode="Indexed")
    ended(bench, "Complete")
    said = [bench.printed(pod["metadata"]["name"]) for pod in bench.pods("job-name=toy")]
    equal(sorted(said), ["0\n", "1\n"])


@row("cronJob.minute", 79)
def a_job_is_made_when_its_time_comes(bench: Bench) -> None:
    template = bench.template(bench.container("echo on time"), restartPolicy="Never")
    document = {
        "metadata": {"name": "toy"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}},
    }
    bench.group(BatchV1Api).create_namespaced_cron_job(bench.namespace, document)

    def look() -> Seen:
        phases = [pod["status"].get("phase") for pod in bench.pods()]
        return Seen("Succeeded" in phases, str(phases))

    bench.until("a pod that has succeeded", look, CRON_SECONDS, every_seconds=0.5)
    equal(bench.printed(bench.pods()[0]["metadata"]["name"]), "on time\n")
