"""The built site: complete, whole, and of one piece that needs no network."""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.helpers.built_page import Document
from tests.helpers.paths import ROOT
from tools.site.__main__ import Refused, build
from tools.site.pages import BrokenLink, Layout


@pytest.fixture(scope="module")
def documents(site: Path) -> dict[Path, Document]:
    """Read every page of the site."""
    return {path: Document(path) for path in sorted(site.rglob("*.html"))}


def leads_somewhere(page: Path, link: str, documents: dict[Path, Document]) -> bool:
    """Say whether a link within the site names a file that is there, and an anchor that is."""
    parts = urlsplit(link)
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    anchor = unquote(parts.fragment)
    if not target.is_file():
        return False
    return not anchor or target not in documents or anchor in documents[target].ids


def test_every_page_of_docs_is_there(site: Path) -> None:
    """Each has a page of its name; README is the first one."""
    docs = ROOT / "docs"
    expected = {path.relative_to(docs).with_suffix(".html") for path in docs.rglob("*.md")}
    expected = {
        path.with_name("index.html") if path.stem == "README" else path for path in expected
    }

    assert set() == {str(path) for path in expected if not (site / path).is_file()}
    assert "A tour of 60 seconds" in (site / "index.html").read_text("utf-8")


def test_links_lead_somewhere(documents: dict[Path, Document]) -> None:
    """Every link within the site names a file that is there, and an anchor that is in it."""
    broken = [
        (page.name, link)
        for page, document in documents.items()
        for link in document.links
        if not urlsplit(link).scheme and not leads_somewhere(page, link, documents)
    ]

    assert [] == broken
    assert 1000 < sum(len(document.links) for document in documents.values())


def test_nothing_is_fetched_from_elsewhere(site: Path, documents: dict[Path, Document]) -> None:
    """Scripts, styles, fonts and images are files of the site."""
    fetched = [(page, url) for page, document in documents.items() for url in document.fetched]
    fetched += [
        (sheet, url)
        for sheet in site.rglob("*.css")
        for url in re.findall(
            r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""", sheet.read_text("utf-8")
        )
    ]
    elsewhere = [
        (page.name, url)
        for page, url in fetched
        if not url.startswith("data:") and not leads_somewhere(page, url, documents)
    ]

    assert [] == elsewhere
    assert any(url.endswith("iframe-worker.js") for _, url in fetched)


def test_pages_show_the_version(documents: dict[Path, Document]) -> None:
    """The head of each page says which release it describes."""
    assert [] == [page.name for page in documents if "Orders 1.2.3" not in page.read_text("utf-8")]


def test_the_api_reference_has_all_of_the_openapi_document(site: Path) -> None:
    """Each operation, parameter, status, kind of problem, schema and field is on the page."""
    document = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    expected = {request for request, _ in operations}
    for _, operation in operations:
        expected |= {operation["summary"], *operation["responses"]}
        expected |= {parameter["name"] for parameter in operation.get("parameters", ())}
        for answer in operation["responses"].values():
            expected |= set(
                answer.get("content", {}).get("application/problem+json", {}).get("examples", {})
            )
    for name, schema in document["components"]["schemas"].items():
        expected |= {name, *schema["properties"]}
    page = re.sub(r"<[^>]*>", "", (site / "api-reference.html").read_text("utf-8"))

    assert set() == {word for word in expected if word not in page}


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    """The message names the page and the link."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("[on](docs/absent.md#there)")

    with pytest.raises(BrokenLink, match=r"README\.md links to docs/absent\.md#there, which is"):
        Layout(tmp_path, tmp_path / "pages").write()


def test_a_page_outside_the_navigation_is_refused(tmp_path: Path) -> None:
    """Whoever adds a page says where readers find it."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# Orders")
    (tmp_path / "docs" / "openapi.json").write_text((ROOT / "docs/openapi.json").read_text())
    (tmp_path / "docs" / "lost.md").write_text("# Lost")

    with pytest.raises(Refused, match=r"Not in the navigation .*: lost\.md"):
        build(tmp_path / "build", "1.2.3", root=tmp_path)
