"""Import every module that stdin names; print those that fail, one a line, with the reason."""

import importlib
import sys


def main() -> None:
    """Import them in one process, in order."""
    for name in sys.stdin.read().split():
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001  some call sys.exit
            reason = " ".join(str(error).split())
            sys.stdout.write(f"{name} {type(error).__name__}: {reason}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
