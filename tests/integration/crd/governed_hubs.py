"""Hubs with tools, access rules and identity: refused ones with why, accepted ones."""

from typing import Any

POSTGRES = {
    "host": "postgres.data.svc",
    "database": "app",
    "credentialsSecretRef": {"name": "credentials"},
}
QDRANT = {"url": "http://qdrant.data.svc:6333"}
MONGODB = {
    "uri": "mongodb://mongo.data.svc",
    "database": "app",
    "credentialsSecretRef": {"name": "credentials"},
}
SETTING = {"name": "app.tenant", "fromClaim": "sub"}
PARAMETERS = "spec.tools[0].parameters[0]"
DEFAULT = "default must be of the type"
NAMED = "must be lowercase letters, digits and '_', starting with a letter"


def hub(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "mcp.bigtorig.com/v1alpha1",
        "kind": "McpHub",
        "metadata": {"name": "tried", "namespace": "default"},
        "spec": spec,
    }


def backend(**entry: Any) -> dict[str, Any]:
    return hub(backends=[{"name": "db", "postgres": POSTGRES} | entry])


def postgres(**changes: Any) -> dict[str, Any]:
    return backend(postgres=POSTGRES | changes)


def identity(**fields: Any) -> dict[str, Any]:
    return postgres(identity=fields)


def qdrant(**fields: Any) -> dict[str, Any]:
    options = QDRANT | {"identity": {"filter": [{"key": "tenant"} | fields]}}
    return hub(backends=[{"name": "db", "qdrant": options}])


def declared(**changes: Any) -> dict[str, Any]:
    fields = {"name": "made", "description": "d", "backend": "db", "statement": "x"}
    return fields | changes


def tool(**changes: Any) -> dict[str, Any]:
    tried = backend()
    tried["spec"]["tools"] = [declared(**changes)]
    return tried


def parameter(**fields: Any) -> dict[str, Any]:
    return tool(parameters=[{"name": "p", "type": "string"} | fields])


def access(auth: str = "Token", **fields: Any) -> dict[str, Any]:
    return hub(auth={"type": auth}, access={"rules": [{"tools": ["*"]} | fields]})


def prompt(**changes: Any) -> dict[str, Any]:
    tried = backend()
    fields = {"name": "made", "description": "d", "text": "Hello."}
    tried["spec"]["prompts"] = [fields | changes]
    return tried


def array(**fields: Any) -> dict[str, Any]:
    return parameter(type="array", items={"type": "string"}, **fields)


WEEK = {"name": "week"}
UNUSED = "text must use each argument as {{name}}"
UNKNOWN = "text must have no {{ other than {{name}} of an argument"

