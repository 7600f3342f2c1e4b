"""Who may call an OrderService, over TLS: the release of a chart that has all of it, under load.

Its pods are asked one by one, so what is said of the service holds of every pod.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
import yaml

from chaos.load import Identity, Load, load
from orders_operator.objects import Object
from orders_operator.resources.pod import SERVICE
from orders_operator.resources.service import HTTP_PORT, METRICS_PORT
from tests.helpers.cluster import token_issuer
from tests.helpers.cluster.credentials import Certificates, Key, new_key, store_keys
from tests.helpers.cluster.kubectl import CommandError, Namespace, helm, uids
from tests.helpers.cluster.packets import place, reach_only, reached
from tests.helpers.cluster.plugin import orders
from tests.helpers.cluster.pod_requests import PROJECTED, Answer, Asking, bearer, key
from tests.helpers.tokens import signer

pytestmark = pytest.mark.starts_early(seconds=170)

NAME: Final = "guarded"
ORIGIN: Final = "https://shop.example.com"
REFUSED: Final = 120.0
"""Seconds from a change of a Secret until every pod goes by it."""
_LOAD: Final = "checkout"
_CANARY: Final = {
    "strategy": "Canary",
    "bake": "5s",
    "canary": {
        "steps": [{"weight": 50, "duration": "5s"}],
        "analysis": {"interval": "5s", "minRequests": 20},
    },
}


class Keys(NamedTuple):
    """API keys: of a caller, the one that it gets in its place, and of one that may only read."""

    first: Key
    second: Key
    reader: Key


@pytest.fixture(scope="module")
def keys() -> Keys:
    """Make them."""
    both = ("orders:read", "orders:write")
    return Keys(new_key("shop", *both), new_key("shop", *both), new_key("reports", both[0]))


@pytest.fixture(scope="module")
def certificates(namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Make the authority."""
    folder = tmp_path_factory.mktemp("certificates")
    return Certificates(folder, f"{NAME}.{namespace.name}.svc")


@pytest.fixture(scope="module")
def issuer(namespace: Namespace) -> str:
    """Run an issuer; the address of its pod."""
    return token_issuer.run(namespace, signer())


@pytest.fixture(scope="module")
def guarded(namespace: Namespace, certificates: Certificates, issuer: str, keys: Keys) -> str:
    """Install a release of an OrderService alone, whose two pods only some may call."""
    del issuer
    for account in (_LOAD, "leaving", "stranger"):
        namespace.kubectl("create", "serviceaccount", account)
    certificates.store(namespace, "certificate")
    store_keys(namespace, "callers", keys.first, keys.reader)
    file = certificates.folder / "values.yaml"
    file.write_text(yaml.safe_dump(values(namespace)))
    helm("install", NAME, "charts/orders", "--namespace", namespace.name, "--values", str(file))
    namespace.rolled_out(NAME, 90)
    return NAME


def values(namespace: Namespace) -> Object:
    """Return the values of the release."""
    both = ["orders:read", "orders:write"]
    accounts = [
        {"namespace": namespace.name, "name": it, "scopes": both} for it in (_LOAD, "leaving")
    ]
    return {
        "operator": {"enabled": False},
        "orderService": {"name": NAME},
        "database": {"secretRef": {"name": "database"}},
        "replicas": 2,
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}},
        "shutdown": {"delay": "2s"},
        "rollout": _CANARY,
        "tls": {"secretRef": {"name": "certificate"}},
        "cors": {"allowOrigins": [ORIGIN]},
        "auth": {
            "apiKeysSecretRef": {"name": "callers"},
            "serviceAccounts": accounts,
            "jwt": [{"issuer": token_issuer.url(namespace), "audience": "orders"}],
        },
    }


@pytest.fixture(scope="module")
def running(namespace: Namespace, guarded: str) -> Iterator[Load]:
    """Call it without pause as a ServiceAccount, from the first test that asks to the last."""
    url = f"https://{guarded}.{namespace.name}.svc"
    with load(namespace, url, name=_LOAD, rate=20, identity=Identity(_LOAD, "certificate")) as it:
        yield it


