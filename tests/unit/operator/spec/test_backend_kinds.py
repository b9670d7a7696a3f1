"""Every kind of backend has all of its parts, the server's side included."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from mcphub_operator.resources.network_policy import find_outside_ports
from mcphub_operator.spec.backends.backend import KINDS, Backend
from mcphub_operator.spec.backends.kind import (
    BackendKind,
    CredentialsRef,
    SecretKeyRef,
)
from mcphub_operator.spec.hub import Hub, parse_hub
from mcphub_operator.spec.model import Model
from mcphub_operator.spec.references import secret_refs
from mcphub_server.config import backends as server
from tests.support.observed import body

ROOT = Path(__file__).parents[4]
FILE_NAMES = {"username", "password", "apiKey", "ca.crt", "embeddingApiKey"}
"""What the server reads below /etc/mcphub/secrets/<backend>."""

each_kind = pytest.mark.parametrize("kind", KINDS)


def find_class(kind: str) -> type[BackendKind]:
    (found,) = (
        each
        for each in get_args(Backend.model_fields[kind].annotation)
        if each is not type(None)
    )
    return found


def read_example(kind: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((ROOT / f"examples/{kind}.yaml").read_text())
    (hub,) = (d for d in documents if d["kind"] == "McpHub")
    return hub


def find_references(model: type[Model], prefix: str = "") -> set[str]:
    """Paths of the fields that refer to a Secret."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        shape = field.annotation
        if shape in (CredentialsRef, SecretKeyRef):
            found.add(prefix + name)
        elif isinstance(shape, type) and issubclass(shape, Model):
            found |= find_references(shape, f"{prefix}{name}.")
    return found


def fill(model: type[Model]) -> dict[str, Any]:
    """A value for every field that refers to a Secret, each to one of its own."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        alias, shape = field.alias or name, field.annotation
        if shape is CredentialsRef:
            found[alias] = {"name": f"secret-{name}"}
        elif shape is SecretKeyRef:
            found[alias] = {"name": f"secret-{name}", "key": "key"}
        elif isinstance(shape, type) and issubclass(shape, Model):
            found[alias] = fill(shape) | {"url": "https://e", "model": "m"}
    return found


def build_hub(kind: str, *, enabled: bool = True) -> Hub:
    (backend,) = (b for b in read_example(kind)["spec"]["backends"] if kind in b)
    options = backend[kind] | fill(find_class(kind))
    return parse_hub(body(backends=[{"name": "db", "enabled": enabled, kind: options}]))


def test_operator_and_server_know_the_same_kinds():
    assert set(server.KINDS) == set(KINDS)


@each_kind
def test_a_kind_is_a_class_of_options(kind: str):
    assert issubclass(find_class(kind), BackendKind)


@each_kind
def test_a_kind_has_an_example(kind: str):
    spec = read_example(kind)["spec"]

    assert any(kind in backend for backend in spec["backends"])


@each_kind
def test_a_kind_is_in_the_docs(kind: str):
    for page in ("databases", "tools", "configuration"):
        text = (ROOT / f"docs/{page}.md").read_text().lower()
        assert kind in text, page


@each_kind
def test_a_kind_has_a_schema_that_bounds_its_texts(kind: str):
    crd = yaml.safe_load((ROOT / "crds/mcphubs.yaml").read_text())
    (version,) = crd["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    options = spec["backends"]["items"]["properties"][kind]

    texts = [p for p in options["properties"].values() if p.get("type") == "string"]

    assert texts or find_class(kind).NEEDS_API_TOKEN
    assert all("maxLength" in text or "enum" in text for text in texts)


@each_kind
def test_a_kind_opens_the_way_to_its_address(kind: str):
    assert find_outside_ports(build_hub(kind))
    assert not find_outside_ports(build_hub(kind, enabled=False))
    endpoints = list(build_hub(kind).spec.backends[0].options.endpoints())
    assert all(endpoint.host for endpoint in endpoints)


@each_kind
def test_every_secret_that_a_kind_refers_to_becomes_files_that_the_server_reads(
    kind: str,
):
    references = find_references(find_class(kind))

    refs = secret_refs(build_hub(kind))

    assert references or find_class(kind).NEEDS_API_TOKEN
    found = {ref.secret_name.removeprefix("secret-") for ref in refs}
    assert found == {path.rpartition(".")[2] for path in references}
    assert {ref.file_name for ref in refs} <= FILE_NAMES
