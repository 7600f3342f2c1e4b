"""The pods: what they may do, what they know, and what rolls them."""

from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from msgspec.structs import replace

from orders_operator import __version__
from orders_operator.api.fields import seconds
from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.database_revision import database_revision
from orders_operator.resources.postgres import secret, stateful_set
from tests.helpers.operator.specs import (
    PASSWORD,
    children,
    pod,
    revision,
    service,
    services,
    variables,
)

CONFIG_HASH = "orders.dev/config-hash"


def templates(declared: OrderService) -> list[Object]:
    """Return the pod templates of the service and of its database."""
    found = children(declared).values()
    return [it["spec"]["template"] for it in found if "template" in it.get("spec", {})]


def containers(template: Object) -> list[Object]:
    """Return the containers of a pod, the init containers too."""
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


@given(services)
def test_probes_go_where_callers_do_not(declared: OrderService) -> None:
    """An API port that has as many connections as it takes fails no probe."""
    [container] = pod(declared)["spec"]["containers"]
    probes = [probe for name, probe in container.items() if name.endswith("Probe")]

    assert ["metrics"] * 3 == [probe["httpGet"]["port"] for probe in probes]


@given(services)
def test_every_pod_keeps_to_the_restricted_standard(declared: OrderService) -> None:
    """No root, no capabilities, no writable root file system, no token; one known exception."""
    for template in templates(declared):
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert {"type": "RuntimeDefault"} == spec["securityContext"]["seccompProfile"]
        for container in containers(template):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert ["ALL"] == context["capabilities"]["drop"]
            if container["name"] == "volume-permissions":
                assert ["CHOWN"] == context["capabilities"]["add"]
            else:
                assert {"allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"} == {
                    *context
                }
                assert "add" not in context["capabilities"]


@given(services)
def test_every_container_is_bounded(declared: OrderService) -> None:
    """Each has a limit for memory and for what it writes to its node's disk."""
    for template in templates(declared):
        for container in containers(template):
            assert {"memory", "ephemeral-storage"} <= container["resources"]["limits"].keys()
        for volume in template["spec"]["volumes"]:
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": ""})


def test_what_is_written_to_disk_is_bounded_whatever_is_asked_for() -> None:
    """Requests without limits leave the limit of the node's disk, unless they speak of it."""

    def resources(**requests: str) -> Object:
        [container] = pod(service(resources={"requests": requests}))["spec"]["containers"]
        found: Object = container["resources"]
        return found

    assert {"ephemeral-storage": "64Mi"} == resources(cpu="1")["limits"]
    assert "limits" not in resources(**{"ephemeral-storage": "1Gi"})


@given(services)
def test_credentials_are_files(declared: OrderService) -> None:
    """No variable has a secret's value, or refers to a Secret of the operator's."""
    for template in templates(declared):
        for container in containers(template):
            for variable in container.get("env", []):
                assert "secretKeyRef" not in variable.get("valueFrom", {})
                assert PASSWORD not in str(variable)


@given(services)
def test_the_operators_version_is_in_no_pod(declared: OrderService) -> None:
    """An upgrade of the operator must not roll the pods of a service."""
    for template in templates(declared):
        assert __version__ not in str(template).replace("orders/service:0.1.0", "")


@given(services)
def test_only_what_a_pod_uses_rolls_it(declared: OrderService) -> None:
    """The log level, pauses, replicas and the like leave the template as it is."""
    spec = declared.spec
    calm = replace(declared, spec=replace(spec, log_level="FATAL", paused=True, replicas=7))
    assert pod(declared) == pod(calm)
    assert revision(declared).hash == revision(calm).hash


@given(services)
def test_a_pod_has_the_time_that_it_needs_to_end(declared: OrderService) -> None:
    """Kubernetes kills it only after the sleep, the delay and the grace period are over."""
    shutdown = declared.spec.shutdown
    delay, grace = seconds(shutdown.delay), seconds(shutdown.grace_period)
    spec = pod(declared)["spec"]
    [container] = spec["containers"]

    assert 2 * delay + grace < spec["terminationGracePeriodSeconds"]
    slept = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    assert delay == slept
    assert shutdown.delay == variables(declared)["SHUTDOWN_DELAY"]


def test_callers_come_back_soon_and_leave_late() -> None:
    """A pod is asked every 2 s whether it is ready, and has 10 s until callers are sent away."""
    [container] = pod(service())["spec"]["containers"]
    probe = container["readinessProbe"]

    assert (2, 10) == (probe["periodSeconds"], probe["periodSeconds"] * probe["failureThreshold"])


