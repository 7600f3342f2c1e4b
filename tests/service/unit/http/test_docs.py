"""The files of the docs page: what is vendored, and how it is sent."""

import gzip
import json
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from orders.http.docs import STATIC

MANIFEST = json.loads((STATIC / "swagger-ui.json").read_text())


def contents(path: Path) -> bytes:
    """Return a vendored file as it was published."""
    packed = path.with_name(f"{path.name}.gz")
    return gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()


@pytest.mark.parametrize(("name", "digest"), MANIFEST["sha256"].items())
def test_vendored_files_are_as_published(name: str, digest: str) -> None:
    """A vendored file has the digest that the manifest names."""
    assert digest == sha256(contents(STATIC / name)).hexdigest()


def test_vendored_files_bring_their_licences() -> None:
    """The licences of Swagger UI and of what it bundles are beside it."""
    assert "Apache-2.0" == MANIFEST["license"]
    assert "Apache License" in (STATIC / "swagger-ui.LICENSE").read_text()
    assert "swagger-ui" in (STATIC / "swagger-ui.NOTICE").read_text()
    assert "license" in (STATIC / "swagger-ui-bundle.js.LICENSE.txt").read_text().lower()


async def test_the_page_names_its_files_by_digest(client: httpx.AsyncClient) -> None:
    """Each file of the page is served under the address in it, to be kept for ever."""
    page = (await client.get("/docs")).text
    paths = [part.partition('"')[0] for part in page.split('="docs/')[1:]]

    assert 4 == len(paths)
    for path in paths:
        response = await client.get(f"/docs/{path}")
        assert 200 == response.status_code
        assert "immutable" in response.headers["cache-control"]


async def test_the_page_forbids_what_is_not_ours(client: httpx.AsyncClient) -> None:
    """The content security policy allows this origin's files and nothing inline."""
    policy = (await client.get("/docs")).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip", "gzip"), ("identity", None), ("gzip;q=0, *", None), ("gzip;q=nan", "gzip")],
)
async def test_files_are_compressed_for_those_who_take_it(
    client: httpx.AsyncClient, accepted: str, encoding: str | None
) -> None:
    """Whether compressed or not, the bytes are the file's."""
    response = await client.get(
        "/docs/swagger-ui-bundle.js", headers={"accept-encoding": accepted}
    )

    assert encoding == response.headers.get("content-encoding")
    assert contents(STATIC / "swagger-ui-bundle.js") == response.content
    assert "text/javascript; charset=utf-8" == response.headers["content-type"]


@pytest.mark.parametrize("path", ["/docs", "/docs/swagger-ui.css", "/schema/openapi.json"])
async def test_a_file_the_caller_has_is_not_sent_again(
    client: httpx.AsyncClient, path: str
) -> None:
    """A file without its digest in the address is asked for again, and answered with 304."""
    first = await client.get(path)
    again = await client.get(path, headers={"if-none-match": first.headers["etag"]})

    assert "no-cache" == first.headers["cache-control"]
    assert (304, b"") == (again.status_code, again.content)


@pytest.mark.parametrize("path", ["/", "/.well-known/swagger"])
async def test_the_bare_address_leads_to_the_page(client: httpx.AsyncClient, path: str) -> None:
    """A browser finds the page without knowing where it is."""
    response = await client.get(path)

    assert (307, "/docs") == (response.status_code, response.headers["location"])


@pytest.mark.parametrize("name", ["docs.html", "nothing", "swagger-ui.json", "..%2Fapp.py"])
async def test_other_files_are_not_served(client: httpx.AsyncClient, name: str) -> None:
    """Only the files that the page needs are there."""
    assert 404 == (await client.get(f"/docs/{name}")).status_code
