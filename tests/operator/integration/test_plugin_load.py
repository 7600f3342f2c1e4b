"""`kubectl orders load --url`: a real service, and no cluster."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from orders_operator.load.report import Report
from tests.helpers.server import Server

PROGRAM = Path(sys.executable).with_name("kubectl-orders")


def test_a_program_gets_the_report(server: Server) -> None:
    """`-o json` prints what became of the requests, and nothing else; no kubeconfig is needed."""
    flags = ("--url", server.url, "--rate", "40", "--duration", "1s", "-o", "json")
    done = subprocess.run(
        [PROGRAM, "load", "orders", *flags],
        env={**os.environ, "KUBECONFIG": "/nothing"},
        capture_output=True,
        timeout=30,
        check=True,
    )
    report = msgspec.json.decode(done.stdout, type=Report)

    assert (40, 0, b"") == (report.succeeded, report.failed, done.stderr)


def test_a_person_sees_it_live_and_ends_it(server: Server) -> None:
    """The screen is drawn while requests are sent; after Ctrl-C it says what they came to."""
    reads, writes = pty.openpty()
    flags = ("--url", server.url, "--rate", "40", "--duration", "none")
    with subprocess.Popen(
        [PROGRAM, "load", "orders", *flags],
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "40"},
        stdin=writes,
        stdout=writes,
        stderr=writes,
        start_new_session=True,
    ) as process:
        os.close(writes)
        seen = ""
        deadline = time.monotonic() + 20
        while not re.search(r"201 \d+", seen):
            assert time.monotonic() < deadline, seen
            seen += os.read(reads, 65536).decode()
        process.send_signal(signal.SIGINT)
        while "ended" not in seen:
            assert time.monotonic() < deadline, seen
            seen += os.read(reads, 65536).decode()
        status = process.wait(20)
        os.close(reads)

    assert 0 == status
    assert "40 requests a second" in seen
    assert "0 (0.00 %)" in seen
    assert "Traceback" not in seen
