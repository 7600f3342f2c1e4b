"""`spec.cors` as the service's variables."""

from orders_operator.resources.declaration import declaration
from tests.helpers.operator.specs import revision, service, variables

ORIGIN = "https://shop.example.com"


def test_what_is_declared_is_a_variable() -> None:
    """Lists are separated by commas; what is left out is left to the service."""
    cors = {
        "allowOrigins": [ORIGIN, "http://localhost:3000"],
        "allowCredentials": True,
        "allowHeaders": ["authorization", "x-team"],
        "exposeHeaders": ["etag"],
        "maxAge": "1h",
    }
    found = variables(service(cors=cors))
    assert {
        "CORS_ALLOW_ORIGINS": f"{ORIGIN}, http://localhost:3000",
        "CORS_ALLOW_CREDENTIALS": "true",
        "CORS_ALLOW_HEADERS": "authorization, x-team",
        "CORS_EXPOSE_HEADERS": "etag",
        "CORS_MAX_AGE": "1h",
    } == {name: value for name, value in found.items() if name.startswith("CORS_")}
    least = variables(service(cors={"allowOrigins": ["*"]}))
    assert ["*"] == [value for name, value in least.items() if name.startswith("CORS_")]


def test_it_is_off_unless_it_is_declared() -> None:
    """No pod has a variable of it, and no revision of before is another one."""
    assert [] == [name for name in variables(service()) if name.startswith("CORS_")]
    assert declaration(service()).cors is None
    assert revision(service()).hash != revision(service(cors={"allowOrigins": [ORIGIN]})).hash
