"""Makes the images that the tests need beside the orders' own: `build CLUSTER`.

Prometheus, its operator and an OpenTelemetry Collector are built from pinned Go modules into
images `FROM scratch` where no registry of images can be reached; where one can, the published
images are taken. Finished programs are kept under .cache/e2e, by the checksum of their sources.
An operator that renders pods otherwise is made of the one that is tested.
"""

import hashlib
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from tests.helpers.cluster import gateway_crds, monitoring
from tests.helpers.cluster.kubectl import go_module
from tests.helpers.paths import ROOT
from tools.release.names import names

FOLDER: Final = Path(__file__).resolve().parent
CACHE: Final = ROOT / ".cache" / "e2e"
OTHERWISE: Final = "orders/otherwise"
"""An operator that renders pods otherwise, without its tag."""


class Program(NamedTuple):
    """A Go program: the folder of its go.mod, its package there; its image here, and elsewhere."""

    folder: str
    package: str
    image: str
    published: str


PROGRAMS: Final = (
    Program(
        "prometheus-operator",
        "github.com/prometheus-operator/prometheus-operator/cmd/operator",
        "parts/prometheus-operator:0.85.0",
        "quay.io/prometheus-operator/prometheus-operator:v0.85.0",
    ),
    Program(
        "prometheus-operator",
        "github.com/prometheus-operator/prometheus-operator/cmd/prometheus-config-reloader",
        "parts/prometheus-config-reloader:0.85.0",
        "quay.io/prometheus-operator/prometheus-config-reloader:v0.85.0",
    ),
    Program(
        "prometheus",
        "github.com/prometheus/prometheus/cmd/prometheus",
        "parts/prometheus:3.15.0",
        "quay.io/prometheus/prometheus:v3.15.0",
    ),
    Program(
        "collector", ".", "parts/otelcol:0.162.0", "docker.io/otel/opentelemetry-collector:0.162.0"
    ),
)


def main(cluster: str) -> None:
    """Build or pull each program's image, and give it to every node; fetch manifests of CRDs."""
    for module in (monitoring.MODULE, gateway_crds.MODULE):
        go_module(module)
    operator(cluster)
    listed = [sys.executable, str(ROOT / "tools" / "images"), "--list"]
    offline = "postgres" in subprocess.check_output(listed, text=True)  # it lists a stand-in
    for program in PROGRAMS:
        if offline:
            image(program, binary(program))
        else:
            subprocess.run(["docker", "pull", "--quiet", program.published], check=True)
            subprocess.run(["docker", "tag", program.published, program.image], check=True)
        load(program.image, cluster)


def operator(cluster: str) -> None:
    """Build the operator that renders pods otherwise, and give it to every node."""
    tag = f"{OTHERWISE}:{names().version}"
    build(tag, "tests/e2e/images/otherwise/Dockerfile", ".")
    load(tag, cluster)


def build(tag: str, dockerfile: str, context: str) -> None:
    """Build an image."""
    command = shlex.split(os.environ.get("IMAGE_BUILD") or "docker build -t")
    subprocess.run([*command, tag, "-f", dockerfile, context], cwd=ROOT, check=True)


def load(tag: str, cluster: str) -> None:
    """Give an image to every node."""
    command = [*shlex.split(os.environ.get("CLUSTER_RUN", "")), "kind", "load", "docker-image"]
    subprocess.run([*command, tag, "--name", cluster], check=True)


def binary(program: Program) -> Path:
    """Return the program, static; it is built unless it is there already."""
    folder = FOLDER / program.folder
    made_from = [path for path in sorted(folder.iterdir()) if path.is_file()]
    digest = hashlib.sha256(program.package.encode())
    for path in made_from:
        digest.update(path.read_bytes())
    target = CACHE / digest.hexdigest()[:16] / "program"
    if not target.exists():
        print(f"building {program.package}", flush=True)  # noqa: T201  a command talks
        half_made = target.with_suffix(".new")
        half_made.parent.mkdir(parents=True, exist_ok=True)
        command = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(half_made)]
        environment = {**os.environ, "CGO_ENABLED": "0"}
        subprocess.run([*command, program.package], cwd=folder, env=environment, check=True)
        half_made.rename(target)
    return target


def image(program: Program, built: Path) -> None:
    """Put the program, and nothing else, into an image."""
    dockerfile = built.with_name("Dockerfile")
    path = f"/bin/{program.image.partition('/')[2].partition(':')[0]}"
    dockerfile.write_text(
        f'FROM scratch\nCOPY program {path}\nUSER 65532:65532\nENTRYPOINT ["{path}"]\n'
    )
    build(program.image, str(dockerfile), str(built.parent))


if __name__ == "__main__":
    main(sys.argv[1])
