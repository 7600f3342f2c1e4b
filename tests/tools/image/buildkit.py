"""An engine of one's own whose builder is BuildKit, in a folder, gone when the test ends.

Where Docker has BuildKit already, images are built by it anyway. Elsewhere Debian's docker.io has
a dockerd with BuildKit in it. Unpacked, not installed, it runs beside any other engine: it has no
bridge and no rules of a firewall, and builds use the network of the machine. It takes root.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BASE: Final = "docker.io/library/debian:trixie-slim"
_START_LIMIT: Final = 60.0


def missing() -> str | None:
    """Return why there cannot be one here; None if there can."""
    if sys.platform != "linux" or os.getuid() != 0:
        return "an engine of its own takes root"
    if shutil.which("apt-get") is None or shutil.which("runc") is None:
        return "an engine of its own takes Debian's packages and runc"
    return None


class Engine:
    """The engine's socket, and its client."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{programs}/usr/sbin:{programs}/usr/bin:{os.environ['PATH']}",
            "DOCKER_HOST": f"unix://{folder}/docker.sock",
            "DOCKER_BUILDKIT": "1",
            "DOCKER_CONFIG": str(folder / "client"),
            "DOCKER": "docker",
            "IMAGE_BUILD": "docker build --quiet --network host -t",
            "IMAGE_BUILD_OPTIONS": "",
        }

    def docker(self, *arguments: str) -> None:
        """Run a command of Docker's."""
        command = ["docker", *arguments]
        subprocess.run(command, env=self.environment, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def engine(root: Path, folder: Path) -> Iterator[Engine]:
    """Start it, with the base image that the other builder has, if that is Buildah."""
    made = Engine(folder, _programs(root / ".cache" / "docker"))
    (folder / "client").mkdir()
    (folder / "client" / "config.json").write_text("{}")
    (folder / "daemon.json").write_text("{}")
    command = ["dockerd", "--config-file", "daemon.json", "--host", f"unix://{folder}/docker.sock"]
    command += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
    command += ["--pidfile", f"{folder}/pid", "--bridge", "none", "--storage-driver", "overlay2"]
    command += [
        "--iptables=false",
        "--ip6tables=false",
        "--exec-opt",
        "native.cgroupdriver=cgroupfs",
    ]
    log = folder / "dockerd.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=folder, env=made.environment, stdout=output, stderr=output
        ) as server,
    ):
        try:
            _wait(made, server, log)
            if shutil.which("buildah"):
                base = folder / "base.tar"
                push = ["buildah", "push", "--quiet", BASE, f"docker-archive:{base}:{BASE}"]
                if subprocess.run(push, check=False, capture_output=True).returncode == 0:
                    made.docker("load", "--input", str(base))
            yield made
        finally:
            server.terminate()


def _wait(made: Engine, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_LIMIT
    while True:
        try:
            made.docker("version")
        except subprocess.CalledProcessError as error:
            if time.monotonic() > deadline or server.poll() is not None:
                raise AssertionError(log.read_text()) from error
            time.sleep(0.1)
        else:
            return


def _programs(folder: Path) -> Path:
    """Unpack Debian's docker.io, once."""
    if not folder.exists():
        unfinished = folder.with_suffix(f".{os.getpid()}")
        unfinished.mkdir(parents=True)
        fetch = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", "docker.io"]
        subprocess.run(fetch, cwd=unfinished, check=True)
        for package in unfinished.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, unfinished], check=True)
            package.unlink()
        unfinished.rename(folder)
    return folder
