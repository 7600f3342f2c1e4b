"""The OpenAPI document."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from orders import __version__
from orders.http.endpoints import ENDPOINTS
from orders.http.openapi import document

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


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
