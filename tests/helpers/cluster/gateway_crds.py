"""The HTTPRoute kind of the Gateway API; no gateway, for nobody is called through it here."""

from typing import Final

from tests.helpers.cluster.kubectl import go_module, run

MODULE: Final = "sigs.k8s.io/gateway-api@v1.3.0"
CRD: Final = "httproutes.gateway.networking.k8s.io"


def install() -> None:
    """Apply the CRD."""
    folder = go_module(MODULE) / "config" / "crd" / "standard"
    file = folder / "gateway.networking.k8s.io_httproutes.yaml"
    run("kubectl", "apply", "--server-side", f"--filename={file}")
    run("kubectl", "wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")


def remove() -> None:
    """Remove what an earlier run has left."""
    run("kubectl", "delete", "crd", CRD, "--ignore-not-found")
