"""Files of TLS that are tried, and a certificate that is not replaced."""

import asyncio
import time
from functools import partial
from pathlib import Path

import pytest

from orders.config import ConfigError, ServerTls
from orders.http import certificates
from orders.http.rotation import Rotation
from orders.http.server import Listener, TlsFiles, attempt
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


def test_a_trial_waits_until_its_server_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that takes on a busy machine: one that is left running aborts the process."""
    mine = Authority(tmp_path).issue("mine")
    stop, ended = Listener.stop, []

    def end(listener: Listener) -> None:
        stop(listener)
        ended.append(listener)

    def end_later(listener: Listener) -> None:
        asyncio.get_running_loop().call_later(1.2, end, listener)

    monkeypatch.setattr(Listener, "stop", end_later)
    attempt(TlsFiles(str(mine.certificate), str(mine.key), None, "1.2"))

    assert 1 == len(ended)


def test_a_trial_without_an_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not start, and does not fail either, is an error like any other."""
    mine = Authority(tmp_path).issue("mine")
    monkeypatch.setattr(certificates, "_TRIAL", "import time; time.sleep(60)")
    monkeypatch.setattr(certificates, "_TRIAL_SECONDS", 0.1)

    with pytest.raises(ConfigError, match=r"^TLS_CERT_FILE is .* has not taken it within 0.1 s"):
        certificates.read(ServerTls(str(mine.certificate), str(mine.key), "1.2", None))
