"""No secret leaves the service: in its logs, its listings, its errors, its spans, its answers."""

import os
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from tests.helpers.server import Server, eventually

Start = Callable[..., Server]
ORDER = {"item": "tea", "quantity": 1}
SECRET = "s3cret"


def run(*arguments: str, **environ: str) -> str:
    """Run a command; return all that it prints."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "orders", *arguments],
        env=kept | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout or done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "variable", ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_ZIPKIN_ENDPOINT"]
)
async def test_no_log_has_a_secret(database_url: str, serve: Start, variable: str) -> None:
    """The library tells the URL of a collector that is away: without what is secret in it."""
    parts = urlsplit(database_url)
    netloc = parts.netloc.replace("postgres@", f"postgres:{SECRET}1@")
    server = serve(
        DATABASE_URL=parts._replace(netloc=netloc, query="application_name=shop").geturl(),
        OTEL_EXPORTER_OTLP_HEADERS=f"authorization=Bearer%20{SECRET}2",
        **{variable: f"http://me:{SECRET}3@127.0.0.1:9/?x={SECRET}4"},
        OTEL_BSP_SCHEDULE_DELAY="50",
        LOG_LEVEL="DEBUG",
    )
    async with httpx.AsyncClient() as client:
        await client.post(f"{server.url}/orders", json=ORDER)
        await eventually(lambda: "Connection refused" in server.output())
        verbose = (await client.get(f"{server.url}/readyz?verbose")).text
        metrics = (await client.get(f"{server.metrics_url}/metrics")).text

    assert "***" in server.output()
    assert SECRET not in server.output() + verbose + metrics


def test_no_listing_has_a_secret() -> None:
    """Neither form of `orders config`, whichever variable it got into."""
    environ = {
        "DATABASE_URL": f"postgresql://me:{SECRET}@db/orders",
        "DB_OPTIONS": f"-c app.token={SECRET}",
        "TRACER_URL": f"https://me:{SECRET}@c/v1/traces?x={SECRET}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-team={SECRET}",
        "OTEL_RESOURCE_ATTRIBUTES": f"api.key={SECRET}",
        "APP_NAME": f"shop password={SECRET}",
    }
    for form in ((), ("--json",)):
        shown = run("config", *form, **environ)
        assert "***" in shown
        assert SECRET not in shown


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (("serve",), {"DB_PORT": f"postgresql://me:{SECRET}@db/orders", "DB_HOST": "db"}),
        (("serve",), {"DB_PORT": f"host=db password={SECRET}", "DB_HOST": "db"}),
        (("serve",), {"DB_HOSTADDR": f"me:{SECRET}@db"}),
        (("config",), {"OTEL_TRACES_EXPORTER": f"https://c/?x={SECRET}"}),
        (("config",), {"LOG_LEVEL": f"Bearer {SECRET}"}),
        (("migrate",), {"DATABASE_URL": f"postgresql://me:{SECRET}@127.0.0.1:1/orders"}),
        (("migrate",), {"DATABASE_URL": f"host=127.0.0.1 port=1 password='{SECRET} {SECRET}'"}),
        (("smoke", f"http://me:{SECRET}@127.0.0.1:1"), {}),
        (("smoke", f"ftp://me:{SECRET}@127.0.0.1:1"), {}),
    ],
)
def test_no_error_has_a_secret(arguments: tuple[str, ...], environ: dict[str, str]) -> None:
    """A secret in the wrong place, or a place that is wrong, shows it in no line."""
    assert SECRET not in run(*arguments, **environ)
