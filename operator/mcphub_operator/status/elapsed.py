"""How much is left of a time that began at a moment which Kubernetes wrote down."""

from datetime import UTC, datetime


def parse_time(text: object) -> datetime | None:
    """Return a moment as the API server writes it; None for any other text."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def find_seconds_left(now: datetime, since: datetime | None, seconds: float) -> float:
    """Return what is left of a time; nothing if it began at no known moment.

    The clock that wrote the moment may be ahead: never more than the whole time is
    left.
    """
    if since is None:
        return 0.0
    left = seconds - (now - since).total_seconds()
    return min(max(0.0, left), seconds)
