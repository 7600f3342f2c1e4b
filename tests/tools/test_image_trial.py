"""The commands that are tried while an image is built."""

import sys
from pathlib import Path

import pytest

from tools.image.plan import Run
from tools.image.trial import repeat


def test_a_server_that_ends_is_quoted() -> None:
    """Where nothing answers, the error has what the command said last."""
    run = Run(["-c", "echo port 8000 is in use >&2; exit 3"], requests=["GET http://127.0.0.1:1/"])

    with pytest.raises(RuntimeError, match="no answer to GET") as raised:
        repeat(Path("/bin/sh"), Path(), [run])

    assert raised.value.__notes__ == ["port 8000 is in use\n"]


def test_a_server_is_asked_on_a_port_that_nobody_has(tmp_path: Path) -> None:
    """Whatever listens on the usual ones: the variable and the request have another one."""
    server = tmp_path / "serve"
    server.write_text(
        "import http.server, os, sys\n"
        "port = int(os.environ['HTTP_PORT'])\n"
        "http.server.HTTPServer(('', port), http.server.SimpleHTTPRequestHandler).serve_forever()"
    )
    url = "http://127.0.0.1:{HTTP_PORT}/none"
    run = Run([server.name], ports=["HTTP_PORT"], requests=[f"GET {url}"])

    [outcome] = repeat(Path(sys.executable), tmp_path, [run])

    assert [404] == outcome.answers
