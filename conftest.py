"""What every test needs: those of tests/ and of chaos/."""

import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_event_loop() -> None:
    """Say that there is none: looptime asks in every test, which else makes one for good."""
    asyncio.set_event_loop(None)
