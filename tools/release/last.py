"""The last release before this tree, from which an upgrade is tried."""

import re
import subprocess
from pathlib import Path

from tools.release.install import published
from tools.release.names import ROOT, names


def last_release(root: Path = ROOT) -> str | None:
    """Return the version of the newest release whose tag is behind this commit, if any.

    A pre-release (1.2.3-rc.1) does not count, nor does a tag of this very commit.
    """
    command = ["git", "tag", "--merged", "HEAD", "--no-contains", "HEAD", "--list", "v*"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    found = [
        tuple(int(part) for part in match.groups())
        for tag in done.stdout.split()
        if (match := re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", tag))
    ]
    return ".".join(map(str, max(found))) if found else None


def released_chart(root: Path = ROOT) -> tuple[str, ...] | None:
    """Return Helm's arguments for the last release's chart; None if none can be pulled."""
    version, registry = last_release(root), names(root).registry
    if version is None or not published(registry):
        return None
    return (f"oci://{registry}/charts/orders", "--version", version)
