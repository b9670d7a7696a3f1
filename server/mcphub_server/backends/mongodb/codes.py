"""MongoDB's error codes, and what a caller reads about each.

Source: `src/mongo/base/error_codes.yml` of the server. MongoDB's own words pass only
for QUOTABLE codes: they come from parsing a command, before any document is read. All
others can repeat values, as ConversionFailure does.
"""

from mcphub_server.errors import BackendReason

BACKEND_REASONS: dict[int, BackendReason] = {
    11: BackendReason.BAD_CREDENTIALS,  # UserNotFound
    18: BackendReason.BAD_CREDENTIALS,  # AuthenticationFailed
    89: BackendReason.TIMEOUT,  # NetworkTimeout
    91: BackendReason.ERROR,  # ShutdownInProgress
    189: BackendReason.ERROR,  # PrimarySteppedDown
    10107: BackendReason.ERROR,  # NotWritablePrimary
    11600: BackendReason.ERROR,  # InterruptedAtShutdown
    11602: BackendReason.ERROR,  # InterruptedDueToReplStateChange
    13435: BackendReason.ERROR,  # NotPrimaryNoSecondaryOk
    13436: BackendReason.ERROR,  # NotPrimaryOrSecondary
}

ATLAS_ERROR = 8000
BAD_LOGIN = "bad auth"
"""Atlas refuses everything by one code: a login, which it calls so, and what a
cluster's tier lacks. It knows no language but English."""

TIMEOUTS = frozenset({50, 262})
"""MaxTimeMSExpired, ExceededTimeLimit."""

PASSING = frozenset(
    {6, 7, 24, 43, 46, 112, 133, 134, 136, 175, 202, 239, 246, 317, 9001, 11601}
)
"""What is over a moment later: a member that is away, a lock, a snapshot too old."""

UNAUTHORIZED = 13

QUOTABLE = frozenset(
    {
        9,  # FailedToParse
        27,  # IndexNotFound: $text without a text index
        168,  # InvalidPipelineOperator
        291,  # NoQueryExecutionPlans: $near without an index
        15998,  # a field path that ends with a dot or is empty
        16410,  # a field path with a part that begins with $
        31249,  # two projections of one path
        31253,  # inclusion in an exclusion projection
        31254,  # exclusion in an inclusion projection
        40323,  # a stage with several fields
        40324,  # an unrecognized stage
    }
)

_AWAY = "a part of the cluster cannot be reached; try again"
_LOCKED = "another operation holds what this reads; try again"
_TOO_OLD = "the state that it reads is gone or not there yet; try again"

EXPLANATIONS: dict[int, str] = {
    1: "the server has an internal error; its log says why",
    **dict.fromkeys((6, 7, 202, 317, 9001), _AWAY),
    **dict.fromkeys((24, 46, 112), _LOCKED),
    **dict.fromkeys((134, 239, 246), _TOO_OLD),
    2: "a value or an option does not fit its operator, or a division is by zero",
    UNAUTHORIZED: "the hub's user may not read this; leave it out",
    14: "a value has a type that its operator does not take",
    20: "the server does not support this on such a deployment",
    26: "there is no such collection",
    43: "the server closed the cursor before it was read; try again",
    59: "the server does not know the command",
    115: "the server does not support this on such a collection",
    133: "a part of the cluster has no member that can answer; try again",
    136: "a capped collection was overwritten while it was read; try again",
    175: "the collection changed while it was read; try again",
    238: "the server does not implement a stage or an operator of this",
    241: "a value cannot be converted; give $convert an onError and an onNull",
    292: (
        "it needs more memory than a stage has without the disk; put $match and "
        "$project first, group or sort less, or sort by an index"
    ),
    304: "it needs more memory than the server grants",
    ATLAS_ERROR: (
        "Atlas does not allow this on the cluster's tier, or to the hub's user"
    ),
    10334: "a document that it makes is larger than 16 MB",
    11601: "the server interrupted it; try again",
    14031: "the server has no disk space left for this; ask for less",
    16819: "a sort needs more memory than it has; sort fewer documents or by an index",
    16945: "a group needs more memory than it has; put $match first",
    17419: "a document that it makes is larger than 16 MB",
}
