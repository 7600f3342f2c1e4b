"""`kubectl orders`: shows and controls rollouts from a person's machine.

The operator's image does not contain it.
"""


class Refused(Exception):
    """A command cannot be done, or has nothing to do; the message is one line for people."""