REFUSED = [
    (
        "a diagnosis with identity",
        postgres(diagnosis=True, identity={"settings": [SETTING]}),
        "spec.backends[0].postgres.diagnosis",
        "takes identity or diagnosis, not both",
    ),
    (
        "a diagnosis behind a pooler",
        postgres(diagnosis=True, pooler=True),
        "spec.backends[0].postgres.diagnosis",
        "diagnosis needs a database without pooler",
    ),
    ("a prompt with a dash", prompt(name="my-prompt"), "spec.prompts[0].name", NAMED),
    (
        "a prompt that does not use its argument",
        prompt(arguments=[WEEK]),
        "spec.prompts[0].text",
        UNUSED,
    ),
    (
        "a prompt with an unknown placeholder",
        prompt(text="In {{year}}."),
        "spec.prompts[0].text",
        UNKNOWN,
    ),
    (
        "a prompt with an unknown placeholder beside a known one",
        prompt(text="In {{week}} of {{year}}.", arguments=[WEEK]),
        "spec.prompts[0].text",
        UNKNOWN,
    ),
    (
        "a prompt with braces that do not end",
        prompt(text="In {{week}} and {{", arguments=[WEEK]),
        "spec.prompts[0].text",
        UNKNOWN,
    ),
    (
        "a prompt with blanks in a placeholder",
        prompt(text="In {{week}}, {{ week }}.", arguments=[WEEK]),
        "spec.prompts[0].text",
        UNKNOWN,
    ),
    (
        "a prompt about no backend",
        prompt(backend="other"),
        "spec.prompts",
        "backend of a prompt must be the name of a backend",
    ),
    ("a tool with a dash", tool(name="my-tool"), "spec.tools[0].name", NAMED),
    (
        "a tool of the hub's name",
        tool(name="health_check"),
        "spec.tools[0].name",
        "is the name of a tool that every hub has",
    ),
    (
        "a tool of a backend's name",
        tool(name="db_query"),
        "spec.tools",
        "a tool must not have the name of a tool that a backend provides",
    ),
    (
        "a tool of no backend",
        tool(backend="other"),
        "spec.tools",
        "each tool needs a backend of the kind",
    ),
    (
        "a tool on Qdrant",
        hub(backends=[{"name": "db", "qdrant": QDRANT}], tools=[declared()]),
        "spec.tools",
        "each tool needs a backend of the kind",
    ),
    (
        "more rows than the hub",
        tool(limits={"maxRows": 101}),
        "spec.tools",
        "a tool's limits.maxRows must not be above the hub's",
    ),
    (
        "more time than the hub",
        tool(limits={"statementTimeoutSeconds": 31}),
        "spec.tools",
        "a tool's limits.statementTimeoutSeconds must not be above the hub's",
    ),
    (
        "two parameters of one name",
        tool(parameters=[{"name": "p", "type": "date"}, {"name": "p", "type": "date"}]),
        "spec.tools[0].parameters",
        "parameters must have different names",
    ),
    ("a parameter with a dash", parameter(name="a-b"), f"{PARAMETERS}.name", NAMED),
    (
        "a parameter called cursor",
        parameter(name="cursor"),
        f"{PARAMETERS}.name",
        "must not be limit or cursor",
    ),
    (
        "a pattern of a number",
        parameter(type="integer", pattern="x"),
        PARAMETERS,
        "minLength, maxLength and pattern need type string",
    ),
    (
        "a minimum of a text",
        parameter(minimum=1),
        PARAMETERS,
        "minimum and maximum need type integer or number",
    ),
    (
        "an enum of booleans",
        parameter(type="boolean", enum=["true"]),
        PARAMETERS,
        "enum needs type string, integer or number",
    ),
    (
        "an enum of another type",
        parameter(type="integer", enum=["one"]),
        PARAMETERS,
        "enum must have values of the type",
    ),
    (
        "an array of nothing",
        parameter(type="array"),
        PARAMETERS,
        "type array needs items, and items need type array",
    ),
    (
        "a number of items of a text",
        parameter(minItems=1),
        PARAMETERS,
        "minItems and maxItems need type array",
    ),
    (
        "two sources",
        parameter(fromClaim="sub", default="x"),
        PARAMETERS,
        "takes fromClaim or default, not both",
    ),
    (
        "an array from a claim",
        array(fromClaim="sub"),
        PARAMETERS,
        "fromClaim needs a type other than array",
    ),
    ("a default text", parameter(type="integer", default="5"), PARAMETERS, DEFAULT),
    ("a default number", parameter(default=5), PARAMETERS, DEFAULT),
    ("a default day", parameter(type="date", default="today"), PARAMETERS, DEFAULT),
    ("a default array", array(default="x"), PARAMETERS, DEFAULT),
    (
        "a default beside the enum",
        parameter(enum=["a"], default="b"),
        PARAMETERS,
        "default must be one of enum",
    ),
    (
        "a default below the minimum",
        parameter(type="integer", minimum=1, default=0),
        PARAMETERS,
        "default must be between minimum and maximum",
    ),
    (
        "a claim that tokens lack",
        parameter(fromClaim="tenant"),
        "spec.tools",
        "fromClaim needs auth.type JWT",
    ),
    (
        "selected tools of mode All",
        backend(builtInTools={"selected": ["query"]}),
        "spec.backends[0].builtInTools.selected",
        "selected needs mode Selected",
    ),
    (
        "a selected tool of another kind",
        backend(builtInTools={"mode": "Selected", "selected": ["search"]}),
        "spec.backends[0].builtInTools",
        "builtInTools.selected must name tools of this kind of backend",
    ),
    (
        "a function without a schema",
        postgres(allowedFunctions=["search"]),
        "spec.backends[0].postgres.allowedFunctions[0]",
        "must be a function with its schema",
    ),
    (
        "functions with identity",
        postgres(allowedFunctions=["a.b"], identity={"settings": [SETTING]}),
        "spec.backends[0].postgres",
        "takes identity or allowedFunctions, not both",
    ),
    (
        "an identity of nothing",
        identity(settings=[]),
        "spec.backends[0].postgres.identity",
        "needs role or settings",
    ),
    (
        "a setting of PostgreSQL",
        identity(settings=[SETTING | {"name": "role"}]),
        "spec.backends[0].postgres.identity.settings[0].name",
        "must be a setting of your own with a dot in it",
    ),
    (
        "the role None",
        identity(role={"fromClaim": "sub", "map": {"a": "None"}}),
        "spec.backends[0].postgres.identity.role.map",
        "must not map to none",
    ),
    (
        "an identity that tokens lack",
        identity(settings=[SETTING | {"fromClaim": "tenant"}]),
        "spec.backends",
        "identity needs auth.type JWT",
    ),
    (
        "a filter by a claim that tokens lack",
        qdrant(fromClaim="tenant"),
        "spec.backends",
        "identity needs auth.type JWT",
    ),
    (
        "a filter by no path",
        qdrant(fromClaim="sub", key='a"b'),
        "spec.backends[0].qdrant.identity.filter[0].key",
        "must be the path of a payload field",
    ),
    (
        "a star in a name",
        access(clients=["a*b"]),
        "spec.access.rules[0].clients[0]",
        "may have one '*', at its end",
    ),
    (
        "access without authentication",
        access("None"),
        "spec.access",
        "access needs auth.type Token or JWT",
    ),
    (
        "scopes of tokens",
        access(scopes=["read"]),
        "spec.access",
        "scopes and claims other than sub need auth.type JWT",
    ),
]

