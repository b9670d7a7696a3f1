"""The string types of a hub's fields, each with its maximum length and its rule.

Every length is bounded, because the API server estimates the cost of a CEL rule from
the longest possible text. CEL checks URLs instead of `pattern`: the message of a
violated pattern contains the value, and the value may contain a password.
"""

from typing import Annotated, Any

from pydantic import Field

from mcphub_operator.spec.model import rule, rules

_NO_CREDENTIALS = rule(
    "!self.matches('^[^:/?#]*://[^/?#]*@')",
    "takes no user name or password; put credentials into a Secret",
    hides_value=True,
)


def _url(schemes: str, example: str, *, optional: bool = False) -> dict[str, Any]:
    pattern = f"^({schemes})://[^/?#\\\\s]+(/[^?#\\\\s]*)?$"
    accepted = f"self.matches('{pattern}')"
    shape = rule(
        f"self == '' || {accepted}" if optional else accepted,
        f"must be a URL such as {example}, without query or fragment",
        hides_value=True,
    )
    return rules(shape, _NO_CREDENTIALS)


Name = Annotated[str, Field(max_length=253)]
"""The name of another Kubernetes object; empty where it is optional."""

RequiredName = Annotated[str, Field(min_length=1, max_length=253)]

SecretKey = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")
]

OptionalSecretKey = Annotated[str, Field(max_length=253, pattern=r"^[-._a-zA-Z0-9]*$")]

PortName = Annotated[
    str, Field(max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")
]
"""The name of a Service's port; a Service with one port needs none."""

_BACKEND_NAME = "^[a-z][a-z0-9_]{0,29}$"
_BACKEND_NAME_SHAPE = (
    "must be lowercase letters, digits and '_', starting with a letter, such as"
    " orders_db: it begins the names of tools, which take no '-'"
)


BackendName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=30,
        json_schema_extra=rules(
            rule(f"self.matches('{_BACKEND_NAME}')", _BACKEND_NAME_SHAPE)
        ),
    ),
]

Text = Annotated[str, Field(max_length=253)]

DatabaseName = Annotated[str, Field(min_length=1, max_length=63)]

Host = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        json_schema_extra=rules(
            rule(
                "self.matches('^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$')"
                " || isIP(self)",
                "must be a host name or an IP address alone, such as"
                " postgres.data.svc; port, database and credentials have their own"
                " fields",
                hides_value=True,
            )
        ),
    ),
]

HTTPURL = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2048,
        json_schema_extra=_url("https?", "http://qdrant.data.svc:6333"),
    ),
]

OptionalHTTPURL = Annotated[
    str,
    Field(
        max_length=2048,
        json_schema_extra=_url("https?", "https://mcp.example.com", optional=True),
    ),
]

OptionalOTLPURL = Annotated[
    str,
    Field(
        max_length=2048,
        json_schema_extra=_url(
            "https?", "http://otel-collector.observability.svc:4318", optional=True
        ),
    ),
]

Neo4jURI = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2048,
        json_schema_extra=_url(
            "(neo4j|bolt)([+](s|ssc))?", "neo4j://neo4j.data.svc:7687"
        ),
    ),
]

_MEMBER = "([^][/?#@,:\\\\s]+|[[][0-9a-fA-F:.]+[]])(:[0-9]{1,5})?"

MongodbURI = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2048,
        json_schema_extra=rules(
            rule(
                f"self.matches('^mongodb://{_MEMBER}(,{_MEMBER})*/?$')"
                " || self.matches('^mongodb[+]srv://[^][/?#@,:\\\\s]+/?$')",
                "must be a URI such as mongodb://mongo.data.svc:27017, without database"
                " and options: they have fields of their own",
                hides_value=True,
            ),
            _NO_CREDENTIALS,
        ),
    ),
]

NamespaceName = Annotated[
    str,
    Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"),
]

CollectionName = Annotated[str, Field(min_length=1, max_length=255)]

Issuer = Annotated[
    str, Field(max_length=2048, json_schema_extra=rules(_NO_CREDENTIALS))
]

AllowedHost = Annotated[
    str,
    Field(
        min_length=1,
        max_length=262,
        json_schema_extra=rules(
            rule(
                "!self.matches('[/@*\\\\s]')",
                "must be a host as browsers send it, such as mcp.example.com or"
                " mcp.example.com:8443, without scheme, path or wildcard",
                hides_value=True,
            )
        ),
    ),
]

Hostname = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        json_schema_extra=rules(
            rule(
                "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?"
                "([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$') && !isIP(self)",
                "must be a host name in lower case, such as mcp.example.com, without"
                " scheme, port, path or wildcard",
                hides_value=True,
            )
        ),
    ),
]

DNSName = Annotated[
    str, Field(max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$")
]
"""The name of a cluster's object, such as a class; empty where it is optional."""

CIDR = Annotated[
    str,
    Field(
        min_length=1,
        max_length=49,
        json_schema_extra=rules(
            rule("isCIDR(self)", "must be an address range such as 10.0.0.0/8")
        ),
    ),
]

ClaimName = Annotated[str, Field(max_length=253)]
"""The name of a claim in the caller's token; empty where it is optional."""

RequiredClaimName = Annotated[str, Field(min_length=1, max_length=253)]

ScopeName = Annotated[str, Field(max_length=253, pattern=r"^[!#-\[\]-~]+$")]
"""The name of a scope (RFC 6749, section 3.3): it stands in a header."""

LabelValue = Annotated[
    str,
    Field(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"),
]

AnnotationValue = Annotated[str, Field(max_length=16384)]
