"""The end of a process that used the driver.

The driver's threads live until the process ends. A thread that calls into an interpreter during
its finalization aborts the process ("PyGILState_Release ... finalizing"), so the process ends
without finalization.
"""

import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from orders.config import ConfigError
from orders_common.masking import masked


def exit_now(status: int) -> NoReturn:
    """Flush the output, and end the process at once."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def exit_after(work: Callable[[], int], mask: Callable[[str], str] = masked) -> NoReturn:
    """Do the work and end the process with its status, or as Python would after an exception.

    `mask` keeps secrets out of the traceback that is printed.

    Raises:
        ConfigError: passed on, because it comes before the driver is used.

    """
    try:
        status = work()
    except ConfigError:
        raise
    except SystemExit as told:
        status = told.code if isinstance(told.code, int) else 1
    except BaseException as error:  # noqa: BLE001  printed as Python prints it
        sys.stderr.write(mask("".join(traceback.format_exception(error))))
        status = 130 if isinstance(error, KeyboardInterrupt) else 1
    exit_now(status)
