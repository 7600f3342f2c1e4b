"""The plugin's own error; a refusal of the API server is a `KubeError`."""


class Refused(Exception):
    """A command cannot be done, or has nothing to do; the message is one line for people."""
