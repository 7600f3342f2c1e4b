"""The docs page in headless Chromium: from the real server, with no internet."""

import shutil
from collections.abc import AsyncIterator, Callable

import pytest
from playwright.async_api import Page, async_playwright

from tests.server import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed; Debian has it as `chromium`"
)


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """Open a page of a fresh browser."""
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS) as browser,
        await browser.new_page() as opened,
    ):
        yield opened


async def test_an_order_can_be_created_from_the_page(
    database_url: str, serve: Callable[..., Server], page: Page
) -> None:
    """Trying POST /orders out shows 201 and the order; no request leaves the origin."""
    server = serve(DATABASE_URL=database_url)
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    await page.goto(server.url)
    operation = page.locator("#operations-orders-createOrder")
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table tbody")
    status = await answer.locator(".response-col_status").first.inner_text()
    body = await answer.locator("pre").first.inner_text()

    assert "Orders API" == await page.title()
    assert "201" == status.split()[0]
    assert '"item": "espresso beans, 1 kg"' in body
    assert [] == complaints
    assert f"{server.url}/orders" in asked
    assert [] == [url for url in asked if not url.startswith((f"{server.url}/", "data:", "blob:"))]