DISABLED = {"name": "db", "enabled": False, "postgres": POSTGRES}

ACCEPTED = [
    ("a diagnosis", postgres(diagnosis=True)),
    ("no diagnosis behind a pooler", postgres(diagnosis=False, pooler=True)),
    ("a prompt", prompt()),
    ("a prompt about a backend", prompt(backend="db")),
    ("a prompt with CSS", prompt(text="a {color: red} {week} }}")),
    (
        "a prompt that uses its argument twice",
        prompt(text="{{week}} {{week}}{{day}}", arguments=[WEEK, {"name": "day"}]),
    ),
    ("a tool", tool(limits={"maxRows": 100})),
    (
        "a tool on MongoDB",
        hub(backends=[{"name": "db", "mongodb": MONGODB}], tools=[declared()]),
    ),
    ("a tool of nearly a built-in name", tool(name="db_queries")),
    ("a tool of a disabled backend", hub(backends=[DISABLED], tools=[declared()])),
    ("a day", parameter(type="date", default="2026-01-31")),
    ("a moment", parameter(type="timestamp", default="2026-01-31T12:00:00Z")),
    ("a fraction", parameter(type="number", default="0.5", enum=["0.5", 1])),
    ("a boolean", parameter(type="boolean", default="true")),
    ("a choice", parameter(enum=["a", "b"], default="a")),
    ("an array", array(minItems=1)),
    ("a token's name", parameter(fromClaim="sub")),
    ("rules for tokens", access(clients=["a", "b-*", "*"], claims={"sub": ["a"]})),
    ("no rule", hub(access={})),
    ("an identity of tokens", identity(settings=[SETTING])),
    (
        "a role by the token's name",
        identity(role={"fromClaim": "sub", "map": {"a": "analyst"}}),
    ),
    ("a filter by the token's name", qdrant(fromClaim="sub", key="owners[].id")),
    ("an allowed function", postgres(allowedFunctions=["shop.find"])),
]
