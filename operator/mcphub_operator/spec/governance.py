"""Rules that tie tools, access and identity to the rest of a hub's spec.

Python does not repeat them: a hub from an older CRD that breaks one is served, and the
servers say what is wrong with the tool in question. The API server also tries the rules
on the default of `spec`, which is empty, so each says what an absent field means.
"""

from mcphub_operator.spec.backends.backend import DECLARING, TOOLS
from mcphub_operator.spec.model import has_none, is_empty, rule

_RUNS = " || ".join(f"has(b.{kind})" for kind in DECLARING)
_IS_JWT = "(has(self.auth) && self.auth.type == 'JWT')"
_IS_TOKEN = "self.auth.type == 'Token'"  # noqa: S105 - a rule
_EACH_TOOL = "!has(self.tools) || self.tools.all(t, "


def _provides(kind: str, tools: tuple[str, ...]) -> str:
    names = ", ".join(f"b.name + '_{tool}'" for tool in tools)
    return f"(has(b.{kind}) && t.name in [{names}])"


_PROVIDED = " || ".join(_provides(kind, tools) for kind, tools in TOOLS.items())
_SUBJECT = f"{is_empty('p.fromClaim')} || ({_IS_TOKEN} && p.fromClaim == 'sub')"

_POSTGRES_IDENTITY = (
    "(!has(b.postgres) || !has(b.postgres.identity)"
    f" || ({_IS_TOKEN}"
    " && (!has(b.postgres.identity.role)"
    " || b.postgres.identity.role.fromClaim == 'sub')"
    " && (!has(b.postgres.identity.settings)"
    " || b.postgres.identity.settings.all(s, s.fromClaim == 'sub'))))"
)
_QDRANT_IDENTITY = (
    "(!has(b.qdrant) || !has(b.qdrant.identity)"
    f" || ({_IS_TOKEN}"
    " && b.qdrant.identity.filter.all(f, f.fromClaim == 'sub')))"
)
_IDENTITY = f"{_POSTGRES_IDENTITY} && {_QDRANT_IDENTITY}"

GOVERNANCE = (
    rule(
        f"{_EACH_TOOL}self.backends.exists(b, b.name == t.backend && ({_RUNS})))",
        "each tool needs a backend of the kind "
        f"{', '.join(DECLARING[:-1])} or {DECLARING[-1]}",
        field="tools",
    ),
    rule(
        f"{_EACH_TOOL}!self.backends.exists(b, {_PROVIDED}))",
        "a tool must not have the name of a tool that a backend provides",
        field="tools",
    ),
    rule(
        f"{_EACH_TOOL}!has(t.limits) || !has(t.limits.maxRows)"
        " || t.limits.maxRows <= self.limits.maxRows)",
        "a tool's limits.maxRows must not be above the hub's",
        field="tools",
    ),
    rule(
        f"{_EACH_TOOL}!has(t.limits) || !has(t.limits.statementTimeoutSeconds)"
        " || t.limits.statementTimeoutSeconds <= self.limits.statementTimeoutSeconds)",
        "a tool's limits.statementTimeoutSeconds must not be above the hub's",
        field="tools",
    ),
    rule(
        "!has(self.prompts) || self.prompts.all(p, !has(p.backend)"
        " || (has(self.backends) && self.backends.exists(b, b.name == p.backend)))",
        "backend of a prompt must be the name of a backend",
        field="prompts",
    ),
    rule(
        f"{_IS_JWT} || {_EACH_TOOL}!has(t.parameters)"
        f" || t.parameters.all(p, {_SUBJECT}))",
        "fromClaim needs auth.type JWT; with auth.type Token, only sub is known",
        field="tools",
    ),
    rule(
        f"{_IS_JWT} || !has(self.backends) || self.backends.all(b, {_IDENTITY})",
        "identity needs auth.type JWT; with auth.type Token, only the claim sub is"
        " known",
        field="backends",
    ),
    rule(
        "!has(self.access) || self.auth.type != 'None'",
        "access needs auth.type Token or JWT: without, clients have no names",
        field="access",
    ),
    rule(
        f"{_IS_JWT} || !has(self.access)"
        f" || self.access.rules.all(r, {has_none('r.scopes')}"
        " && (!has(r.claims) || r.claims.all(c, c == 'sub')))",
        "scopes and claims other than sub need auth.type JWT",
        field="access",
    ),
)
