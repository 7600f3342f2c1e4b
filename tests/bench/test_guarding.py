"""The service with a token on every request."""

from bench.guarding import GUARDED, guarded, issuing
from bench.measure import Case
from bench.plan import Round
from bench.servers import BY_NAME
from orders.auth import keys
from orders.auth.caller import BEARER, READ, WRITE
from orders.auth.gate import Gate
from orders.auth.issuer import Issuer, Trust


def test_the_token_is_taken() -> None:
    """The gate lets in who has the token, with both scopes, by the file that the server gets."""
    with issuing() as issued:
        server = guarded(BY_NAME["orders"], issued)
        issuer = Issuer(
            Trust(
                issuer=server.environment["AUTH_ISSUER"],
                audience=server.environment["AUTH_AUDIENCE"],
            )
        )
        issuer.keys = keys.read(issued.jwks.read_bytes(), strict=True)
    gate = Gate((BEARER,), lambda _: None)
    gate.issuers[issuer.trust.issuer] = issuer

    caller = gate.caller({"authorization": f"Bearer {server.token}"})

    assert {READ, WRITE} == caller.scopes


def test_it_is_measured_beside_the_service_without() -> None:
    """The same program under another name, in the turns of variants alone."""
    with issuing() as issued:
        server = guarded(BY_NAME["orders"], issued)

    assert (GUARDED, BY_NAME["orders"].command()) == (server.name, server.command())
    assert not Round(0, [Case("read")]).takes(server)
    assert Round(0, [Case("read")], variants=True).takes(server)
