"""The children of an OrderService as plain Kubernetes objects, made by pure functions."""
