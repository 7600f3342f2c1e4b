"""The URL in the status, by which callers find a service. Pure."""

from typing import TYPE_CHECKING

from orders_operator.resources.schemes import declared

if TYPE_CHECKING:
    from orders_operator.api.spec import OrderServiceSpec


def url(spec: "OrderServiceSpec", namespace: str, name: str) -> str:
    """Return the URL from outside the cluster if a host name exposes it, else the one inside.

    A wildcard host (`*.example.org`) gives no URL.
    """
    ingress, route = spec.expose.ingress, spec.expose.http_route
    scheme, path = "http", "/"
    hosts: tuple[str, ...] = ()
    if ingress is not None:
        scheme = "https" if ingress.tls_secret_name else "http"
        hosts, path = (ingress.host,), ingress.path
    elif route is not None:
        hosts, path = route.hostnames, route.path
    named = next((host for host in hosts if not host.startswith("*")), None)
    return (
        f"{declared(spec)}://{name}.{namespace}.svc"
        if named is None
        else f"{scheme}://{named}{path.rstrip('/')}"
    )
