"""Ports that have to be replaced before anything can be applied."""

from orders_operator.objects import Object
from orders_operator.reconcile.moved_ports import port_patch

HTTP = {"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8000}
METRICS = {"name": "metrics", "port": 2121, "protocol": "TCP", "targetPort": 2121}
VERSION = {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}


def service(*ports: Object) -> Object:
    """Return a Service as the API server gives it."""
    return {"kind": "Service", "metadata": {"resourceVersion": "7"}, "spec": {"ports": [*ports]}}


def test_a_port_that_was_moved_is_replaced_in_its_place() -> None:
    """By one of its name, as long as the object is as it was read."""
    live = service(METRICS, HTTP | {"port": 81, "targetPort": 81})
    change = {"op": "replace", "path": "/spec/ports/1", "value": HTTP}
    assert [VERSION, change] == port_patch(service(HTTP, METRICS), live)


def test_what_an_apply_can_set_right_is_left_to_it() -> None:
    """A port that is gone, one that was added, and one that leads elsewhere."""
    added = {"name": "admin", "port": 9000, "protocol": "TCP"}
    lives = [service(METRICS), service(HTTP, METRICS, added), service(HTTP | {"targetPort": 1})]
    assert [[]] * 3 == [port_patch(service(HTTP, METRICS), live) for live in lives]


def test_a_container_is_known_by_its_name() -> None:
    """A sidecar that stands first, with ports of the same names, is not touched."""
    ours = {"name": "orders", "ports": [{"name": "http", "containerPort": 8000}]}
    moved = {"name": "orders", "ports": [{"name": "http", "containerPort": 8001}]}
    proxy = {"name": "proxy", "ports": [{"name": "http", "containerPort": 15000}]}
    metadata = {"resourceVersion": "7"}
    live = {"metadata": metadata, "spec": {"containers": [proxy, moved]}}
    change = {"op": "replace", "path": "/spec/containers/1/ports/0", "value": ours["ports"][0]}
    assert [VERSION, change] == port_patch({"spec": {"containers": [ours]}}, live)