@pytest.fixture
def served(running: Load) -> Iterator[Load]:
    """Have it called during the test: nothing is refused, and nothing goes unanswered."""
    yield running
    running.reach(running.report().requests + 20)
    report = running.report()
    assert ([], {}, 0) == (report.failures, report.errors, report.failed)
    assert {"200", "201"} == {*report.statuses}


@pytest.fixture(scope="module")
def asking(namespace: Namespace, running: Load, guarded: str) -> Asking:
    """Ask from the pod of the load."""
    del running
    return Asking(namespace, _LOAD, guarded)


def statuses(answers: list[Answer]) -> set[int]:
    """Return what pods answered."""
    return {it.status for it in answers}


def token(namespace: Namespace, account: str, audience: str = "orders") -> dict[str, str]:
    """Return a token of a ServiceAccount, as Kubernetes makes it for a pod, in its header."""
    made = namespace.kubectl("create", "token", account, f"--audience={audience}")
    return bearer(made.strip())


@pytest.mark.usefixtures("served")
def test_only_who_has_a_key_may_order(asking: Asking, keys: Keys) -> None:
    """201 with one, 401 without or with a wrong one, 403 with one that may only read."""
    assert {201} == statuses(asking.order(key(keys.first.text)))
    assert {200} == statuses(asking.each("GET", "/orders", key(keys.reader.text)))
    answers = asking.order(key(keys.reader.text))
    assert {(403, "insufficient-scope")} == {(it.status, it.problem) for it in answers}
    for headers in ({}, key(keys.second.text)):
        answers = asking.order(headers)
        assert {(401, "unauthorized")} == {(it.status, it.problem) for it in answers}
        assert all("www-authenticate" in it.headers for it in answers)


def test_a_service_account_may_call_by_the_token_of_its_pod(
    namespace: Namespace, asking: Asking, served: Load
) -> None:
    """One that is named, for the audience of orders; another's grants nothing."""
    assert {201} == statuses(asking.order(PROJECTED))
    assert {403} == statuses(asking.order(token(namespace, "stranger")))
    assert {401} == statuses(asking.order(token(namespace, _LOAD, "another")))
    assert served.report().acknowledged


@pytest.mark.usefixtures("served")
def test_an_issuer_in_the_cluster_is_reached_through_the_policy(
    namespace: Namespace, issuer: str, asking: Asking
) -> None:
    """Pods had its keys before they were ready; they reach its port, and none beside it."""
    claims = {"iss": token_issuer.url(namespace)}
    assert {201} == statuses(asking.order(bearer(signer().token(claims=claims))))
    late = claims | {"exp": int(time.time()) - 3600}
    assert {401} == statuses(asking.order(bearer(signer().token(claims=late))))
    assert {401} == statuses(asking.order(bearer(signer(number=1).token(claims=claims))))
    port, other = f"{issuer}:{token_issuer.PORT}", f"{issuer}:{token_issuer.OTHER}"
    free = place(namespace, namespace.get("pod", _LOAD), "load")
    assert {port, other} == reached(free, {port, other})
    pods = [place(namespace, pod, SERVICE) for pod in namespace.pods(NAME)]
    reach_only(pods, {port}, {other})


@pytest.mark.usefixtures("served")
def test_the_api_speaks_tls_and_probes_do_not(namespace: Namespace) -> None:
    """Each pod is asked by plain HTTP whether it is ready, at the port that has no orders."""
    assert (
        f"https://{NAME}.{namespace.name}.svc"
        == namespace.get("orderservice", NAME)["status"]["url"]
    )
    for pod in namespace.pods(NAME):
        place = f"/api/v1/namespaces/{namespace.name}/pods/{pod['metadata']['name']}"
        assert "ok" in namespace.kubectl("get", "--raw", f"{place}:{METRICS_PORT}/proxy/readyz")
        with pytest.raises(CommandError):
            namespace.kubectl("get", "--raw", f"{place}:{HTTP_PORT}/proxy/livez")


