"""Which endpoint's path a request's path is."""

import pytest

from orders.http.routes import Routes

ROUTES = Routes(
    ["/orders", "/orders/{id}", "/orders/batch", "/orders/{id}/cancel", "/orders/all/{page}"]
)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/orders", "/orders"),
        ("/orders/batch", "/orders/batch"),
        ("/orders/5", "/orders/{id}"),
        ("/orders/5/cancel", "/orders/{id}/cancel"),
        ("/orders/all/cancel", "/orders/all/{page}"),
        ("/orders/batch/cancel", None),
        ("/orders/all/2", "/orders/all/{page}"),
        ("/orders/5/refund", None),
        ("/orders/", None),
        ("/orders//cancel", None),
        ("/orders/5/cancel/", None),
        ("/", None),
        ("", None),
    ],
)
def test_a_path_has_the_route_of_its_endpoint(path: str, route: str | None) -> None:
    """Parts may stand anywhere; one that is spelt out goes first, as in Litestar."""
    assert route == ROUTES.of(path)
