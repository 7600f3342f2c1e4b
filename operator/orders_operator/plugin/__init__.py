"""`kubectl orders`: shows and controls rollouts from a person's machine.

The operator's image does not contain it.
"""
