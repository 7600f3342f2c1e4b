"""The last release before this tree, from which an upgrade is tried.

Its images are taken by their digests: until VERSION is the next one, those of this tree have the
same names, and nodes that have these would not pull the others.
"""

import re
import subprocess
from pathlib import Path

from tools.go_programs import REGISTRY
from tools.release.install import published
from tools.release.names import ROOT, Names, names


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
    """Return Helm's arguments for the last release, chart and images; None without a release."""
    version, registry = last_release(root), names(root).registry
    if version is None or not published(registry):
        return None
    release = Names(version, registry)
    digests = (
        f"--set={value}.digest={REGISTRY.run('crane', 'digest', release.image(name)).strip()}"
        for value, name in (("image", "service"), ("operator.image", "operator"))
    )
    return (f"oci://{registry}/charts/orders", "--version", version, *digests)
