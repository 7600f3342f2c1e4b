"""Reads the metrics of pods from their metrics port."""

from prometheus_client.parser import text_string_to_metric_families

from chaos.shop import Shop

_MB = 1e6


def values(shop: Shop, name: str) -> list[float]:
    """Return a metric without labels of each pod, in the order of their names."""
    found = []
    for pod in sorted(it["metadata"]["name"] for it in shop.pods()):
        path = f"/api/v1/namespaces/{shop.namespace.name}/pods/{pod}:2121/proxy/metrics"
        text = shop.namespace.kubectl("get", "--raw", path)
        found += [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        ]
    return found


def memory(shop: Shop) -> float:
    """Return the resident memory of all pods, in MB of a million bytes."""
    return sum(values(shop, "process_resident_memory_bytes")) / _MB


def descriptors(shop: Shop) -> float:
    """Return how many files and sockets all pods have open."""
    return sum(values(shop, "process_open_fds"))
