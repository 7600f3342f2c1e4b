"""What the operator hears from pods of the real service that run and are not ready."""

from collections.abc import Callable
from typing import Any

from orders_operator.rollout.readiness import answers
from tests.helpers.ports import free_port
from tests.helpers.server import Server

Start = Callable[..., Server]


def pod(server: Server | None, *, ready: bool = False) -> dict[str, Any]:
    """Return the pod that a process would be; of none, one that nobody answers for."""
    port = free_port() if server is None else server.metrics_port
    uid = f"uid-{port}"
    container = {"name": "orders", "ports": [{"name": "metrics", "containerPort": port}]}
    running = {"name": "orders", "ready": ready, "state": {"running": {}}}
    return {
        "metadata": {"name": f"shop-{port}", "uid": uid},
        "spec": {"containers": [container]},
        "status": {"podIP": "127.0.0.1", "containerStatuses": [running]},
    }


async def test_readiness_is_told_in_the_services_words(database_url: str, serve: Start) -> None:
    """Without its database, with it, and where nobody answers; who is ready is not asked."""
    nowhere = f"postgresql://orders:secret@127.0.0.1:{free_port()}/orders"
    unready = pod(serve(DATABASE_URL=nowhere, wait_for="/startupz"))
    well = pod(serve(DATABASE_URL=database_url))
    gone, ready = pod(None), pod(None, ready=True)
    found = await answers([unready, well, gone, ready])

    said = [found.pop(it["metadata"]["uid"]) for it in (unready, well, gone)]
    assert {} == found
    assert "/readyz answers 503: [-]database failed: no answer; the log says why" == said[0]
    assert "/readyz answers the operator with 200" == said[1]
    assert said[2].startswith("/readyz cannot be reached: ")
    assert "secret" not in "".join(said)
