"""README's text about the installation: of the last release from its registry, or of a checkout.

Only a release changes what README installs: what a tree will be released as cannot be pulled yet.
"""

import re
from typing import Final

_CHECKOUT: Final = """
On a cluster that you have: `helm install orders charts/orders`, or `kubectl apply -f k8s/`, once
its nodes have the images that `make images` builds.

"""
_RELEASED: Final = """
On a cluster that you have:

```sh
helm install orders oci://{registry}/charts/orders --version {version}
```

Without Helm: `kubectl apply -f install.yaml`, with that file of the release. In a clone,
`charts/orders` and `k8s/` install the images of its `VERSION`: until that is released, your
nodes need those that `make images` builds. `make cluster` builds its own.

"""

_INSTALLED: Final = re.compile(r"oci://(?P<registry>\S+)/charts/orders --version (?P<version>\S+)")


def published(registry: str) -> bool:
    """Return whether a registry has a host, without which nothing can be pulled from it."""
    host, slash, _ = registry.partition("/")
    return bool(slash) and ("." in host or ":" in host)


def install(version: str, registry: str) -> str:
    """Return the text between README's marks."""
    text = _RELEASED if published(registry) else _CHECKOUT
    return text.format(version=version, registry=registry)


def kept(readme: str) -> str:
    """Return that text for the release which README names already, or for a checkout."""
    found = _INSTALLED.search(readme)
    return install(found["version"], found["registry"]) if found else _CHECKOUT
