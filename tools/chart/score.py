"""Runs kube-score over manifests.

An exception is an annotation `kube-score/ignore` on the object, with its reason beside it in the
template. One exception applies to all, so it is here: there are no CPU limits, because they
throttle a pod while its node is idle; requests divide the time of a busy node.
"""

from typing import Final

import yaml

from tools.go_programs import CHARTS, ToolFailed

OLDEST: Final = "v1.33"
_OPTIONAL: Final = ("container-seccomp-profile", "container-ports-check")
_BAD: Final = ("[WARNING]", "[CRITICAL]")


def findings(manifests: str) -> list[str]:
    """Return kube-score's warnings and errors, one a line."""
    known = [
        document
        for document in yaml.safe_load_all(manifests)
        if document and not document["apiVersion"].startswith("orders.dev/")
    ]
    if not known:
        return []
    optional = [part for name in _OPTIONAL for part in ("--enable-optional-test", name)]
    try:
        CHARTS.run(
            "kube-score",
            "score",
            "--output-format", "ci",
            "--kubernetes-version", OLDEST,
            "--ignore-container-cpu-limit",
            "--exit-one-on-warning",
            *optional,
            "-",
            text=yaml.safe_dump_all(known),
        )  # fmt: skip
    except ToolFailed as failure:
        return [line for line in str(failure).splitlines() if line.startswith(_BAD)] or [
            str(failure)
        ]
    return []
