"""What goes on until it is ended: `kubectl orders logs -f` and `kubectl orders load`."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.cluster.kubectl import Namespace, run
from tests.helpers.cluster.plugin import ENVIRON, Terminal, orders
from tests.helpers.cluster.staged_rollout import NEW, pod


def test_logs_of_all_pods_are_merged(namespace: Namespace, staged: str) -> None:
    """Each line has its pod in front; a track leaves the others out."""
    both = orders("logs", staged, "-n", namespace.name)
    canary = orders("logs", staged, "-n", namespace.name, "--canary", "--tail", "1", "-o", "json")

    fronts = {line.split(" ", 1)[0] for line in both.out.splitlines()}
    assert {"6d4cf56db6-x2x4z", "canary-78b9c4d5f8-abcde"} == fronts
    [last] = map(json.loads, canary.out.splitlines())
    assert "staged-canary-78b9c4d5f8-abcde" == last["pod"]
    assert "nonsense" in last["message"]


@pytest.fixture
def following(namespace: Namespace, service: str) -> Iterator["subprocess.Popen[str]"]:
    """Follow the logs of a real OrderService."""
    command = ["kubectl", "orders", "logs", service, "-n", namespace.name, "-f", "--tail=1"]
    with subprocess.Popen(
        command, env=ENVIRON, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_logs_are_followed(
    namespace: Namespace, service: str, following: "subprocess.Popen[str]"
) -> None:
    """A request is a readable line as soon as it was answered; Ctrl-C ends it without a word."""
    assert following.stdout is not None
    following.stdout.readline()  # what was written before
    place = f"/api/v1/namespaces/{namespace.name}/services/{service}:http/proxy/orders?limit=3"
    run("kubectl", "get", "--raw", place)
    line = next(it for it in following.stdout if "limit" in it or "GET /orders 200" in it)
    following.send_signal(signal.SIGINT)

    short = namespace.pods(service)[0]["metadata"]["name"].removeprefix(f"{service}-")
    assert re.match(rf"{short} \d\d:\d\d:\d\d\.\d{{3}} INFO +GET /orders 200 duration_ms=", line)
    assert 130 == following.wait(20)
    assert following.stderr is not None
    assert "" == following.stderr.read()


def test_pods_that_come_later_are_followed(namespace: Namespace, staged: str) -> None:
    """A rollout brings new ones, and one that ends at once is heard too."""
    with Terminal("logs", staged, "-n", namespace.name, "-f", "--canary", "--tail=1") as terminal:
        terminal.until("nonsense")
        namespace.apply(pod("canary-78b9c4d5f8-later", NEW, "canary", "rubbish"))
        terminal.until("78b9c4d5f8-later")
        terminal.until("rubbish")
        assert 130 == terminal.interrupt()
    namespace.kubectl("delete", "pod", f"{staged}-canary-78b9c4d5f8-later")


def test_whoever_ends_it_leaves_nothing(namespace: Namespace, staged: str, tmp_path: Path) -> None:
    """Its proxy goes with it on SIGTERM, and so does the proxy's socket."""
    command = ["kubectl", "orders", "logs", staged, "-n", namespace.name, "-f"]
    with subprocess.Popen(
        command, env=ENVIRON | {"TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 1 == len(list(tmp_path.iterdir()))
        process.terminate()
        process.stdout.read()  # to its end: nobody holds it any more

    assert [] == list(tmp_path.iterdir())


def test_a_load_goes_to_all_pods(namespace: Namespace, service: str) -> None:
    """Through the API server, as a kubeconfig is all that there is; nothing fails."""
    flags = ("--rate", "20", "--duration", "2s", "-o", "json")
    done = orders("load", service, "-n", namespace.name, *flags)
    report = json.loads(done.out)

    assert (0, "") == (done.status, done.err)
    assert (40, 0) == (report["succeeded"], report["failed"])
    assert set(report["statuses"]) == {"200", "201"}


def test_a_load_is_ended_without_a_loss(namespace: Namespace, service: str) -> None:
    """Ctrl-C reaches the load, and not the way that its requests take."""
    flags = ("--rate", "20", "--duration", "none")
    with Terminal("load", service, "-n", namespace.name, *flags) as terminal:
        terminal.until("answers")
        status = terminal.interrupt()
        terminal.until("ended")

    assert 0 == status
    assert "Error" not in terminal.seen


def test_without_pods_there_is_no_load(namespace: Namespace, staged: str) -> None:
    """One line says that nobody would answer."""
    refused = orders("load", staged, "-n", namespace.name, "--duration", "1s")

    assert (1, "") == (refused.status, refused.out)
    assert 1 == refused.err.count("\n")
    assert f'no endpoints available for service "{staged}"' in refused.err


def test_a_reader_that_has_enough_ends_it(namespace: Namespace, staged: str) -> None:
    """`kubectl orders ... | head -1` prints one line and no complaint."""
    command = f"kubectl orders logs {staged} -n {namespace.name} --tail 1000 | head -1"
    done = subprocess.run(
        ["sh", "-c", command], env=ENVIRON, capture_output=True, text=True, timeout=60, check=True
    )

    assert (1, "") == (done.stdout.count("\n"), done.stderr)
