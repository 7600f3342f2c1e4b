"""Somebody who pastes the shell blocks of a page, with the cluster at hand."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Final

import yaml
from filelock import FileLock

from tests.helpers.cluster.kubectl import run
from tests.helpers.cluster.plugin import ENVIRON
from tests.helpers.paths import ROOT

ON_THE_WAY: Final = {
    "CLUSTER_UP": "true",  # the cluster is there
    "CLUSTER_RUN": "",  # and can be reached from here
    "IMAGES": "loaded",  # its nodes have the images
    "CLUSTER_DOWN": "true",  # other tests need it afterwards
}
"""What `make cluster` and `make cluster-down` leave out in a test: `make e2e` has made the cluster
and the images before, by the same functions of `tools/cluster`."""
_PORTS: Final = FileLock(Path(tempfile.gettempdir()) / "orders-pages-ports.lock")
"""Who has it may use the ports of this machine that pages name."""
_USED: Final = ("charts", "k8s")
"""The folders of a checkout that commands of the pages use."""


def paste(
    block: str, folder: Path = ROOT, environ: Mapping[str, str] | None = None, limit: float = 240
) -> str:
    """Return what a block prints, to either stream; what it leaves running ends with it.

    Raises:
        AssertionError: one of its commands failed, or it took longer than `limit` seconds.

    """
    with tempfile.TemporaryFile("w+") as printed:
        shell = subprocess.Popen(
            ["bash", "-e", "-o", "pipefail", "-c", block],
            cwd=folder,
            env=ENVIRON | dict(environ or {}),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status: int | str = shell.wait(limit)
        except subprocess.TimeoutExpired:
            status = f"no end after {limit:g} s"
        finally:
            _end(shell)
        printed.seek(0)
        said = printed.read()
    assert 0 == status, f"{status}\n{block}\n{said}"
    return said


def _end(shell: "subprocess.Popen[bytes]") -> None:
    """End a shell and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()


class Reader:
    """One whose kubectl and helm work in a namespace, in a folder with the files of a checkout."""

    def __init__(self, namespace: str, folder: Path, **placeholders: str) -> None:
        """Prepare; each placeholder is a word in capitals that stands for a name."""
        self.folder = folder
        self._words = {"NAMESPACE": namespace, **placeholders}
        for name in _USED:
            (folder / name).symlink_to(ROOT / name)
        config = yaml.safe_load(run("kubectl", "config", "view", "--raw", "--flatten", "--minify"))
        config["contexts"][0]["context"]["namespace"] = namespace
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(yaml.dump(config))
        kubeconfig.chmod(0o600)
        self._environ = {"KUBECONFIG": str(kubeconfig)}

    def paste(self, block: str, instead: Mapping[str, str] | None = None, **words: str) -> str:
        """Return what a block prints, with names for its placeholders.

        `instead` has what else differs from the page: a text of the block, and what is run.
        """
        text = block
        for shown, used in (instead or {}).items():
            assert shown in text, f"{shown!r} is not in\n{block}"
            text = text.replace(shown, used)
        with _PORTS if "port-forward" in block else nullcontext():
            return paste(self._filled(text, **words), self.folder, self._environ)

    def _filled(self, block: str, **words: str) -> str:
        for word, name in (self._words | words).items():
            block = re.sub(rf"(?<![A-Z_]){word}(?![A-Z_]|:\.)", name, block)
        return block

    def follow(self, block: str, until: str) -> None:
        """Paste a block that goes on, see a text, and press Ctrl-C, which is how it ends.

        Raises:
            AssertionError: it ended before, or did not end by Ctrl-C.

        """
        printed = ""
        with subprocess.Popen(
            ["bash", "-c", self._filled(block)],
            env=ENVIRON | self._environ,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as shell:
            assert shell.stdout is not None
            for line in shell.stdout:
                printed += line
                if until in printed:
                    os.killpg(shell.pid, signal.SIGINT)
                    break
            shell.stdout.read()
        assert until in printed, f"{block}\n{printed}"
        assert shell.returncode in {-signal.SIGINT, 128 + signal.SIGINT}, f"{block}\n{printed}"
