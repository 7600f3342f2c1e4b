"""The docs site, built once as `make docs` builds it."""

from pathlib import Path

import pytest

from tools.site.__main__ import build


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; where its pages are."""
    return build(tmp_path_factory.mktemp("docs") / "build", "1.2.3")
