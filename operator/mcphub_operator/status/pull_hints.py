"""Why an image cannot be pulled, from the words that kubelets pass on.

The words contain addresses and requests that differ at each try; a hint does not.
"""

from mcphub_operator.status.start_hints import ARCHITECTURE

_PULL_HINTS = (
    (ARCHITECTURE, ("no match for platform", "no matching manifest for")),
    ("the registry limits pulls", ("toomanyrequests", "too many requests")),
    ("the node limits pulls", ("pull qps exceeded",)),
    (
        "access is refused, or there is no such image; see spec.imagePullSecrets",
        (
            "denied",
            "unauthorized",
            "authentication",
            "authorization",
            "forbidden",
            "no basic auth",
        ),
    ),
    (
        "the registry answers in plain HTTP, which the node refuses",
        ("server gave http response to https client",),
    ),
    (
        "the node does not trust the registry's certificate",
        ("x509", "certificate"),
    ),
    (
        "the node does not reach the registry",
        (
            "registryunavailable",
            "no such host",
            "connection refused",
            "i/o timeout",
            "handshake timeout",
            "deadline exceeded",
            "timed out",
            "no route to host",
            "network is unreachable",
            "connection reset",
            "server misbehaving",
            "temporary failure in name resolution",
        ),
    ),
    ("the node's disk is full", ("no space left",)),
    ("the node's policy does not accept its signature", ("signature",)),
    (
        "the registry fails",
        ("500 internal", "502 bad", "503 service", "504 gateway"),
    ),
    (
        "the registry has no such tag or digest; check spec.image",
        ("manifest unknown", "manifest_unknown"),
    ),
    (
        "the registry has no such repository; check spec.image",
        ("name unknown", "name_unknown", "repository does not exist"),
    ),
    ("the registry has no such image; check spec.image", ("not found",)),
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
