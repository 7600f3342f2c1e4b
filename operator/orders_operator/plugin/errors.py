"""The one error of the plugin's own; what the API server refuses is a `KubeError`."""


class Refused(Exception):
    """It cannot be done, or there is nothing to do; the message is one line for people."""
