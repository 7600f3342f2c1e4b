"""The way to the Kubernetes API; knows nothing of orders."""
