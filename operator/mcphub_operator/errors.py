"""The operator's errors: one tree.

OperatorError
└── InvalidHub      a hub cannot be read; one sentence naming the field
"""


class OperatorError(Exception):
    """The root of everything that this operator raises on purpose."""


class InvalidHub(OperatorError):
    """A hub's spec cannot be used; the message names the field."""
