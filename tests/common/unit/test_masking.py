"""What is masked of a text, and what is not: as little as possible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.auth.api_keys import new_key
from orders.config import Config
from orders_common.masking import Secrets, masked, masked_value
from tests.helpers.environment import PASSWORD, in_force


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me:s3cret@host/orders",
        "postgresql://me:s3cret/s3cret@s3cret@host/orders",
        "cannot reach http://me:s3cret@c:4318/v1/traces: refused",
        "me:s3cret@host",
        "host=db password=s3cret dbname=orders",
        "host=db password = 's3cret s3cret' dbname=orders",
        "password='s3cret",
        "jdbc:postgresql://db/orders?user=me&password=s3cret",
        "url=postgresql://db/orders?password=s3cret",
        "Max retries exceeded with url: /v1/traces?api_key=s3cret (Caused by nothing)",
        "authorization=Bearer%20s3cret,team=tea",
        "{'Authorization': 'Bearer s3cret'}",
        "Authorization: Basic s3cret",
        "-c app.token=s3cret -c work_mem=1MB",
        "X-Honeycomb-Api-Key=s3cret",
        "no key for eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzM2NyZXQifQ.s3cret-s3cret_",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    """In a URL, a connection string, a header, a query: wherever it stands."""
    assert "s3cret" not in masked(text)
    assert "***" in masked(text)


def test_an_api_key_is_masked_wherever_it_stands() -> None:
    """In a path, as a user agent, behind any name: it is known by its form."""
    key = new_key()
    for text in (f"/orders/{key}", f"shop/1 {key}", f"X-Api-Key: {key}", f"limit=7&k={key}&after"):
        assert text.replace(key, "***") == masked(text)

    for text in (f"/{key}x", f"a{key}", key[:-1], "orders_total"):
        assert text == masked(text)


@pytest.mark.parametrize(
    "text",
    [
        'cannot connect to db:5432/orders: password authentication failed for user "me"',
        "basic authentication failed",
        "listening on ::, port 8000",
        "GET http://127.0.0.1:8000/orders?limit=1",
        "mail me@example.org at 10:00",
        "DB_PASSWORD is a secret; allowed: UTF-8 text without NUL",
        "team=tea,k8s.pod.name=orders-1",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    """A message is of no use without its words."""
    assert text == masked(text)


def test_the_query_of_a_url_may_be_a_key() -> None:
    """Of a variable's URL the whole query is masked, whatever its parameters are called."""
    config = Config.from_env({"TRACER_URL": "https://c/v1/traces?x=s3cret"})

    assert ("https://c/v1/traces?***", "environment") == in_force(config)["TRACER_URL"]
    assert "s3cret" not in repr(config)


@given(st.text(st.characters(exclude_characters="\0"), min_size=4, max_size=40))
def test_the_password_is_masked_in_any_text(password: str) -> None:
    """As it is, in Python's quotes, and as a URL has it."""
    config = Config.from_env({"DB_HOST": "db", "DB_PASSWORD": password, "DB_USER": "somebody"})
    mask = config.secrets().masked

    for text in (f"it is {password}", f"it is {password!r}", config.needed_database().dsn):
        assert password not in mask(text) or password in mask(text.replace(password, ""))


def test_every_secret_of_the_configuration_is_known() -> None:
    """The password, headers and what the collector's URL has, without their names beside them."""
    config = Config.from_env(
        {
            "DB_HOST": "db",
            "DB_PASSWORD": PASSWORD,
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20t0ken,x-team=t3am",
            "TRACER_URL": "https://me:k%2Fey1@c/v1/traces?x=qu3ry",
        }
    )
    text = config.secrets().masked(f"{PASSWORD} and t0ken, t3am; k/ey1! qu3ry")

    assert "*** and ***, ***; ***! ***" == text


def test_what_may_be_shown_stays() -> None:
    """A password that is also the name of the role hides nothing, and no part of a word is one."""
    assert "role postgres" == Secrets(["postgres"], ["postgres"]).masked("role postgres")
    assert "7 orders" == Secrets(["order"]).masked("7 orders")
    assert "a cat" == Secrets(["cat"]).masked("a cat")


@pytest.mark.parametrize(
    "part",
    [
        "a.b-c",
        "x:",
        "a=b ",
        "a://",
        "basic%20",
        "password=",
        "api.key",
        "a:b,",
        "'",
        "@",
        "eyJabcdefgh ",
        "eyJ",
        "eyJa.",
        "orders_",
        "eyJabcdefgh.abcdefgh ",
    ],
)
def test_a_long_text_costs_little(part: str) -> None:
    """Callers choose parts of what is logged; were it not linear, this would take minutes."""
    text = part * (200_000 // len(part))

    assert masked(text)
    assert masked_value(text)
