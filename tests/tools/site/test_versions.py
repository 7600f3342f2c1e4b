"""Sites of several releases beside each other, as the workflow publishes them."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.helpers.browser import needs_chromium, open_page
from tests.helpers.paths import ROOT
from tools.site.__main__ import build
from tools.site.versions import NoVersion, publish


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Make a site of one page."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("one page")
    return site


def offered(published: Path) -> list[tuple[str, list[str]]]:
    """Return what pages offer: versions, in their order, with their aliases."""
    entries = json.loads((published / "versions.json").read_text())
    return [(entry["version"], entry["aliases"]) for entry in entries]


def test_the_newest_release_is_first(page: Path, tmp_path: Path) -> None:
    """Releases are ordered by number, whatever is published last; what is not released ends it."""
    published = tmp_path / "published"
    for version in ("0.9.0", "0.10.0", "main", "0.9.1"):
        publish(page, published, version)

    assert [("0.10.0", ["latest"]), ("0.9.1", []), ("0.9.0", []), ("main", [])] == offered(
        published
    )
    assert "url=0.10.0/index.html" in (published / "index.html").read_text()


def test_before_the_first_release_the_first_page_leads_to_main(page: Path, tmp_path: Path) -> None:
    """There is a page from the first push on."""
    publish(page, tmp_path / "published", "main")

    assert "url=main/index.html" in (tmp_path / "published" / "index.html").read_text()


def test_a_version_that_is_published_again_is_replaced(page: Path, tmp_path: Path) -> None:
    """A page that is gone from it is gone; other versions stay as they are."""
    published = tmp_path / "published"
    (page / "gone.html").touch()
    publish(page, published, "0.1.0")
    publish(page, published, "main")
    (page / "gone.html").unlink()
    publish(page, published, "main")

    assert (published / "0.1.0" / "gone.html").exists()
    assert not (published / "main" / "gone.html").exists()


@pytest.mark.parametrize("version", ["v0.1.0", "0.1", "../0.1.0", ""])
def test_a_name_that_is_no_version_is_refused(page: Path, tmp_path: Path, version: str) -> None:
    """Nothing is written outside the folder, and no folder is made that nobody finds."""
    with pytest.raises(NoVersion, match=r"allowed: a release such as 1\.2\.3, or main"):
        publish(page, tmp_path / "published", version)

    assert not (tmp_path / "published").exists()


def test_each_push_adds_a_version_to_the_branch(page: Path, tmp_path: Path) -> None:
    """The first one makes the branch, the next keeps what is there, the same again is nothing."""
    repository = tmp_path / "repository"
    git("init", "--quiet", "--bare", repository)
    said = [push(page, version, repository) for version in ("main", "0.1.0", "0.1.0")]
    files = git("-C", repository, "ls-tree", "-r", "--name-only", "gh-pages").split()

    assert ["", "", "The docs of 0.1.0 are published already\n"] == said
    assert {
        ".nojekyll",
        "0.1.0/index.html",
        "index.html",
        "main/index.html",
        "versions.json",
    } == set(files)


def git(*arguments: str | Path) -> str:
    """Run git; return what it prints."""
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout


def push(site: Path, version: str, repository: Path) -> str:
    """Publish a site as the workflow does; return what it says."""
    return subprocess.run(
        [ROOT / "tools" / "site" / "push", site, version, repository],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on the loopback interface; its URL."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@needs_chromium
async def test_a_page_leads_to_other_versions(tmp_path: Path) -> None:
    """The list in the head of a page has both releases; choosing one shows it."""
    published = tmp_path / "published"
    for version in ("0.1.0", "0.2.0"):
        publish(build(tmp_path / version, version, selector=True), published, version)
    with served(published) as url:
        async with open_page() as page:
            await page.goto(url)
            await page.wait_for_url("**/0.2.0/index.html")
            await page.goto(f"{url}/0.2.0/tutorial.html")
            await page.locator(".md-version__current").focus()
            await page.locator(".md-version__link", has_text="0.1.0").click()
            await page.wait_for_url("**/0.1.0/**")
            title = await page.title()

    assert title.endswith("Orders 0.1.0")
