"""Packets between pods: which of some addresses a pod reaches, asked in the pod itself.

A refused packet is dropped or rejected, so what is refused is only known from what is not: each
target listens, and is reached by somebody. Policies take a second or two, and connections that are
there live on; so every question opens new ones, and is asked until the answer is the expected one
twice.
"""

import subprocess
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, NamedTuple

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import IMAGE, Namespace

SECONDS: Final = 20.0
"""Until a policy is in force."""
CONFINED: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
    "runAsNonRoot": True,
    "runAsUser": 65532,
}
"""What the restricted Pod Security Standard asks of a container."""
_TIMEOUT: Final = "1"
"""Seconds that a connection may take; one in the cluster takes milliseconds."""
_CONNECT: Final = """
import errno, select, socket, sys, time
opening = {}
for target in sys.argv[2:]:
    host, _, port = target.rpartition(":")
    connection = socket.socket()
    connection.setblocking(False)
    if connection.connect_ex((host, int(port))) in (0, errno.EINPROGRESS):
        opening[connection] = target
end = time.monotonic() + float(sys.argv[1])
while opening and (left := end - time.monotonic()) > 0:
    for connection in select.select([], list(opening), [], left)[1]:
        target = opening.pop(connection)
        if not connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            print(target)
"""
_RESOLVE: Final = """
import socket, sys
try:
    print(socket.getaddrinfo(sys.argv[1], 443)[0][4][0])
except OSError:
    pass
"""
_LISTEN: Final = """
import select, socket, sys
watched = [socket.create_server(("", int(port))) for port in sys.argv[2:]]
if sys.argv[1] == "until-told":
    watched.append(sys.stdin)
print("listens", flush=True)
while True:
    for it in select.select(watched, [], [])[0]:
        if it is sys.stdin:
            sys.exit()
        it.accept()[0].close()
"""
_PERL_CONNECT: Final = """
use IO::Socket::INET;
my $timeout = shift;
for (@ARGV) { print "$_\\n" if IO::Socket::INET->new(PeerAddr => $_, Timeout => $timeout) }
"""
_PERL_LISTEN: Final = """
use IO::Select;
use IO::Socket::INET;
$| = 1;
shift;
my %how = (Listen => 64, ReuseAddr => 1);
my @servers = map { IO::Socket::INET->new(LocalPort => $_, %how) or die $! } @ARGV;
my $watched = IO::Select->new(@servers, \\*STDIN);
print "listens\\n";
while (1) {
    for ($watched->can_read) {
        exit if fileno($_) == 0;
        my $connection = $_->accept;
        close $connection if $connection;
    }
}
"""


class Place(NamedTuple):
    """A container of a pod, which packets come from and go to."""

    namespace: Namespace
    pod: str
    container: str
    address: str
    perl: bool = False
    """Whether it has Perl, as PostgreSQL's image, and not Python."""

    def command(self, python: str, perl: str, *arguments: str) -> list[str]:
        """Return what runs a program in it, for `kubectl exec`."""
        program = ["perl", "-e", perl] if self.perl else ["python3", "-c", python]
        return [self.pod, "--container", self.container, "--", *program, *arguments]


def place(namespace: Namespace, pod: Object, container: str, *, perl: bool = False) -> Place:
    """Return a container of a pod that runs."""
    return Place(namespace, pod["metadata"]["name"], container, pod["status"]["podIP"], perl)


def at(places: Iterable[Place], *ports: int) -> set[str]:
    """Return ports of places as targets, `ADDRESS:PORT`."""
    return {f"{it.address}:{port}" for it in places for port in ports}


def reached(by: Place, targets: Iterable[str]) -> set[str]:
    """Return the targets that answer a connection from a place."""
    command = by.command(_CONNECT, _PERL_CONNECT, _TIMEOUT, *sorted(targets))
    return set(by.namespace.kubectl("exec", *command).split())


def reach_only(places: Iterable[Place], passes: set[str], refused: set[str]) -> None:
    """Have each place reach some targets, and none of others, within SECONDS.

    Raises:
        AssertionError: one reaches another set of them.

    """
    assert set() == passes & refused
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(lambda it: _reaches_only(it, passes, refused), places):
            pass


def _reaches_only(by: Place, passes: set[str], refused: set[str]) -> None:
    deadline = time.monotonic() + SECONDS
    before: set[str] | None = None
    while (found := reached(by, passes | refused)) != passes or before != passes:
        assert time.monotonic() < deadline, (
            f"{by.pod} ought to reach {sorted(passes)}, and reaches {sorted(found)}"
            f" of {sorted(passes | refused)}"
        )
        before = found


def resolves(by: Place, name: str) -> str:
    """Return the address that a place is told by DNS; empty if it is told none."""
    return by.namespace.kubectl("exec", *by.command(_RESOLVE, "", name)).strip()


@contextmanager
def listening(by: Place, port: int) -> Iterator[str]:
    """Have a program listen in a pod of somebody else's; the target."""
    command = by.command(_LISTEN, _PERL_LISTEN, "until-told", str(port))
    process = subprocess.Popen(
        ["kubectl", "--namespace", by.namespace.name, "exec", "--stdin", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert "listens" == process.stdout.readline().strip()
        target = f"{by.address}:{port}"
        assert {target} == reached(by, {target})  # from inside nothing is refused
        yield target
    finally:
        process.communicate(timeout=30)


def peer(namespace: Namespace, name: str, *ports: int, **labels: str) -> Place:
    """Make a pod without a policy of its own that listens on ports; the pod once it does."""
    container = {
        "name": name,
        "image": IMAGE,
        "command": ["python3", "-c", _LISTEN, "for-ever", *map(str, ports)],
        "readinessProbe": {"tcpSocket": {"port": ports[0]}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
        "securityContext": CONFINED,
    }
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {
                "containers": [container],
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
            },
        }
    )
    namespace.wait(f"pod/{name}", "condition=Ready", 60)
    return place(namespace, namespace.get("pod", name), name)
