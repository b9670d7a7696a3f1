"""docs/reference.md, written from the CRD: every field, its default and its rules.

`python -m mcphub_operator.crd_reference` prints it; a test holds it and the committed
file together, so the reference cannot tell of a field that is not there.
"""

import json
import sys
from collections.abc import Iterator

from mcphub_operator import names
from mcphub_operator.crd import build_crd
from mcphub_operator.crd_schema import JSON
from mcphub_operator.spec.model import RULES

_INTRODUCTION = """\
<!-- Made by `make crd` from the CRD; do not edit. -->
# McpHub reference

`apiVersion: {version}`, `kind: {kind}`, short name `mhub`. Every field of a hub, as
`kubectl explain mhub.spec` tells it too. The API server refuses a hub that breaks one
of the rules, with the sentence that stands here. (≤ 30) after a type: at most so many
characters, or items of a list.

`metadata.name` is at most 52 characters of small letters, digits and `-`, starting
with a letter: it begins the names of the hub's children.
"""

_TABLE = "| field | type | default | what it is |\n|---|---|---|---|\n"


def render_reference() -> str:
    """Return the text of docs/reference.md."""
    (version,) = build_crd()["spec"]["versions"]
    sections = version["schema"]["openAPIV3Schema"]["properties"]
    seen: dict[str, str] = {}
    parts = [_INTRODUCTION.format(version=names.API_VERSION, kind=names.KIND)]
    for section in ("spec", "status"):
        parts += _sections(section, sections[section], seen)
    return "\n".join(parts)


def _sections(path: str, schema: JSON, seen: dict[str, str]) -> Iterator[str]:
    """Yield a section with its fields and those below it, each shape only once."""
    shape = json.dumps(schema["properties"])
    if (first := seen.setdefault(shape, path)) != path:
        yield f"## {path}\n\nAs [{first}](#{_anchor(first)}).\n"
        return
    yield _section(path, schema)
    for name, field in schema["properties"].items():
        below, mark = _below(field)
        if "properties" in below:
            yield from _sections(f"{path}.{name}{mark}", below, seen)


def _anchor(heading: str) -> str:
    return "".join(c for c in heading.lower() if c.isalnum())


def _below(field: JSON) -> tuple[JSON, str]:
    return (field["items"], "[]") if "items" in field else (field, "")


def _section(path: str, schema: JSON) -> str:
    required = schema.get("required", ())
    rows = "".join(
        _row(name, field, is_required=name in required)
        for name, field in schema["properties"].items()
    )
    rules = "".join(f"\n- {_sentence(rule)}" for rule in schema.get(RULES, ()))
    told = f"{schema['description']}\n\n" if "description" in schema else ""
    return f"## {path}\n\n{told}{_TABLE}{rows}{rules and rules + chr(10)}"


def _row(name: str, field: JSON, *, is_required: bool) -> str:
    default = "**required**" if is_required else _default(field)
    return f"| `{name}` | {_type(field)} | {default} | {_told(field)} |\n"


def _default(field: JSON) -> str:
    if "default" not in field or "properties" in field:
        return ""
    return f"`{json.dumps(field['default'])}`"


def _type(field: JSON) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "x-kubernetes-int-or-string" in field:
        return "integer or text"
    if "items" in field:
        return f"list of {_type(field['items']).split(' (')[0]}s" + _most(field)
    if "additionalProperties" in field:
        return f"map to {_type(field['additionalProperties'])}"
    words = {"string": "text", "object": "section"}
    kind: str = field["type"]
    return words.get(kind, kind) + _range(field) + _most(field)


def _most(field: JSON) -> str:
    most = field.get("maxItems", field.get("maxLength"))
    return f" (≤ {most})" if most else ""


def _range(field: JSON) -> str:
    if "minimum" in field and "maximum" in field:
        return f" {field['minimum']} to {field['maximum']}"
    return f" from {field['minimum']}" if "minimum" in field else ""


def _told(field: JSON) -> str:
    """Tell what a field is and the rules about its value or its items' values."""
    below, _ = _below(field)
    own = [field] if "properties" in below else [field, below]
    rules = [rule for schema in own for rule in schema.get(RULES, ())]
    unique = {_sentence(rule): None for rule in rules if "properties" not in field}
    return _escaped(" ".join([field.get("description", ""), *unique]))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _sentence(rule: JSON) -> str:
    """End a rule's message and begin it like a sentence, unless with a field."""
    message: str = rule["message"]
    word = message.split(" ", 1)[0]
    is_word = word.isalpha() and word.islower()
    return f"{message[0].upper() if is_word else message[0]}{message[1:]}."


if __name__ == "__main__":
    sys.stdout.write(render_reference())
