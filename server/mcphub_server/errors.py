"""The server's errors: one tree, translated into wire errors at one edge.

HubError
├── ConfigError              a bad setting: one sentence naming the field; exit code 2
├── RequestRefused           a body that is not read: 408, 413, 503, 400 (web.bodies)
├── ClientLeft               the client closed its connection (web.bodies)
├── CredentialRefused        a caller is not authenticated (auth.refusals)
└── ToolFailure              what the calling model reads, and can act on
    ├── BadArgument          an argument is malformed; says which and what it takes
    ├── Rejected             a read-only guard refused; names the rule and a way out
    ├── QueryFailed          the database refused the statement; carries its code
    ├── QueryTimeout         the statement ran past its time
    ├── Forbidden            the caller's identity does not allow it; says no more
    ├── LimitExceeded        a rate or concurrency limit; says when to try again
    └── BackendUnavailable   the database cannot be used now; carries the reason

Messages say what failed, on which object, and what to do. They never carry a
secret, a DSN or row content: drivers' own texts do not pass through.
"""

from enum import StrEnum

LONGEST_PROBLEM = 240
"""Of a refusal, in characters: the caller chose the names in it."""


class BackendReason(StrEnum):
    """Why a backend is not Connected; the words of the McpHub's status."""

    DNS_FAILURE = "DNSFailure"
    CONNECTION_REFUSED = "ConnectionRefused"
    TIMEOUT = "Timeout"
    BAD_CREDENTIALS = "BadCredentials"
    ACCESS_DENIED = "AccessDenied"
    FORBIDDEN = "Forbidden"
    TLS_FAILURE = "TLSFailure"
    UNKNOWN_DATABASE = "UnknownDatabase"
    TOO_MANY_CONNECTIONS = "TooManyConnections"
    UNSAFE_ROLE = "UnsafeRole"
    UNSUPPORTED_VERSION = "UnsupportedVersion"
    CIRCUIT_OPEN = "CircuitOpen"
    ERROR = "Error"


class HubError(Exception):
    """The root of everything that this server raises on purpose."""


class ConfigError(HubError):
    """A setting is unknown, missing or bad; the message names it."""


class ToolFailure(HubError):
    """A call failed in a way that the caller may read in full."""

    retry_after_seconds: float | None = None


class BadArgument(ToolFailure):
    """An argument is malformed; the message says which and what it takes."""


class Rejected(ToolFailure):
    """A guard refused the input.

    Args:
        rule: A short stable name, such as ``read-only/statement-kind``.
        problem: What in the input breaks the rule.
        advice: What to write instead.
    """

    def __init__(self, rule: str, problem: str, advice: str) -> None:
        if len(problem) > LONGEST_PROBLEM:
            problem = f"{problem[: LONGEST_PROBLEM - 1]}…"
        super().__init__(f"Rejected by rule {rule}: {problem} {advice}")
        self.rule = rule
        self.problem = problem
        self.advice = advice


class QueryFailed(ToolFailure):
    """The database refused the statement.

    Args:
        message: What is wrong with the statement, free of row content.
        code: The database's own code (SQLSTATE, Neo4j status code), if it gave one.
        quotes: Whether the message has the database's words on the statement's text.
    """

    def __init__(
        self, message: str, code: str | None = None, *, quotes: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.quotes = quotes


class QueryTimeout(ToolFailure):
    """The statement ran longer than the hub allows."""


class Forbidden(ToolFailure):
    """The caller's identity does not allow the call.

    Args:
        cause: Why, for the administrator's log; the caller is not told.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(
            "Your identity does not allow this call; ask the administrator of this "
            "server."
        )
        self.cause = cause


class LimitExceeded(ToolFailure):
    """A rate or concurrency limit was hit; `retry_after_seconds` says when to retry."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class BackendUnavailable(ToolFailure):
    """A database cannot be used now; the message names the backend and the reason."""

    def __init__(self, backend: str, reason: BackendReason, message: str) -> None:
        super().__init__(message)
        self.backend = backend
        self.reason = reason
