"""README's text about the installation of a release: from its registry, or from a checkout."""

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
`charts/orders` and `k8s/` install the same images; `make cluster` builds its own.

"""


def published(registry: str) -> bool:
    """Return whether a registry has a host, without which nothing can be pulled from it."""
    host, slash, _ = registry.partition("/")
    return bool(slash) and ("." in host or ":" in host)


def install(version: str, registry: str) -> str:
    """Return the text between README's marks."""
    text = _RELEASED if published(registry) else _CHECKOUT
    return text.format(version=version, registry=registry)
