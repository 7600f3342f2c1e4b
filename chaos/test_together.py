"""Claims about several disruptions at once. These tests run last."""

from typing import Final

import pytest

from chaos.catalogue import CHANGES, DISRUPTIONS
from chaos.results import Results
from chaos.sizes import Size

REQUESTS: Final = 100_000


def test_of_all_requests_during_changes_none_failed(found: Results, size: Size) -> None:
    """Of 100,000 at least in the full form; of as many as were asked for in the short one."""
    keys = [it.key for it in DISRUPTIONS if it.group == CHANGES]
    results = [found.found[key] for key in keys if key in found.found]
    if len(results) < len(keys):
        pytest.skip("not every change was tried")

    assert [it.key for it in results if it.failed] == []
    assert min(REQUESTS, size.requests * len(keys)) <= sum(it.requests for it in results)
