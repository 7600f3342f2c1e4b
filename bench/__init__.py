"""Measures the order service against its peers, on one machine, in one run.

`python -m bench` builds the peers, loads them in turn, and writes `docs/benchmarks.md` with its
charts. The method is in `bench/README.md`. Timed figures are never a test.
"""

import warnings

# The PostgreSQL wheel asks for this directory when it is imported; the bench needs none.
warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
