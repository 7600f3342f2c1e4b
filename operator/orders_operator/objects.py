"""Objects of Kubernetes as JSON has them, and what names a resource."""

from typing import Any

Object = dict[str, Any]
"""A Kubernetes object, or a part of one."""

Key = tuple[str, str]
"""Namespace and name of a resource."""
