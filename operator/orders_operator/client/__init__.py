"""The client of the Kubernetes API, with leases and claims; it knows nothing of orders."""
