"""The OpenAPI document."""

import json
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from orders import __version__
from orders.http.endpoints import ENDPOINTS
from orders.http.openapi import document
from tests.helpers.paths import ROOT

COMMITTED = ROOT / "docs" / "openapi.json"

ABSENT = "/orders/0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"
JSON = {"content-type": "application/json"}
ORDER = '{"item": "a", "quantity": 1}'


@pytest.fixture(scope="module")
def openapi() -> Any:
    """Parse the document."""
    return json.loads(document())


def test_the_committed_document_is_the_generated_one() -> None:
    """`docs/openapi.json` is what the code says now; `orders openapi` writes it."""
    assert COMMITTED.read_bytes() == document()


def test_the_document_is_valid(openapi: Any) -> None:
    """The document follows the OpenAPI 3.1 specification."""
    assert [] == list(OpenAPIV31SpecValidator(openapi).iter_errors())
    assert "3.1.0" == openapi["openapi"]
    assert __version__ == openapi["info"]["version"]


def test_every_endpoint_is_documented(openapi: Any) -> None:
    """The document has every endpoint and nothing else."""
    found = {(method.upper(), path) for path, item in openapi["paths"].items() for method in item}

    assert {(endpoint.method, endpoint.path) for endpoint in ENDPOINTS} == found


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_every_problem_of_an_endpoint_is_documented(openapi: Any, endpoint: Any) -> None:
    """Each status has its problems' types and an example of each."""
    responses = openapi["paths"][endpoint.path][endpoint.method.lower()]["responses"]

    for problem in endpoint.problems:
        media = responses[str(problem.status)]["content"]["application/problem+json"]
        example = media["examples"][problem.name]["value"]
        narrowed = media["schema"]["allOf"][1]["properties"]
        assert example["type"] in narrowed["type"]["enum"]
        assert example["type"].endswith(problem.name)
        assert example["status"] == narrowed["status"]["const"] == problem.status


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "problem"),
    [
        ("GET", ABSENT, {"accept": "text/html"}, "", "not-acceptable"),
        ("GET", ABSENT, {}, "", "order-not-found"),
        ("GET", "/orders?limit=101", {}, "", "invalid-request"),
        ("POST", "/orders", {"content-type": "text/plain"}, "a", "unsupported-media-type"),
        ("POST", "/orders", JSON, "1" * 65_537, "content-too-large"),
        ("POST", "/orders/batch", JSON, "1" * 1_048_577, "content-too-large"),
        ("POST", "/orders", JSON, '{"item": "a", "quantity": 0}', "invalid-request"),
        (
            "POST",
            "/orders",
            JSON | {"idempotency-key": "k" * 300},
            ORDER,
            "malformed-idempotency-key",
        ),
        ("POST", "/orders", JSON | {"if-none-match": "*"}, ORDER, "precondition-failed"),
    ],
)
async def test_an_example_is_what_the_service_answers(  # noqa: PLR0913  a request
    client: httpx.AsyncClient,
    openapi: Any,
    method: str,
    path: str,
    headers: dict[str, str],
    body: str,
    problem: str,
) -> None:
    """Title, detail and errors of an example are those of a request that fails in this way."""
    answer = await client.request(method, path, headers=headers, content=body)

    name = path.partition("?")[0].replace(ABSENT, "/orders/{id}")
    responses = openapi["paths"][name][method.lower()]["responses"]
    examples = responses[str(answer.status_code)]["content"]["application/problem+json"][
        "examples"
    ]
    keys = ("type", "title", "status", "detail", "errors")
    found, shown = answer.json(), examples[problem]["value"]
    assert [shown.get(key) for key in keys] == [found.get(key) for key in keys]


def test_unknown_fields_are_documented_as_refused(openapi: Any) -> None:
    """The schema of an order that is sent allows no further fields."""
    assert openapi["components"]["schemas"]["NewOrder"]["additionalProperties"] is False


def test_a_created_order_links_to_reading_it(openapi: Any) -> None:
    """The id in the answer is the parameter of the operation that reads."""
    link = openapi["paths"]["/orders"]["post"]["responses"]["201"]["links"]["ReadOrder"]

    assert ("readOrder", {"id": "$response.body#/id"}) == (link["operationId"], link["parameters"])


@pytest.mark.parametrize(
    "path", ["/schema/openapi.json", "/openapi.json", "/.well-known/openapi.json"]
)
async def test_the_document_is_served(client: httpx.AsyncClient, path: str) -> None:
    """The document is where Litestar, FastAPI and GoFr have it."""
    response = await client.get(path)

    assert "application/json" == response.headers["content-type"]
    assert document() == response.content
