"""The types of Kubernetes objects as JSON, and of the key of a resource."""

from typing import Any

Object = dict[str, Any]
"""A Kubernetes object, or a part of one."""

Key = tuple[str, str]
"""Namespace and name of a resource."""
