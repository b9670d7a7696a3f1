"""The McpHub resource as typed models: the single source of its fields.

The CRD in `crds/`, the reference in `docs/` and the operator's view of a hub derive
from these models. This package does no I/O.
"""
