"""What led to an error, group members included.

Drivers wrap the one error that says why a connection failed (a name that does not
resolve, a refused connection, a certificate) in several of their own.
"""

from collections.abc import Iterator


def walk_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it, each once."""
    pending, seen = [error], set[int]()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            pending.extend(current.exceptions)
        pending.extend(
            cause for cause in (current.__cause__, current.__context__) if cause
        )
