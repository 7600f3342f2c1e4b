"""`kubectl orders` against a real cluster: it reads what is there, and what it says is heard."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from orders.store.schema import REQUIRED_VERSION
from tests.helpers.cluster.kubectl import Namespace, order_service, run, uids
from tests.helpers.cluster.plugin import Said, Terminal, orders
from tests.helpers.cluster.staged_rollout import (
    CANARY,
    FAILED,
    NEW,
    OLD,
    STABLE,
    annotations,
    stage,
)


def test_it_draws_what_the_operator_made(namespace: Namespace, service: str) -> None:
    """Pods and schema of a real OrderService, without colours where there is no terminal."""
    drawn = orders("status", service, "-n", namespace.name)

    assert (0, "") == (drawn.status, drawn.err)
    assert f"{namespace.name}/{service}" in drawn.out
    assert "1 of 1 pod ready" in drawn.out
    assert f"schema {REQUIRED_VERSION}" in drawn.out
    assert namespace.pods(service)[0]["metadata"]["name"] in drawn.out
    assert "\x1b" not in drawn.out


def test_it_draws_two_revisions(namespace: Namespace, staged: str) -> None:
    """Each revision has its part, its number and its pods; a pod that crashes shows it."""
    stage(namespace, CANARY)
    drawn = orders("status", staged, "-n", namespace.name, COLUMNS="80")
    found = json.loads(orders("status", staged, "-n", namespace.name, "-o", "json").out)

    assert "Canary  step 1 of 3  50 % of requests" in drawn.out
    assert f"{NEW} #2 canary" in drawn.out
    assert "canary-78b9c4d5f8-abcde" in drawn.out
    assert max(map(len, drawn.out.splitlines())) <= 80
    assert [(NEW, ["canary"]), (OLD, ["stable"])] == [
        (it["revision"], it["roles"]) for it in found["revisions"]
    ]
    assert {"canary": NEW, "stable": OLD} == {it["track"]: it["revision"] for it in found["pods"]}
    assert all(it["restarts"] > 0 for it in found["pods"])


def test_it_names_the_claim_that_is_kept(namespace: Namespace, staged: str) -> None:
    """The line is there as long as the status has a claim, and has the command as it stands."""
    where = (staged, "-n", namespace.name)
    command = f"kubectl delete pvc --namespace {namespace.name} data-staged-postgresql-0"
    claim = {"name": "data-staged-postgresql-0", "deleteWith": command}

    stage(namespace, STABLE, claim)
    drawn = orders("status", *where)
    assert "are kept in claim data-staged-postgresql-0" in drawn.out
    assert command in drawn.out.splitlines()
    found = json.loads(orders("status", *where, "-o", "json").out)
    assert claim == found["status"]["retainedClaim"]

    stage(namespace, STABLE)
    assert "claim" not in orders("status", *where).out


def test_without_a_name_there_is_a_list(namespace: Namespace, service: str, staged: str) -> None:
    """One line for each; programs always get `items`."""
    stage(namespace, CANARY)
    drawn = orders("status", "-n", namespace.name)
    found = json.loads(orders("status", "-n", namespace.name, "-o", "json").out)

    assert {service, staged} <= {line.split()[0] for line in drawn.out.splitlines()[1:]}
    assert {service, staged} <= {it["name"] for it in found["items"]}


def test_commands_replace_each_other(namespace: Namespace, staged: str) -> None:
    """The last one counts, and it says what it did and how to watch it."""
    stage(namespace, CANARY)
    where = (staged, "-n", namespace.name)

    paused = orders("pause", *where)
    assert (0, "") == (paused.status, paused.err)
    assert f"{NEW} stays at step 1 of 3." in paused.out
    assert f"kubectl orders status {staged} -n {namespace.name} -w" in paused.out
    assert {"orders.dev/pause": NEW} == annotations(namespace)

    assert 0 == orders("resume", *where).status
    assert {} == annotations(namespace)

    orders("abort", *where)
    promoted = json.loads(orders("promote", *where, "-o", "json").out)
    assert {"orders.dev/promote": NEW} == annotations(namespace)
    assert ("promote", NEW) == (promoted["command"], promoted["value"])


def test_a_failure_is_tried_again(namespace: Namespace, staged: str) -> None:
    """Just this failure, and only if there is one."""
    stage(namespace, CANARY)
    where = (staged, "-n", namespace.name)
    refused = orders("retry", *where)
    assert Said(1, "", f"kubectl orders: {staged}: cannot retry: nothing has failed\n") == refused

    stage(namespace, FAILED)
    assert 0 == orders("retry", *where).status
    assert {"orders.dev/retry": f"{NEW}@2026-03-04T12:00:00Z"} == annotations(namespace)


def test_a_restart_is_a_time(namespace: Namespace, staged: str) -> None:
    """It is now; the resource is paused, so it waits, and a command that follows leaves it."""
    stage(namespace, CANARY)
    where = (staged, "-n", namespace.name)
    assert 0 == orders("pause", *where).status
    before = datetime.now(UTC).replace(microsecond=0)

    restarted = orders("restart", *where)
    assert (0, "") == (restarted.status, restarted.err)
    assert f"a new revision of the same spec will replace {NEW}." in restarted.out
    assert "Nothing happens while spec.paused is true." in restarted.out
    told = annotations(namespace)
    assert ["orders.dev/restart"] == list(told)
    at = datetime.strptime(told["orders.dev/restart"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= at <= datetime.now(UTC)

    assert 0 == orders("promote", *where).status
    assert told | {"orders.dev/promote": NEW} == annotations(namespace)


def test_the_restart_of_a_failure_is_a_retry(namespace: Namespace, staged: str) -> None:
    """It sets what `retry` sets, and says so."""
    stage(namespace, FAILED)
    restarted = orders("restart", staged, "-n", namespace.name)

    assert (0, "") == (restarted.status, restarted.err)
    assert "It had failed, so this retries it instead of restarting it." in restarted.out
    assert {"orders.dev/retry": f"{NEW}@2026-03-04T12:00:00Z"} == annotations(namespace)


def test_all_are_restarted(namespace: Namespace, service: str, staged: str) -> None:
    """What has failed is retried; the operator gives the others new pods of the same spec."""
    stage(namespace, FAILED)
    revision, pods = namespace.rollout(service)["stable"], uids(namespace.pods(service))
    told = orders("restart", "--all", "-n", namespace.name, "-o", "json")

    assert (0, "") == (told.status, told.err)
    expected = {(service, "restart"), (staged, "retry")}
    assert expected <= {(it["name"], it["command"]) for it in json.loads(told.out)["items"]}
    namespace.until(
        lambda: (
            (it := namespace.rollout(service))["phase"] == "Stable" and it["stable"] != revision
        ),
        90,
        "another revision is stable",
    )
    assert not pods & uids(namespace.pods(service))


def test_the_operator_hears_it(namespace: Namespace) -> None:
    """A canary is drawn with its pods as it comes in, and replaces the stable pods when told."""
    namespace.apply(order_service("heard", rollout={"strategy": "Canary"}))
    namespace.rolled_out("heard", 90)
    where = ("heard", "-n", namespace.name)
    stable = namespace.rollout("heard")["stable"]
    env = [{"name": "REQUEST_TIMEOUT", "value": "7s"}]
    namespace.patch("orderservice", "heard", {"spec": {"podTemplate": {"env": env}}})
    namespace.wait("orderservice/heard", "jsonpath={.status.rollout.phase}=Canary", 30)
    canary = namespace.rollout("heard")["canary"]
    namespace.until(lambda: len(namespace.pods("heard")) == 2, 30, "a pod of the canary")
    found = json.loads(orders("status", *where, "-o", "json").out)

    assert {(canary, "canary"), (stable, "stable")} == {
        (pod["revision"], pod["track"]) for pod in found["pods"]
    }
    assert {canary, stable} == {it["revision"] for it in found["revisions"]}
    assert f"{canary} #2 canary" in orders("status", *where).out

    assert 0 == orders("promote", *where).status
    namespace.wait("orderservice/heard", "jsonpath={.status.rollout.phase}=Stable", 90)
    assert canary == namespace.rollout("heard")["stable"]
    assert orders("promote", *where).err.endswith("no rollout is under way\n")


def test_it_goes_on_in_a_terminal_until_it_is_ended(namespace: Namespace, staged: str) -> None:
    """`-w` shows what has changed within seconds; Ctrl-C ends it without a word."""
    stage(namespace, CANARY)
    with Terminal("status", staged, "-n", namespace.name, "-w") as terminal:
        terminal.until("step 1 of 3")
        stage(namespace, CANARY | {"step": 2})
        terminal.until("step 2 of 3")
        status = terminal.interrupt()

    assert 130 == status
    assert "Traceback" not in terminal.seen


def test_every_kubeconfig_will_do(namespace: Namespace, service: str, tmp_path: Path) -> None:
    """Two files, one with the cluster, the other with a program that logs in."""
    whole = yaml.safe_load(run("kubectl", "config", "view", "--raw", "--flatten", "--minify"))
    [user] = whole["users"]
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {
            name: run("base64", "-d", text=user["user"][field])
            for name, field in (
                ("clientCertificateData", "client-certificate-data"),
                ("clientKeyData", "client-key-data"),
            )
        },
    }
    told = tmp_path / "credential.json"
    told.write_text(json.dumps(credential))
    log_in = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "cat",
        "args": [str(told)],
        "interactiveMode": "IfAvailable",
    }
    parts = {
        "clusters": {"clusters": whole["clusters"]},
        "users": {
            "users": [{"name": "person", "user": {"exec": log_in}}],
            "contexts": [
                {
                    "name": "here",
                    "context": {
                        "cluster": whole["clusters"][0]["name"],
                        "user": "person",
                        "namespace": namespace.name,
                    },
                }
            ],
        },
    }
    for name, part in parts.items():
        (tmp_path / name).write_text(yaml.dump({"apiVersion": "v1", "kind": "Config", **part}))
    config = ":".join(str(tmp_path / name) for name in parts)
    found = orders("status", service, "--context", "here", "-o", "json", KUBECONFIG=config)

    assert (0, "") == (found.status, found.err)
    assert namespace.name == json.loads(found.out)["namespace"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (["status", "nobody"], "there is no OrderService nobody in namespace {}"),
        (["promote", "nobody"], "there is no OrderService nobody in namespace {}"),
        (["restart", "nobody"], "there is no OrderService nobody in namespace {}"),
        (["logs", "nobody"], "there is no OrderService nobody in namespace {}"),
        (["status", "--context", "nowhere"], 'context "nowhere" does not exist'),
        (["status", "--kubeconfig", "/nothing"], "stat /nothing: no such file or directory"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    namespace: Namespace, call: list[str], expected: str
) -> None:
    """It says why; the exit status is 1."""
    refused = orders(*call, "-n", namespace.name)

    assert Said(1, "", f"kubectl orders: {expected.format(namespace.name)}\n") == refused


def test_nothing_to_restart_is_one_line() -> None:
    """A namespace without an OrderService is no success."""
    refused = orders("restart", "--all", "-n", "kube-public")

    assert (
        Said(1, "", "kubectl orders: there is no OrderService in namespace kube-public\n")
        == refused
    )


def test_an_api_server_that_is_away_is_one_line(tmp_path: Path) -> None:
    """The reason is the one that kubectl's proxy gives."""
    config = tmp_path / "config"
    cluster = {"name": "gone", "cluster": {"server": "http://127.0.0.1:1"}}
    context = {"name": "gone", "context": {"cluster": "gone", "user": ""}}
    whole = {"clusters": [cluster], "contexts": [context], "current-context": "gone"}
    config.write_text(yaml.dump({"apiVersion": "v1", "kind": "Config", **whole}))
    refused = orders("status", "--kubeconfig", str(config))

    assert (1, "") == (refused.status, refused.out)
    assert "connection refused\n" == refused.err[-len("connection refused\n") :]
    assert 1 == refused.err.count("\n")
