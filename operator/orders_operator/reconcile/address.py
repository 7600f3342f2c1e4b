"""Where callers find a service: the URL in its status. Pure."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orders_operator.api.spec import OrderServiceSpec


def url(spec: "OrderServiceSpec", namespace: str, name: str) -> str:
    """Return the URL outside the cluster if it is exposed, else the one inside."""
    expose = spec.expose
    if expose.ingress is not None:
        scheme = "https" if expose.ingress.tls_secret_name else "http"
        return f"{scheme}://{expose.ingress.host}{expose.ingress.path.rstrip('/')}"
    if expose.http_route is not None and expose.http_route.hostnames:
        return f"http://{expose.http_route.hostnames[0]}{expose.http_route.path.rstrip('/')}"
    return f"http://{name}.{namespace}.svc"
