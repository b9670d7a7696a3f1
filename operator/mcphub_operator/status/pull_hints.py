"""Why an image cannot be pulled, from the words that kubelets pass on.

The words contain addresses and requests that differ at each try; a hint does not.
"""

_PULL_HINTS = (
    (
        "access is refused, or there is no such image; see spec.imagePullSecrets",
        ("denied", "unauthorized", "authentication", "authorization", "forbidden"),
    ),
    (
        "the node does not trust the registry's certificate",
        ("x509", "certificate", "server gave http response to https client"),
    ),
    (
        "the node does not reach the registry",
        (
            "no such host",
            "connection refused",
            "i/o timeout",
            "deadline exceeded",
            "no route to host",
            "connection reset",
            "temporary failure in name resolution",
        ),
    ),
    ("the registry limits pulls", ("toomanyrequests", "too many requests")),
    (
        "the registry has no such image; check spec.image",
        ("not found", "manifest unknown"),
    ),
    (
        "the node does not have it, and spec.imagePullPolicy is Never",
        ("with pull policy of never", "errimageneverpull"),
    ),
    ("its name is not valid", ("invalidimagename", "invalid reference format")),
)
"""What the words of container runtimes mean; the first that fits."""


def find_pull_hint(words: str) -> str:
    """Return why an image is not there; nothing if the words do not say it."""
    lower = words.lower()
    found = (hint for hint, said in _PULL_HINTS if any(w in lower for w in said))
    return next(found, "")
