"""The children of an OrderService, pure functions of it: plain objects of Kubernetes."""
