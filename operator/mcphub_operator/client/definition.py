"""Is the cluster's McpHub definition the one that this operator was written for?

Asked through discovery, which every service account may read, so that no right on
CustomResourceDefinitions is needed.
"""

from mcphub_operator import names
from mcphub_operator.client.api import Api, Object
from mcphub_operator.errors import NotFound, NotServed, WrongResourceDefinition
from mcphub_operator.spec.hub_spec import HubSpec

REMEDY = "apply the crds/ of this operator's version (`kubectl apply -k config/crd`)"
OPENAPI = f"/openapi/v3/apis/{names.API_VERSION}"


async def check_definition(api: Api) -> None:
    """Check that McpHubs exist and have every field that the operator reads.

    Raises:
        WrongResourceDefinition: they do not; the message says what to do.
    """
    try:
        found = await api.get_path(f"/apis/{names.API_VERSION}")
        document = await api.get_path(OPENAPI)
    except (NotFound, NotServed):
        raise WrongResourceDefinition(
            f"the cluster has no {names.PLURAL}.{names.GROUP}; {REMEDY}"
        ) from None
    served = {resource["name"] for resource in found.get("resources") or ()}
    needed = {names.PLURAL, f"{names.PLURAL}/status", f"{names.PLURAL}/scale"}
    missing = sorted(needed - served) or find_missing_fields(document)
    if missing:
        raise WrongResourceDefinition(
            f"the cluster's definition of {names.KIND} is older than this operator"
            f" and lacks {', '.join(missing)}; {REMEDY}"
        )


def find_missing_fields(document: Object) -> list[str]:
    """Return the fields of the spec that an OpenAPI document does not know."""
    schemas = (document.get("components") or {}).get("schemas") or {}
    known = next(
        (
            schema["properties"]["spec"].get("properties") or {}
            for schema in schemas.values()
            if _is_hub(schema)
        ),
        {},
    )
    wanted = HubSpec.model_json_schema(by_alias=True)["properties"]
    return [f"spec.{name}" for name in wanted if name not in known]


def _is_hub(schema: Object) -> bool:
    kinds = schema.get("x-kubernetes-group-version-kind") or ()
    return "spec" in (schema.get("properties") or {}) and any(
        kind.get("kind") == names.KIND and kind.get("group") == names.GROUP
        for kind in kinds
    )
