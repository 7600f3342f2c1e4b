"""The credential of a load, as it is in a file."""

from pathlib import Path

import pytest

from orders_operator.load.credential import Credential, word
from orders_operator.load.ledger import Entry, Order
from orders_operator.load.requests import Requests

ORDER = Order("run-7", "load run-7", 8)
ENTRY = Entry("0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d", "run-7", "load run-7", 8, 0.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a file with a credential."""
    path = tmp_path / "credential"
    path.write_text("abc.def\n")
    return path


@pytest.mark.parametrize(
    "content", ["", " \n", "two words", "caf\u00e9", "a\r\nHost: b", "a" * 16_001]
)
def test_a_credential_is_one_word(file: Path, content: str) -> None:
    """So nothing in a file adds a header; and what is in it is not told."""
    file.write_bytes(content.encode())
    with pytest.raises(ValueError, match=r"^\S*credential$"):
        word(file)


def test_each_request_has_it(file: Path) -> None:
    """In the head, a line by itself; none without a file."""
    requests = Requests("http://orders", Credential(file))
    for content in (
        requests.create(ORDER, fresh=False).content,
        requests.read(ENTRY, fresh=True).content,
    ):
        assert b"X-Api-Key: abc.def" in content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    bearer = Requests("http://orders", Credential(token_file=file)).read(ENTRY, fresh=False)
    assert b"\r\nAuthorization: Bearer abc.def\r\n\r\n" in bearer.content
    assert "" == Credential().line()


def test_a_token_that_is_replaced_is_followed(file: Path) -> None:
    """Within 10 s; while the file cannot be read, what was read before goes on."""
    now = [0.0]
    credential = Credential(token_file=file, clock=lambda: now[0])
    first = credential.line()
    file.write_text("other")
    assert first == credential.line()
    now[0] = 10.0
    assert "Authorization: Bearer other\r\n" == credential.line()
    file.unlink()
    now[0] = 20.0
    assert "Authorization: Bearer other\r\n" == credential.line()
    with pytest.raises(ValueError, match="credential"):
        Credential(file).line()
