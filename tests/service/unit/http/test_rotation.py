"""Files of TLS that are tried, and a certificate that is not replaced."""

import asyncio
import errno
import os
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from orders.config import ConfigError, ServerTls
from orders.http import certificates, rotation
from orders.http.rotation import Rotation
from orders.http.server import Listener, TlsFiles, attempt
from tests.helpers.certificates import Authority, mount


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
        "TLS: expires soon without a replacement: certificate of localhost, 127.0.0.1, until ",
        "TLS: has expired without a replacement: certificate of localhost, 127.0.0.1, until ",
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

    with pytest.raises(ConfigError, match=r"^TLS_CERT_FILE is .* did not accept it within 0.1 s"):
        certificates.read(ServerTls(str(mine.certificate), str(mine.key), "1.2", None))


@pytest.mark.parametrize(
    "trouble",
    [
        ConfigError("TLS_CERT_FILE is 'x'; the server did not accept it within 60 s"),
        OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
    ],
)
async def test_what_was_refused_is_tried_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: Exception,
) -> None:
    """A machine that had run short of something does not keep a renewed certificate out."""
    authority = Authority(tmp_path)
    mine = mount(tmp_path / "mounted", authority.issue("old"))
    held = Rotation(ServerTls(str(mine.certificate), str(mine.key), "1.2", None), 0.0)
    monkeypatch.setattr(rotation, "PERIOD", 0.0)
    monkeypatch.setattr(rotation, "AGAIN", 0.0)
    read, tries, taken = certificates.read, count(), asyncio.Event()

    def troubled(tls: ServerTls) -> certificates.Certificate:
        if next(tries) < 3:
            raise trouble
        return read(tls)

    class Replaced:
        def replace(self, _: TlsFiles) -> None:
            taken.set()

    monkeypatch.setattr(certificates, "read", troubled)
    mount(tmp_path / "mounted", authority.issue("new"))
    watching = asyncio.ensure_future(held.watch(cast("Listener", Replaced())))
    done, _ = await asyncio.wait(
        [watching, waiting := asyncio.ensure_future(taken.wait())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    watching.cancel()

    assert {waiting} == done
    assert 1 == sum(str(trouble) in message for message in caplog.messages)
