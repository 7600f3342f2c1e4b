"""What the system shows of the process' descriptors."""

import os
import socket
import sys

import pytest

from orders import descriptors

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="they are seen on Linux")


def test_the_lowest_free_one_rises_with_those_that_are_open() -> None:
    """Whatever is opened has it, so all below it are taken."""
    lowest = descriptors.lowest_free()
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]
    then = descriptors.lowest_free()
    for descriptor in opened:
        os.close(descriptor)

    assert opened[0] == lowest
    assert then > max(opened)
    assert set(range(then)) <= {*descriptors.numbers(), *opened}
    assert lowest == descriptors.lowest_free()


def test_who_listens_on_a_port_is_found() -> None:
    """A duplicate of each; no connection of the port, nor who listens on another."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_server(("127.0.0.1", 0)),
        socket.create_connection(listener.getsockname()),
        listener.accept()[0],
    ):
        found = [each.getsockname() for each in descriptors.listening(listener.getsockname()[1])]

        assert [listener.getsockname()] == found
