"""`kubectl orders`: looks at rollouts and talks to them, from the machine of a person.

Nothing of it is in the operator's image.
"""