@given(services)
def test_migrations_run_in_the_same_image_before(declared: OrderService) -> None:
    """The init container is there if migrations are on, and sees the same database."""
    spec = pod(declared)["spec"]
    [container] = spec["containers"]
    first = spec.get("initContainers", [])

    assert declared.spec.migrations.enabled == bool(first)
    for migrate in first:
        wait = str(seconds(declared.spec.migrations.timeout))
        assert ["migrate", "--wait", wait] == migrate["args"][:3]
        assert container["image"] == migrate["image"]
        assert container["env"] == migrate["env"]
        assert container["volumeMounts"] == migrate["volumeMounts"]
        assert "FallbackToLogsOnError" == migrate["terminationMessagePolicy"]


@pytest.mark.parametrize(
    ("database", "secret", "key"),
    [
        ({"secretRef": {"name": "mine"}}, "mine", "url"),
        ({"secretRef": {"name": "mine", "key": "dsn"}}, "mine", "dsn"),
        ({"cluster": "pg"}, "pg-app", "uri"),
        ({"embedded": {}}, "shop-postgresql", "url"),
    ],
)
def test_the_database_is_a_file(database: Object, secret: str, key: str) -> None:
    """Whichever way it is given, the URL is at one path."""
    declared = service(database=database)
    volume = next(it for it in pod(declared)["spec"]["volumes"] if it["name"] == "database")

    assert secret == volume["secret"]["secretName"]
    assert [{"key": key, "path": "url"}] == volume["secret"]["items"]
    assert "/etc/orders/database/url" == variables(declared)["DATABASE_URL_FILE"]


def test_the_operators_variables_win() -> None:
    """A variable of the spec that the operator sets itself is left out; others come first."""
    env = [{"name": "LOG_FORMAT", "value": "human"}, {"name": "REQUEST_TIMEOUT", "value": "2s"}]
    found = variables(service(podTemplate={"env": env}))

    assert "json" == found["LOG_FORMAT"]
    assert "2s" == found["REQUEST_TIMEOUT"]
    assert "REQUEST_TIMEOUT" == next(iter(found))


def test_tracing_is_variables_and_a_file() -> None:
    """The service is told where spans go, and reads the headers from a Secret."""
    tracing = {
        "endpoint": "http://collector:4318",
        "ratio": 0.25,
        "headersSecretRef": {"name": "token"},
        "resourceAttributes": {"team": "shop, blue"},
    }
    found = variables(service(tracing=tracing))

    assert "http://collector:4318" == found["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert "0.25" == found["OTEL_TRACES_SAMPLER_ARG"]
    assert "/etc/orders/tracing/headers" == found["OTEL_EXPORTER_OTLP_HEADERS_FILE"]
    assert "team=shop%2C%20blue" in found["OTEL_RESOURCE_ATTRIBUTES"]
    off = variables(service(tracing={**tracing, "enabled": False}))
    assert {} == {name: value for name, value in off.items() if name.startswith("OTEL_EXPORTER")}
    assert variables(service()) == off


def test_a_password_is_made_once() -> None:
    """The live Secret's is kept; one without it gets a new one."""
    first = secret(service(), "first", None)

    assert first == secret(service(), "another", first)
    assert first["data"] != secret(service(), "another", {"data": {}})["data"]


@pytest.mark.parametrize("password", ["p@ss/w\u00f6rd: #1?%2F", "from a file\n"])
def test_a_password_that_a_person_sets_is_that_of_the_url(password: str) -> None:
    """Whatever is in it; PostgreSQL leaves the end of the line out, and so does the URL."""
    kept = {"data": {"password": b64encode(password.encode()).decode()}}
    made = secret(service(), "another", kept)

    assert kept["data"]["password"] == made["data"]["password"]
    parts = urlsplit(b64decode(made["data"]["url"]).decode())
    assert password.removesuffix("\n") == unquote(parts.password or "")
    assert ("orders", "shop-postgresql", 5432) == (parts.username, parts.hostname, parts.port)


def test_a_new_password_restarts_the_database() -> None:
    """It takes its password at a start, so one that changes rolls its pod; nothing else does."""

    def database(password: str, **spec: Any) -> Object:
        declared = service(**spec)
        kept = database_revision(declared, None, None)
        assert kept is not None
        return stateful_set(declared, kept, secret(declared, password, None))

    assert database("a") == database("a", replicas=7, logLevel="DEBUG")
    old, new = database("a"), database("b")
    for it in (old, new):
        del it["spec"]["template"]["metadata"]["annotations"][CONFIG_HASH]
    assert old == new
    assert database("a") != database("b")


@pytest.mark.parametrize(
    ("embedded", "expected"),
    [({}, ["postgresql"]), ({"volumePermissions": True}, ["volume-permissions", "postgresql"])],
)
def test_volume_permissions_must_be_asked_for(embedded: Object, expected: list[str]) -> None:
    """Without them the database keeps to the restricted standard, too."""
    declared = service(database={"embedded": embedded})
    template = children(declared)["StatefulSet", "shop-postgresql"]["spec"]["template"]

    assert expected == [it["name"] for it in containers(template)]
