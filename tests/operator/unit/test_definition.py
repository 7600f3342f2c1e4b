"""Which release a definition is of, and when it is left as it is."""

from typing import Any

import pytest

from orders_operator import __version__
from orders_operator.api.crd import definition
from orders_operator.definition import newer_release


def of(release: str | None) -> dict[str, Any]:
    """Return a definition with the label of a release."""
    labels = {} if release is None else {"app.kubernetes.io/version": release}
    return {"metadata": {"labels": labels}}


def test_a_definition_names_its_release() -> None:
    """What is applied is labelled with the release that made it."""
    assert __version__ == definition()["metadata"]["labels"]["app.kubernetes.io/version"]


@pytest.mark.parametrize(
    ("found", "wanted", "newer"),
    [
        ("0.2.0", "0.1.0", "0.2.0"),
        ("0.10.0", "0.9.0", "0.10.0"),
        ("1.0.0-rc.1", "0.9.0", "1.0.0-rc.1"),
        ("1.0.0", "1.0.0-rc.1", "1.0.0"),
        ("1.0.0-rc.1", "1.0.0", None),
        ("1.0.0-rc.10", "1.0.0-rc.2", "1.0.0-rc.10"),
        ("0.1.0", "0.1.0", None),
        ("0.1.0", "0.2.0", None),
        (None, "0.1.0", None),
        ("main", "0.1.0", None),
    ],
)
def test_only_that_of_a_newer_release_is_newer(
    found: str | None, wanted: str, newer: str | None
) -> None:
    """The same release may apply again, and what names no release is replaced."""
    assert newer == newer_release(of(found), of(wanted))
