"""Whether the cluster's definition of McpHub fits this operator."""

from mcphub_operator.client.definition import find_missing_fields
from mcphub_operator.spec.hub_spec import HubSpec

FIELDS = HubSpec.model_json_schema(by_alias=True)["properties"]


def document(fields: dict) -> dict:
    kind = {"group": "mcp.bigtorig.com", "kind": "McpHub", "version": "v1alpha1"}
    schema = {
        "x-kubernetes-group-version-kind": [kind],
        "properties": {"spec": {"properties": fields}},
    }
    other = {"x-kubernetes-group-version-kind": [{**kind, "kind": "McpHubList"}]}
    return {"components": {"schemas": {"List": other, "Hub": schema}}}


def test_a_definition_of_this_version_lacks_nothing():
    assert find_missing_fields(document(FIELDS)) == []


def test_a_newer_definition_lacks_nothing():
    assert find_missing_fields(document({**FIELDS, "future": {}})) == []


def test_an_older_definition_is_told_what_it_lacks():
    older = {k: v for k, v in FIELDS.items() if k != "networkPolicy"}

    assert find_missing_fields(document(older)) == ["spec.networkPolicy"]


def test_a_document_without_hubs_lacks_everything():
    assert len(find_missing_fields({})) == len(FIELDS)
