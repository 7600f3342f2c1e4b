"""This service with more than its defaults: measured beside itself, and compared with no peer."""

from typing import Final

from bench.guarding import GUARDED
from bench.tracing import TRACED

VARIANTS: Final = frozenset((GUARDED, TRACED))
