"""Builds the images that the tests need beside the orders' own; loads them: `build CLUSTER`."""

import sys
from typing import Final

from tests.e2e.images import build
from tools.release.names import names

IMAGE: Final = f"orders/faulty:{names().version}"
DOCKERFILE: Final = "chaos/images/faults/Dockerfile"


def main(cluster: str) -> None:
    """Build the service with faults in it, and an operator that renders pods otherwise."""
    build.build(IMAGE, DOCKERFILE, ".")
    build.load(IMAGE, cluster)
    build.operator(cluster)


if __name__ == "__main__":
    main(sys.argv[1])
