"""Which procedures and functions a statement may call.

What Neo4j calls READ includes opening URLs, reading files and running strings, so
its own classes are not enough: listed is what computes values or walks the graph.
APOC's packages of pure functions are named as packages; of its procedures, only
those that take no statement, no address and no file.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from neo4j_guard._rules import Rules

_PLAIN_FUNCTIONS = Rules.build("read", (), ()).allowed_functions

_FUNCTIONS = (
    *(name for name in _PLAIN_FUNCTIONS if name not in {"file", "linenumber"}),
    *"""
    all any none single reduce shortestpath allshortestpaths normalize trim cosh coth
    sinh tanh ceiling ln power mod format cardinality collect_list path_length
    element_id percentile_cont percentile_disc stdev_pop stdev_samp
    current_date current_time current_timestamp local_time local_datetime
    zoned_time zoned_datetime duration_between vector vector_distance vector_norm
    tovector tointegerlist tofloatlist tostringlist tobooleanlist

    apoc.agg.* apoc.any.* apoc.bitwise.* apoc.coll.* apoc.convert.* apoc.create.*
    apoc.data.*
    apoc.date.* apoc.diff.* apoc.hashing.* apoc.json.* apoc.label.* apoc.map.*
    apoc.math.* apoc.meta.cypher.* apoc.meta.type apoc.meta.typename
    apoc.meta.types apoc.meta.istype apoc.meta.nodes.* apoc.node.* apoc.nodes.*
    apoc.number.* apoc.path.* apoc.rel.* apoc.schema.* apoc.scoring.* apoc.temporal.*
    apoc.text.* apoc.util.md5 apoc.util.sha1 apoc.util.sha256 apoc.util.sha384
    apoc.util.sha512 apoc.util.validatepredicate apoc.version
    """.split(),
)

_PROCEDURES = tuple(
    """
    db.index.fulltext.queryNodes db.index.fulltext.queryRelationships
    db.index.fulltext.listAvailableAnalyzers
    db.index.vector.queryNodes db.index.vector.queryRelationships
    db.info db.labels db.ping db.propertyKeys db.relationshipTypes
    db.schema.nodeTypeProperties db.schema.relTypeProperties db.schema.visualization
    dbms.components

    apoc.algo.aStar apoc.algo.aStarConfig apoc.algo.allSimplePaths apoc.algo.cover
    apoc.algo.dijkstra apoc.coll.elements apoc.coll.partition apoc.coll.split
    apoc.coll.zipToRows apoc.convert.toTree apoc.example.help apoc.help
    apoc.meta.data apoc.meta.graph apoc.meta.graphSample apoc.meta.nodeTypeProperties
    apoc.meta.relTypeProperties apoc.meta.schema apoc.meta.stats apoc.meta.subGraph
    apoc.neighbors.athop apoc.neighbors.athop.count apoc.neighbors.byhop
    apoc.neighbors.byhop.count apoc.neighbors.tohop apoc.neighbors.tohop.count
    apoc.nodes.get apoc.rels.get apoc.schema.nodes apoc.schema.relationships
    apoc.path.expand apoc.path.expandConfig apoc.path.spanningTree
    apoc.path.subgraphAll apoc.path.subgraphNodes apoc.search.node
    apoc.search.nodeAll apoc.search.nodeAllReduced apoc.search.nodeReduced
    apoc.stats.degrees apoc.text.doubleMetaphone apoc.text.phonetic
    apoc.text.phoneticDelta
    """.lower().split()
)

SERVER_PROCEDURES = frozenset({"dbms.components"})
"""Of these, those of which EXPLAIN says that they are about the server."""


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)


def is_reading_function(name: str) -> bool:
    """Say whether a function only computes; names are case-insensitive."""
    return _matches(name, _FUNCTIONS)


def is_reading_procedure(name: str) -> bool:
    """Say whether a procedure only reads this graph."""
    return name.lower() in _PROCEDURES
