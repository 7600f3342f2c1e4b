"""The docs page in headless Chromium: from the real server, with no internet."""

from collections.abc import AsyncIterator, Callable

import pytest
from playwright.async_api import Page, Request, Route

from tests.helpers.browser import needs_chromium, open_page
from tests.helpers.server import Server

pytestmark = needs_chromium


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """Open a page of a fresh browser."""
    async with open_page() as opened:
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


SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}


async def secured(route: Route) -> None:
    """Answer with the OpenAPI document as it is where credentials are asked for."""
    answer = await route.fetch()
    document = await answer.json()
    document["components"]["securitySchemes"] = SCHEMES
    document["security"] = [{name: []} for name in SCHEMES]
    await route.fulfill(response=answer, json=document)


@pytest.mark.parametrize(
    ("scheme", "typed", "sent"),
    [
        ("bearer", "e.y.J", ("authorization", "Bearer e.y.J")),
        ("key", "made-up", ("x-api-key", "made-up")),
    ],
)
async def test_authorize_sends_a_credential(
    server: Server, page: Page, scheme: str, typed: str, sent: tuple[str, str]
) -> None:
    """What is typed under Authorize goes with the requests that are tried out."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.route("**/schema/openapi.json", secured)
    asked: list[Request] = []

    def note(request: Request) -> None:
        asked.append(request)

    page.on("request", note)

    await page.goto(f"{server.url}/docs")
    await page.locator(".auth-wrapper").get_by_role("button", name="Authorize").click()
    form = page.locator(".auth-container", has_text=f"{scheme} (")
    await form.locator("input").fill(typed)
    await form.get_by_role("button", name="Apply credentials").click()
    await form.get_by_role("button", name="Remove authorization").wait_for()
    await page.locator(".modal-ux-header button").click()
    operation = page.locator("#operations-orders-listOrders")
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_role("button", name="Execute").click()
    await operation.locator(".live-responses-table tbody").wait_for()
    [request] = [request for request in asked if "/orders" in request.url]

    name, value = sent
    assert value == await request.header_value(name)
    assert [] == complaints


async def test_without_a_need_for_credentials_none_are_asked_for(
    server: Server, page: Page
) -> None:
    """Where the API is open there is no button that would promise otherwise."""
    await page.goto(f"{server.url}/docs")
    await page.locator("#operations-orders-listOrders").wait_for()

    assert 0 == await page.get_by_role("button", name="Authorize").count()


async def unprotected(route: Route) -> None:
    """Answer with the page as if it had no policy."""
    answer = await route.fetch()
    headers = {n: v for n, v in answer.headers.items() if n != "content-security-policy"}
    await route.fulfill(response=answer, headers=headers)


@pytest.mark.parametrize("protected", [True, False], ids=["as it is", "without its policy"])
async def test_no_other_page_can_frame_it(
    server: Server,
    page: Page,
    protected: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """A page that would lay itself over the buttons gets an error in its frame, by the policy."""
    docs = f"{server.url}/docs"
    if not protected:
        await page.route(docs, unprotected)
    await page.route(
        "http://elsewhere.test/",
        lambda route: route.fulfill(
            content_type="text/html", body=f'<iframe src="{docs}"></iframe>'
        ),
    )

    await page.goto("http://elsewhere.test/")
    _, frame = page.frames

    assert frame.url == ("chrome-error://chromewebdata/" if protected else docs)
