"""The SQL guard: one reading statement of known parts, or a refusal that says why.

`check` decides, `nodes`, `functions`, `relations` and `settings` hold what is
allowed, `known_names` is generated from a real catalog, `wrap` limits a result.
"""
