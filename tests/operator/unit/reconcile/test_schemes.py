"""Where callers are led while pods of both kinds serve."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orders_operator.objects import Object
from orders_operator.reconcile.schemes import schemes
from orders_operator.resources.labels import TRACK
from orders_operator.resources.pod import template
from tests.helpers.operator.specs import service

PLAIN, OVER_TLS = (
    template(service(tls=tls)) for tls in (None, {"secretRef": {"name": "certificate"}})
)
TEMPLATES = {"plain": PLAIN, "tls": OVER_TLS}
SPOKEN = {"plain": "http", "tls": "https"}


def pod(kind: str, track: str = "stable", *, ready: bool = True, going: bool = False) -> Object:
    """Return a pod of a track."""
    metadata: Object = {"labels": {TRACK: track}}
    if going:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    condition = {"type": "Ready", "status": str(ready)}
    return {**TEMPLATES[kind], "metadata": metadata, "status": {"conditions": [condition]}}


def found(stable: str, canary: str | None, *pods: Object, **more: Any) -> Any:
    """Return what a pass finds out of these revisions and pods."""
    known = {name: SimpleNamespace(template=it) for name, it in TEMPLATES.items()}
    used = [TEMPLATES[it] for it in (stable, canary) if it is not None]
    it: Any = SimpleNamespace(
        in_use=(*used, *pods),
        plan=SimpleNamespace(stable=stable, canary=canary),
        known=known,
        service=service(),
        snapshot=SimpleNamespace(pods=pods, unknown=frozenset()),
        **more,
    )
    return it


def test_the_ingress_goes_over_when_half_of_the_pods_that_serve_have() -> None:
    """So that it never leads to none, nor all callers to the first new pod."""
    old = [pod("plain") for _ in range(3)]
    for new, expected in ((0, "http"), (1, "http"), (2, "http"), (3, "https")):
        pods = (*old, *(pod("tls") for _ in range(new)))
        assert expected == schemes(found("tls", None, *pods), None).all
    starting = (*old, *(pod("tls", ready=False) for _ in range(9)))
    assert "http" == schemes(found("tls", None, *starting), None).all
    going = (*(pod("plain", going=True) for _ in range(9)), pod("tls"))
    assert "https" == schemes(found("tls", None, *going), None).all


def test_each_track_is_led_to_by_itself() -> None:
    """A Gateway splits requests between two Services, whose pods may speak differently."""
    pods = (pod("plain"), pod("plain"), pod("tls", "canary"))
    it = schemes(found("plain", "tls", *pods), None)
    assert {"http", "https"} == it.spoken
    assert ("http", "http", "https") == (it.all, it.stable, it.canary)
    before = schemes(found("plain", "tls"), None)
    assert ("http", "https") == (before.stable, before.canary)


def test_ports_stay_while_it_is_not_known_what_runs() -> None:
    """Those that the Service has; none is taken away on suspicion."""
    live = {"spec": {"ports": [{"name": "https"}, {"name": "metrics"}]}}
    it = found("plain", None, pod("plain"))
    assert {"http"} == schemes(it, live).spoken
    it.snapshot.unknown = frozenset({"Pod"})
    assert {"http", "https"} == schemes(it, live).spoken
    it.plan = None
    assert {"http", "https"} == schemes(it, live).spoken


@given(
    st.sampled_from(["plain", "tls"]),
    st.sampled_from([None, "plain", "tls"]),
    st.lists(
        st.builds(
            pod,
            st.sampled_from(["plain", "tls"]),
            st.sampled_from(["stable", "canary"]),
            ready=st.booleans(),
            going=st.booleans(),
        )
    ),
)
def test_nobody_is_led_to_a_port_that_there_is_not(
    stable: str, canary: str | None, pods: list[Object]
) -> None:
    """Whatever runs and whatever is to run."""
    it = schemes(found(stable, canary, *pods), None)
    assert {it.all, it.stable, it.canary} <= it.spoken <= {"http", "https"}
    assert SPOKEN[stable] in it.spoken
