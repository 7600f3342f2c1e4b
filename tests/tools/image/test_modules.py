"""Every module that is in an image can be imported there."""

import re
from pathlib import Path

from tests.tools.image.conftest import Image

PLACE = re.compile(
    r"(?:\./)?usr/(?:local/)?lib/python3\.\d+/(?:dist-packages/|lib-dynload/)?"
    r"(?P<module>[\w/]+)(?:\.pyc|\.[\w-]*\.so)$"
)

OPTIONAL = {
    "OpenSSL", "attrs", "gunicorn", "h2", "opentelemetry.instrumentation", "pydantic", "socks",
    "socksio", "trio",
}  # fmt: skip
"""Packages that others can work with; a module that joins the two fails without."""
LACKED = re.compile(r" (?:No module named|Package) '([\w.]+)'")


def test_every_module_can_be_imported(image: Image, root: Path) -> None:
    """None is there that needs one that is not, but for what others do with other packages."""
    found = (PLACE.match(file.name) for file in image.files)
    names = sorted(
        place["module"].removesuffix("/__init__").replace("/", ".") for place in found if place
    )
    wanted = [name for name in names if not name.endswith("__main__")]
    assert len(wanted) > 300
    program = (root / "tools/image/probe.py").read_text("utf-8")
    done = image.python(program, "\n".join(wanted))
    assert done.returncode == 0, done.stderr
    failures = done.stdout.splitlines()
    lacked = {line: LACKED.search(line) for line in failures}
    assert [] == [line for line, what in lacked.items() if not what or what[1] not in OPTIONAL]


def test_a_traceback_names_the_file(image: Image) -> None:
    """There is no source, and a traceback tells where in it something happened."""
    done = image.python("import json; json.loads('nonsense')")
    assert re.search(r'File "/usr/lib/python3\.\d+/json/decoder\.py", line \d+', done.stderr)


def test_one_set_of_authorities_counts(image: Image) -> None:
    """`ssl` and `requests` trust whom the image's file of certificate authorities names."""
    done = image.python(
        "import ssl, certifi, pathlib\n"
        "print(pathlib.Path(certifi.where()).resolve())\n"
        "print(len(ssl.create_default_context().get_ca_certs()) > 50)"
    )
    assert "/etc/ssl/certs/ca-certificates.crt\nTrue\n" == done.stdout


def test_names_are_looked_up(image: Image) -> None:
    """The C library finds its parts for looking up hosts, and users by number."""
    done = image.python(
        "import socket, pwd, os\n"
        "print(socket.getaddrinfo('localhost', 80)[0][4][0])\n"
        "print(pwd.getpwuid(os.getuid()).pw_name)"
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.splitlines()[0] in {"127.0.0.1", "::1"}
