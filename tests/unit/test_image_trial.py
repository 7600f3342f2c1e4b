"""The commands that are tried while an image is built."""

from pathlib import Path

import pytest

from scripts.image.plan import Run
from scripts.image.trial import repeat


def test_a_server_that_ends_is_quoted() -> None:
    """Where nothing answers, the error has what the command said last."""
    run = Run(["-c", "echo port 8000 is in use >&2; exit 3"], requests=["GET http://127.0.0.1:1/"])

    with pytest.raises(RuntimeError, match="no answer to GET") as raised:
        repeat(Path("/bin/sh"), Path(), [run])

    assert raised.value.__notes__ == ["port 8000 is in use\n"]
