"""The McpHub resource as typed models: the one home of its fields.

The CRD in `crds/`, the reference in `docs/` and everything that the operator knows
about a hub come from here. Nothing in this package reads or writes anything.
"""
