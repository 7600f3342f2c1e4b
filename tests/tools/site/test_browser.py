"""The built site in a browser, from a folder: search finds, and nothing else is asked for."""

from pathlib import Path

from tests.helpers.browser import needs_chromium, open_page

pytestmark = needs_chromium


async def test_search_finds_a_page_without_a_server(site: Path) -> None:
    """Typing a word offers the pages that have it; a click leads there, by files alone."""
    asked: list[str] = []
    complaints: list[str] = []
    async with open_page() as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        await page.goto((site / "index.html").as_uri())
        await page.keyboard.press("Control+k")
        await page.keyboard.type("OrdersQueueSaturated")
        await page.get_by_role("option", name="OrdersQueueSaturated").first.click()
        await page.wait_for_url("**/runbooks/OrdersQueueSaturated.html*")

    assert [] == complaints
    assert [] == [url for url in asked if not url.startswith((site.as_uri(), "data:", "about:"))]