@pytest.mark.usefixtures("served")
def test_pages_of_an_origin_that_is_named_may_call(asking: Asking) -> None:
    """Their preflights need no credential, and they may read why they are refused."""
    asked = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    for answer in asking.each("OPTIONS", "/orders", {"origin": ORIGIN, **asked}):
        assert answer.status in (200, 204)
        assert ORIGIN == answer.headers["access-control-allow-origin"]
        assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    for answer in asking.each("OPTIONS", "/orders", {"origin": "https://evil.example", **asked}):
        assert "access-control-allow-origin" not in answer.headers
    for answer in asking.order({"origin": ORIGIN}):
        told = answer.headers["access-control-allow-origin"]
        assert (401, ORIGIN) == (answer.status, told)


@pytest.mark.usefixtures("served")
def test_helm_test_calls_by_a_token_that_the_chart_lets_in(namespace: Namespace) -> None:
    """Over TLS, by the authority in the Secret; its ServiceAccount goes with its pod."""
    told = helm("test", NAME, "--namespace", namespace.name, limit=150)
    assert "Phase:          Succeeded" in told
    left = {it["metadata"]["name"] for it in namespace.every("pods,serviceaccounts")}
    assert [] == [it for it in left if it.endswith("-test")]


def test_a_load_through_the_api_server_has_an_api_key(
    namespace: Namespace, served: Load, keys: Keys, tmp_path: Path
) -> None:
    """`kubectl orders load` needs a kubeconfig and a key; over TLS, too."""
    del served
    file = tmp_path / "key"
    file.write_text(keys.first.text)
    flags = ("--rate", "20", "--duration", "2s", "-o", "json")
    done = orders("load", NAME, "-n", namespace.name, "--api-key-file", str(file), *flags)
    assert (0, "") == (done.status, done.err)
    report = json.loads(done.out)
    assert (40, 0) == (report["succeeded"], report["failed"])


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    "change",
    [
        {"auth": {"apiKeysSecretRef": {"name": "absent"}}},
        {"tls": {"secretRef": {"name": "absent"}}},
    ],
    ids=["keys", "certificate"],
)
def test_without_the_secret_that_is_named_pods_stay(
    namespace: Namespace, asking: Asking, keys: Keys, change: Object
) -> None:
    """The condition names it, nothing begins, and pods go on by the one before."""
    before, declared = uids(namespace.pods(NAME)), namespace.get("orderservice", NAME)["spec"]
    namespace.patch("orderservice", NAME, {"spec": change})
    namespace.told(NAME, "Secret absent does not exist", 20)
    assert "SecretMissing" == namespace.condition(NAME, "Degraded")["reason"]
    assert before == uids(namespace.every_pod(NAME))
    assert {201} == statuses(asking.order(key(keys.first.text)))

    namespace.patch("orderservice", NAME, {"spec": {it: declared[it] for it in change}})
    namespace.rolled_out(NAME, 30)
    assert before == uids(namespace.every_pod(NAME))


@pytest.fixture(scope="module")
def canary(namespace: Namespace, running: Load) -> str:
    """Have a canary that serves, and is held at its first step; its revision."""
    del running
    stable = namespace.rollout(NAME)["revision"]
    env = [{"name": "REQUEST_TIMEOUT", "value": "6s"}]
    namespace.patch("orderservice", NAME, {"spec": {"podTemplate": {"env": env}}})
    namespace.until(lambda: namespace.rollout(NAME)["revision"] != stable, 15, "a new revision")
    revision: str = namespace.rollout(NAME)["revision"]
    namespace.annotate(NAME, pause=revision)
    namespace.wait(f"orderservice/{NAME}", "jsonpath={.status.rollout.phase}=Paused", 60)
    namespace.wait(f"orderservice/{NAME}", "jsonpath={.status.rollout.settledAt}", 90)
    return revision


@pytest.mark.usefixtures("served")
def test_a_canary_is_judged_by_what_it_answers(namespace: Namespace, canary: str) -> None:
    """The operator needs no credential for that: metrics are asked by plain HTTP."""
    passed = "jsonpath={.status.rollout.analysis.verdict}=Passed"
    namespace.wait(f"orderservice/{NAME}", passed, 60)
    found = namespace.rollout(NAME)
    assert canary == found["canary"]
    assert 20 <= found["analysis"]["canary"]["requests"]


