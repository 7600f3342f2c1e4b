"""When a certificate that is not replaced is told."""

import time
from functools import partial
from pathlib import Path

import pytest

from orders.config import ServerTls
from orders.http.rotation import Rotation
from tests.certificates import Authority


def test_a_certificate_that_is_not_replaced_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once when a tenth of its time is left, and once when it has run out."""
    mine = Authority(tmp_path).issue("mine", days=10)
    held = Rotation(ServerTls(str(mine.certificate), str(mine.key), "1.2", None), 1.0)
    day = 86_400

    told = []
    for left in (9 * day, 1.1 * day, 0.9 * day, 0.5 * day, -1, -day):
        monkeypatch.setattr(time, "time", partial(float, mine.not_after - left))
        caplog.clear()
        held._tell_age()
        told.append(caplog.messages)
    monkeypatch.undo()

    assert [[], [], [], []] == [told[at] for at in (0, 1, 3, 5)]
    assert [
        "TLS: it runs out and was not replaced: certificate of localhost, 127.0.0.1, until ",
        "TLS: it ran out and was not replaced: certificate of localhost, 127.0.0.1, until ",
    ] == [message[: message.index("until ") + 6] for at in (2, 4) for message in told[at]]
