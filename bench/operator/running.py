"""Runs the operator as a process, and reads its resource usage and its metrics."""

import os
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench import paths
from bench.database import free_port
from bench.operator.control_plane import STOP_SECONDS
from bench.process import MEBIBYTE, stop, tree_cpu_seconds


class OperatorError(Exception):
    """The operator ended, or did not do its work."""


class Operator:
    """An operator that runs."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        """`port` serves its metrics."""
        self._process = process
        self._port = port
        self._root = psutil.Process(process.pid)
        self.began = time.monotonic()

    def memory_mib(self) -> float:
        """Proportional set size now, in MiB."""
        return float(self._root.memory_full_info().pss) / MEBIBYTE

    def peak_mib(self) -> float:
        """Resident set size at its highest since the start, in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s*(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def cpu_seconds(self) -> float:
        """CPU time so far."""
        return tree_cpu_seconds(self._root)

    def metrics(self) -> dict[str, float]:
        """Return its metrics by series; none while it does not serve them yet."""
        if self._process.poll() is not None:
            raise OperatorError("the operator ended; see its log")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics") as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        pairs = (it.rpartition(" ") for it in text.splitlines() if not it.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def lead(self) -> None:
        """Return when it works."""
        while self.metrics().get("orders_operator_leader") != 1:
            time.sleep(0.02)

    def ready(self) -> int:
        """How many OrderServices it has found to be ready."""
        return self._said('type="Ready"', 'status="True"')

    def looked_at(self) -> int:
        """How many OrderServices it has looked at since its start."""
        return self._said('type="Ready"')

    def _said(self, *labels: str) -> int:
        """How many series of conditions with these labels are in force."""
        return sum(
            value == 1
            and name.startswith("orders_operator_condition")
            and all(it in name for it in labels)
            for name, value in self.metrics().items()
        )

    def waiting(self) -> int:
        """How many wait to be reconciled now."""
        return int(self.metrics().get("orders_operator_queue_depth", 0))


@contextmanager
def operator(kubeconfig: Path, *, resync: str = "5m") -> Iterator[Operator]:
    """Start the operator of the whole cluster; end it with SIGTERM."""
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {
        **os.environ,
        **_allocator(),
        "KUBECONFIG": str(kubeconfig),
        "METRICS_PORT": str(port),
        "POD_NAME": f"operator-{port}",
        "POD_NAMESPACE": "default",
        "RESYNC_INTERVAL": resync,
    }
    with (paths.LOGS / "operator.log").open("ab") as log:
        command = [paths.PYTHON, "-m", "orders_operator", "run"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            yield Operator(process, port)
        finally:
            stop(process, STOP_SECONDS)


def _allocator() -> dict[str, str]:
    """Return how memory is allocated in the operator's image."""
    image = (paths.ROOT / "operator" / "Dockerfile").read_text()
    return dict(re.findall(r"(MALLOC_\w+)=(\d+)", image))
