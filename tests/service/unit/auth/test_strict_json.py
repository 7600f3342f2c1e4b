"""JSON that has one meaning."""

import pytest

from orders.auth import strict_json

MOST = strict_json.DEEPEST


@pytest.mark.parametrize(
    "text",
    [
        "[" * MOST + "]" * MOST,
        '{"a":' * MOST + "1" + "}" * MOST,
        f"[{','.join(['[]'] * 200)}]",
        '["' + "[{" * 200 + '", "\\\\", "\\"' + "[" * 200 + '"]',
    ],
    ids=["lists", "objects", "many beside each other", "in texts"],
)
def test_nesting_is_counted_as_it_is(text: str) -> None:
    """What is beside each other, or in a text, is no nesting."""
    assert strict_json.loads(text.encode())


@pytest.mark.parametrize("depth", [MOST + 1, 2000, 100_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
def test_nesting_has_an_end(begin: str, end: str, depth: int) -> None:
    """With every Python alike, whatever its own limits are."""
    with pytest.raises(ValueError, match="nested too deeply"):
        strict_json.loads((begin * depth + "1" + end * depth).encode())
