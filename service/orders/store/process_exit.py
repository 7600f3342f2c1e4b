"""The end of a process that used the driver.

The driver's threads live until the process ends. One that calls into an interpreter which is being
finalized aborts it ("PyGILState_Release ... finalizing"), so it is not finalized.
"""

import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from orders.config import ConfigError
from orders.config.masking import masked


def exit_now(status: int) -> NoReturn:
    """End the process at once, with everything printed."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def exit_after(work: Callable[[], int], mask: Callable[[str], str] = masked) -> NoReturn:
    """Do the work and end the process with its status, or as Python would after an exception.

    `mask` keeps secrets out of what is told of the exception.

    Raises:
        ConfigError: what is configured is read before the driver is used.

    """
    try:
        status = work()
    except ConfigError:
        raise
    except SystemExit as told:
        status = told.code if isinstance(told.code, int) else 1
    except BaseException as error:  # noqa: BLE001  told as Python tells it
        sys.stderr.write(mask("".join(traceback.format_exception(error))))
        status = 130 if isinstance(error, KeyboardInterrupt) else 1
    exit_now(status)
