"""Makes the image that the tests need beside the orders' own, and loads it: `build CLUSTER`."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

IMAGE: Final = "orders/faulty:0.1.0"
ROOT: Final = Path(__file__).resolve().parents[3]
DOCKERFILE: Final = "tests/chaos/parts/faults/Dockerfile"


def main(cluster: str) -> None:
    """Build the service with faults in it, and give it to every node."""
    build = shlex.split(os.environ.get("IMAGE_BUILD") or "docker build -t")
    subprocess.run([*build, IMAGE, "-f", DOCKERFILE, "."], cwd=ROOT, check=True)
    load = [*shlex.split(os.environ.get("CLUSTER_RUN", "")), "kind", "load", "docker-image"]
    subprocess.run([*load, IMAGE, "--name", cluster], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