class Changed(NamedTuple):
    """When Secrets and spec were changed, what is shown by then, and who was there."""

    at: float
    serial: str
    leaving: dict[str, str]
    pods: set[str]

    def left(self) -> float:
        """Return the seconds in which all pods have to go by it."""
        return REFUSED - (time.monotonic() - self.at)


@pytest.fixture(scope="module")
def changed(
    namespace: Namespace, certificates: Certificates, asking: Asking, keys: Keys, canary: str
) -> Changed:
    """Revoke a key and give a new one, renew the certificate, let a ServiceAccount go."""
    del canary
    before, leaving = uids(namespace.pods(NAME)), token(namespace, "leaving")
    tracks = {it["metadata"]["labels"]["orders.dev/track"] for it in namespace.pods(NAME)}
    assert {"stable", "canary"} == tracks
    assert {201} == statuses(asking.order(leaving))
    auth = namespace.get("orderservice", NAME)["spec"]["auth"]
    stay = [it for it in auth["serviceAccounts"] if it["name"] != "leaving"]
    serial = certificates.store(namespace, "certificate")
    namespace.patch("orderservice", NAME, {"spec": {"auth": {"serviceAccounts": stay}}})
    store_keys(namespace, "callers", keys.second, keys.reader)
    return Changed(time.monotonic(), serial, leaving, before)


@pytest.mark.usefixtures("served")
def test_a_key_that_is_revoked_is_refused_by_all_pods(
    namespace: Namespace, asking: Asking, keys: Keys, changed: Changed
) -> None:
    """Of both tracks, within 120 s; none is replaced, and by then the new one is taken."""
    last = changed.at

    def revoked() -> bool:
        nonlocal last
        found = statuses(asking.order(key(keys.first.text)))
        if found != {401}:
            last = time.monotonic()
        return found == {401}

    namespace.until(revoked, changed.left(), "all pods refuse the key that was revoked")
    print(f"taken for the last time after {last - changed.at:.0f} s")  # noqa: T201
    assert {201} == statuses(asking.order(key(keys.second.text)))
    assert changed.pods == uids(namespace.every_pod(NAME))


@pytest.mark.usefixtures("served")
def test_a_service_account_that_is_let_go_is_refused_by_all_pods(
    namespace: Namespace, asking: Asking, changed: Changed
) -> None:
    """Of both tracks, within 120 s, though its token is good for longer; none is replaced."""
    namespace.until(
        lambda: statuses(asking.order(changed.leaving)) == {403},
        changed.left(),
        "all pods refuse the ServiceAccount",
    )
    assert {201} == statuses(asking.order(PROJECTED))
    assert changed.pods == uids(namespace.every_pod(NAME))


@pytest.mark.usefixtures("served")
def test_a_certificate_that_is_renewed_is_shown_by_the_same_pods(
    namespace: Namespace, asking: Asking, keys: Keys, changed: Changed
) -> None:
    """Of both tracks, within 120 s; no container began again, and no request was refused."""

    def shown() -> bool:
        answers = asking.each("GET", "/orders", key(keys.reader.text))
        return {changed.serial} == {it.serial for it in answers}

    namespace.until(shown, changed.left(), "all pods show the new certificate")
    pods = namespace.every_pod(NAME)
    assert changed.pods == uids(pods)
    assert {0} == {it["restartCount"] for pod in pods for it in pod["status"]["containerStatuses"]}


@pytest.mark.usefixtures("served", "changed")
def test_the_canary_takes_over(
    namespace: Namespace, canary: str, asking: Asking, keys: Keys
) -> None:
    """It goes on where it was held; no request was refused meanwhile."""
    namespace.annotate(NAME)
    namespace.rolled_out(NAME, 120)
    assert canary == namespace.rollout(NAME)["stable"]
    assert {201} == statuses(asking.order(key(keys.second.text)))
    assert {401} == statuses(asking.order(key(keys.first.text)))
