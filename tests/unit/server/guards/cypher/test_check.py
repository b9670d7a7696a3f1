"""The Cypher guard: what reads passes, what writes or reaches out does not."""

# ruff: noqa: E501 -- one statement a line keeps the table readable

import pytest

from mcphub_server.errors import Rejected
from mcphub_server.guards.cypher.check import check_cypher
from mcphub_server.guards.cypher.text import split_prefix
from tests.support.effort import at_most

READING = {
    "a node": "MATCH (n:Person) RETURN n LIMIT 10",
    "no label": "MATCH (n) RETURN count(*)",
    "a relationship": "MATCH (a:Person)-[r:KNOWS]->(b) RETURN a.name, type(r), b.name",
    "an optional match": "MATCH (a) OPTIONAL MATCH (a)-->(b) RETURN a, b",
    "a where": "MATCH (n) WHERE n.age > 30 AND n.name STARTS WITH 'A' RETURN n",
    "string predicates": "MATCH (n) WHERE n.a CONTAINS 'x' OR n.b ENDS WITH 'y' OR n.c =~ '.*z' RETURN n",
    "null checks and in": "MATCH (n) WHERE n.a IS NOT NULL AND n.b IN [1, 2] RETURN n",
    "an aggregate": "MATCH (n) RETURN n.country AS c, count(*) AS k, collect(n.name), avg(n.age) ORDER BY k DESC",
    "distinct": "MATCH (n) RETURN DISTINCT labels(n)",
    "with": "MATCH (n) WITH n, size(n.name) AS l WHERE l > 3 RETURN n ORDER BY l SKIP 5 LIMIT 5",
    "unwind": "UNWIND [1, 2, 3] AS x RETURN x * 2",
    "a parameter": "MATCH (n {name: $name}) WHERE n.id = $id RETURN n",
    "union": "RETURN 1 AS x UNION ALL RETURN 2 AS x",
    "a path": "MATCH p = (a)-[*1..3]->(b) RETURN p, length(p), nodes(p), relationships(p)",
    "a quantified path": "MATCH (a) ((x)-[:R]->(y)){1,3} (b) RETURN a, b",
    "the shortest path": "MATCH p = shortestPath((a:A)-[*..5]-(b:B)) RETURN p",
    "a shortest path of GQL": "MATCH p = SHORTEST 1 (a:A)-[:R]-+(b:B) RETURN p",
    "a case": "MATCH (n) RETURN CASE WHEN n.a > 1 THEN 'x' ELSE 'y' END, CASE n.b WHEN 1 THEN 2 END",
    "list comprehensions": "RETURN [x IN range(1, 5) WHERE x % 2 = 0 | x ^ 2], reduce(s = 0, x IN [1, 2] | s + x)",
    "list predicates": "RETURN any(x IN [1] WHERE x = 1), all(x IN [1] WHERE x = 1), none(x IN [] WHERE x), single(x IN [1] WHERE x = 1)",
    "a pattern comprehension": "MATCH (a) RETURN [(a)-->(b) WHERE b.x > 1 | b.name]",
    "a map projection": "MATCH (n) RETURN n {.name, .age, k: 1, .*}",
    "exists": "MATCH (n) WHERE EXISTS { (n)-[:R]->(:X) } RETURN n",
    "count and collect": "MATCH (n) RETURN COUNT { (n)-->() } AS k, COLLECT { MATCH (n)-->(m) RETURN m.name } AS names",
    "a subquery": "MATCH (n) CALL (n) { MATCH (n)-->(m) RETURN count(m) AS k } RETURN n, k",
    "an old subquery": "MATCH (n) CALL { WITH n MATCH (n)-->(m) RETURN count(m) AS k } RETURN n, k",
    "times": "RETURN date(), datetime('2024-01-01T00:00Z'), duration('P1D'), date.truncate('month', date()), duration.between(date('2024-01-01'), date()), localdatetime(), time()",
    "places": "RETURN point({latitude: 1, longitude: 2}), point.distance(point({x: 1, y: 2}), point({x: 2, y: 3}))",
    "strings": "RETURN toUpper('a'), split('a,b', ','), substring('abc', 1), trim(' a '), replace('a', 'b', 'c'), left('abc', 1), toString(1), toInteger('1')",
    "numbers": "RETURN abs(-1), ceil(1.5), round(1.55, 1), rand(), sqrt(4), log(2), sin(1), percentileCont(1, 0.5), stDev(1)",
    "ids": "MATCH (n) RETURN elementId(n), id(n), keys(n), properties(n)",
    "labels": "CALL db.labels() YIELD label RETURN label",
    "labels alone": "CALL db.labels()",
    "the schema": "CALL db.schema.visualization()",
    "property types": "CALL db.schema.nodeTypeProperties() YIELD nodeType, propertyName RETURN *",
    "relationship types": "CALL db.relationshipTypes()",
    "a full-text search": "CALL db.index.fulltext.queryNodes('names', 'ann~') YIELD node, score RETURN node.name, score",
    "a vector search": "CALL db.index.vector.queryNodes('v', 5, $vector) YIELD node, score RETURN node, score",
    "APOC text": "RETURN apoc.text.join(['a', 'b'], ','), apoc.coll.max([1, 2]), apoc.map.fromPairs([['a', 1]])",
    "APOC's schema": "CALL apoc.meta.schema() YIELD value RETURN value",
    "APOC's paths": "MATCH (a) CALL apoc.path.subgraphNodes(a, {maxLevel: 2}) YIELD node RETURN node",
    "keywords as names": "MATCH (n:Delete)-[:SET]->(m) RETURN n.`merge` AS `create`",
    "keywords in strings": "MATCH (n) WHERE n.name = 'CREATE (x) DELETE y' RETURN n",
    "keywords in comments": "MATCH (n) /* DELETE n */ RETURN n // SET n.x = 1",
    "label expressions": "MATCH (n:(A|B)&!C) RETURN n",
    "a type predicate": "MATCH (n) WHERE n.x IS :: INTEGER RETURN valueType(n.x)",
    "dynamic labels": "MATCH (n:$($label)) RETURN n",
    "a semicolon": "MATCH (n) RETURN n;",
    "several lines": "MATCH (n)\n\n  WHERE n.x = 1\nRETURN n\n",
    "a plan": "EXPLAIN MATCH (n) RETURN n",
    "a path of Windows": r"MATCH (f) WHERE f.path = 'C:\\users\\1' RETURN f",
    "a backslash and a u": r"RETURN '\\upper', '\\u12'",
    "a version": "CYPHER 5 MATCH (n) RETURN n",
    "a newer version": "CYPHER 25 MATCH (n) RETURN n",
    "a runtime": "CYPHER runtime=slotted MATCH (n) RETURN n",
    "a version and options": "CYPHER 5 planner = cost runtime=pipelined MATCH (n) RETURN n",
    "a plan of a version": "EXPLAIN CYPHER 25 MATCH (n) RETURN n",
    "a version of a plan": "/* a */ CYPHER 25 /* b */ EXPLAIN MATCH (n) RETURN n",
    "indexes": "SHOW INDEXES",
    "names of indexes": "SHOW INDEXES YIELD name, type WHERE type = 'VECTOR' RETURN name",
    "indexes of texts": "SHOW FULLTEXT INDEXES YIELD name RETURN name",
    "constraints": "SHOW CONSTRAINTS",
    "functions that the hub's user may call": "SHOW FUNCTIONS EXECUTABLE BY CURRENT USER",
    "procedures that it may call": "SHOW PROCEDURES EXECUTABLE YIELD name",
    "the type of the graph": "SHOW CURRENT GRAPH TYPE",
    "an option with a line": "CYPHER inferSchemaParts=most_selective_label MATCH (n) RETURN n",
    "options of the planner": "CYPHER 5 connectComponentsPlanner=greedy updateStrategy=eager replan=force MATCH (n) RETURN n",
    "an identifier": "RETURN apoc.create.uuid()",
    "a virtual node": "RETURN apoc.create.vNode(['A'], {a: 1})",
    "a condition that raises": "MATCH (n) WHERE apoc.util.validatePredicate(n.a > 1, 'no', []) RETURN n",
    "indexes by APOC": "CALL apoc.schema.nodes() YIELD name RETURN name",
    "constraints of uniqueness": "SHOW UNIQUENESS CONSTRAINTS YIELD name RETURN name",
}  # fmt: skip


@pytest.mark.parametrize("cypher", [pytest.param(v, id=k) for k, v in READING.items()])
def test_ordinary_cypher_passes(cypher):
    assert check_cypher(cypher).text


CLAUSE, PROCEDURE, FUNCTION = (
    "read-only/clause",
    "read-only/procedure",
    "read-only/function",
)
ATTACKS = [
    (CLAUSE, "CREATE (n:X)", "create"),
    (CLAUSE, "MERGE (n:X) RETURN n", "merge"),
    (CLAUSE, "MATCH (n) DELETE n", "delete"),
    (CLAUSE, "MATCH (n) DETACH DELETE n", "detach delete"),
    (CLAUSE, "MATCH (n) NODETACH DELETE n", "nodetach delete"),
    (CLAUSE, "MATCH (n) SET n:Label", "a label"),
    (CLAUSE, "MATCH (n) SET n += {a: 1}", "properties"),
    (CLAUSE, "MATCH (n) REMOVE n.x", "remove"),
    (CLAUSE, "MATCH (n) FOREACH (x IN [1] | SET n.x = x)", "foreach"),
    (CLAUSE, "MATCH (n) CALL (n) { CREATE (m) } RETURN n", "a write in a subquery"),
    (CLAUSE, "MATCH (n) CALL { WITH n DELETE n } RETURN 1", "a write in an old subquery"),
    (CLAUSE, "CALL { CALL { CREATE (n) } RETURN 1 AS x } RETURN x", "a write two deep"),
    (CLAUSE, "RETURN EXISTS { CREATE (n) }", "a write in exists"),
    (CLAUSE, "RETURN 1 AS x UNION CREATE (n) RETURN 2 AS x", "a write in a union"),
    (CLAUSE, "MATCH (n) CALL (n) { RETURN 1 AS x } IN TRANSACTIONS RETURN x", "transactions of its own"),
    (CLAUSE, "MATCH (n) CALL (n) { RETURN 1 AS x } IN 4 CONCURRENT TRANSACTIONS RETURN x", "concurrent ones"),
    (CLAUSE, "USE system MATCH (n) RETURN n", "another database"),
    (CLAUSE, "USE graph.byName('x') MATCH (n) RETURN n", "another graph"),
    (CLAUSE, "CALL { USE other MATCH (n) RETURN n } RETURN n", "another database inside"),
    (CLAUSE, "LOAD CSV WITH HEADERS FROM 'http://10.0.0.1/' AS l RETURN l", "an address"),
    (CLAUSE, "SHOW USERS", "users"),
    (CLAUSE, "SHOW ROLES", "roles"),
    (CLAUSE, "SHOW SETTINGS", "settings"),
    (CLAUSE, "SHOW PROCEDURES EXECUTABLE BY bob", "another user's rights"),
    (CLAUSE, "SHOW CURRENT USER", "the hub's user"),
    (CLAUSE, "SHOW DATABASES", "databases"),
    (CLAUSE, "SHOW SERVERS", "servers"),
    (CLAUSE, "SHOW INDEXES YIELD name SHOW TRANSACTIONS YIELD currentQuery RETURN *", "others' statements behind indexes"),
    (CLAUSE, "SHOW INDEXES YIELD name TERMINATE TRANSACTIONS 'a' YIELD message RETURN *", "terminate behind indexes"),
    (FUNCTION, "SHOW INDEXES YIELD name WHERE custom.fn(name) RETURN name", "a user's function in show"),
    ("cypher/prefix", "CYPHER 5 PROFILE MATCH (n) RETURN n", "profile behind a version"),
    ("cypher/prefix", "CYPHER 25 runtime=parallel MATCH (n) RETURN n", "options behind a version"),
    ("cypher/prefix", "CYPHER debug=tostring MATCH (n) RETURN n", "an internal option"),
    (CLAUSE, "CYPHER 5 CREATE (n)", "a write behind a version"),
    (CLAUSE, "EXPLAIN CYPHER 25 runtime=slotted CREATE (n)", "a write behind all of it"),
    (CLAUSE, "SHOW TRANSACTIONS YIELD * RETURN *", "others' statements"),
    (CLAUSE, "SHOW USER PRIVILEGES", "rights"),
    (CLAUSE, "TERMINATE TRANSACTION 'a'", "terminate"),
    (CLAUSE, "DROP INDEX x", "drop"),
    (CLAUSE, "CREATE CONSTRAINT FOR (n:X) REQUIRE n.a IS UNIQUE", "a constraint"),
    (CLAUSE, "CREATE USER x SET PASSWORD 'secret-word'", "a user"),
    (CLAUSE, "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'", "a password"),
    (CLAUSE, "GRANT ROLE admin TO x", "a right"),
    (CLAUSE, "STOP DATABASE neo4j", "stop"),
    (CLAUSE, "ENABLE SERVER 'x'", "a server"),
    (CLAUSE, "CREATE ALIAS a FOR DATABASE b", "an alias"),
    (CLAUSE, "EXPLAIN CREATE (n)", "the plan of a write"),
    (CLAUSE, "\\u0043REATE (n)", "an escaped keyword"),
    (PROCEDURE, "CALL apoc.cypher.doIt('CREATE (n)', {})", "a string that runs"),
    (PROCEDURE, "CALL apoc.cypher.runMany('RETURN 1', {})", "many of them"),
    (PROCEDURE, "CALL apoc.when(true, 'CREATE (n)', '', {})", "a conditional string"),
    (PROCEDURE, "CALL apoc.do.when(true, 'CREATE (n)', '', {})", "likewise"),
    (PROCEDURE, "CALL apoc.load.jdbc('jdbc:x', 't')", "another database's rows"),
    (PROCEDURE, "CALL `apoc`.`load`.`csv`('file:///x')", "quoted parts"),
    (PROCEDURE, "CALL APOC.LOAD.JSON('x')", "capitals"),
    (PROCEDURE, "CALL apoc.\\u006coad.json('x')", "an escaped name"),
    (PROCEDURE, "CALL apoc.meta.data.of('CREATE (n)')", "a statement as a graph"),
    (PROCEDURE, "CALL apoc.date.expire(n, 1, 's')", "a writing procedure of a pure package"),
    (PROCEDURE, "CALL apoc.refactor.mergeNodes([])", "refactoring"),
    (PROCEDURE, "CALL dbms.listConfig()", "configuration"),
    (PROCEDURE, "CALL dbms.components() YIELD name CALL dbms.listConfig() YIELD value RETURN value", "configuration behind the version"),
    (CLAUSE, "CALL dbms.components() YIELD name CREATE (n) RETURN name", "a write behind the version"),
    (PROCEDURE, "CALL apoc.create.node(['A'], {})", "a node by APOC"),
    (PROCEDURE, "CALL apoc.create.uuids(5)", "a procedure of a writing package"),
    (PROCEDURE, "CALL dbms.security.createUser('a', 'b')", "security"),
    (PROCEDURE, "CALL db.createLabel('x')", "a token"),
    (PROCEDURE, "CALL db.awaitIndexes(300)", "waiting"),
    (PROCEDURE, "CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()", "waiting too"),
    (PROCEDURE, "CALL db.create.setNodeVectorProperty(n, 'x', [1])", "a vector"),
    (PROCEDURE, "CALL gds.pageRank.write('g', {})", "an algorithm that writes"),
    (PROCEDURE, "MATCH (n) CALL custom.mine(n) YIELD x RETURN x", "a user's procedure"),
    (PROCEDURE, "RETURN COLLECT { CALL apoc.load.json('x') YIELD value RETURN value }", "a procedure in collect"),
    (FUNCTION, "RETURN apoc.cypher.runFirstColumnSingle('CREATE (n) RETURN n', {})", "a string in a function"),
    (FUNCTION, "RETURN custom.fn(1)", "a user's function"),
    (FUNCTION, "RETURN apoc.static.get('x')", "configuration in a function"),
    (FUNCTION, "RETURN apoc.load.jdbc('x')", "a reader in a function"),
    (FUNCTION, "RETURN `apoc.cypher.runFirstColumn`('x', {})", "a name quoted as a whole"),
    (FUNCTION, "RETURN genai.vector.encode('x', 'OpenAI', {token: 'y'})", "an address in a function"),
    ("cypher/prefix", "PROFILE MATCH (n) RETURN n", "profile"),
    ("cypher/prefix", "/* x */ CYPHER runtime=parallel MATCH (n) RETURN n", "options"),
    ("cypher/syntax", "EXPLAIN EXPLAIN MATCH (n) RETURN n", "explain twice"),
    ("cypher/syntax", "MATCH (n) WHERE n.name = 'a\\u0027}) DETACH DELETE n //' RETURN n", "an escaped quote"),
    ("cypher/syntax", "MATC (n) RETURN n", "a typing error"),
    ("cypher/syntax", "MATCH (n) RETURN 'open", "an open string"),
    ("cypher/syntax", "SELECT 1", "SQL"),
    ("cypher/characters", "RETURN '\\\\u0027'", "an escape of an escape"),
    ("cypher/characters", "RETURN '\\u005cu0027'", "an escape that makes one"),
    ("cypher/characters", "RETURN 'a\0'", "a NUL character"),
    ("cypher/characters", "RETURN '\\u0000'", "an escaped NUL character"),
    ("cypher/one-statement", "MATCH (n) RETURN n; MATCH (n) RETURN n", "two statements"),
    ("cypher/empty", "", "nothing"),
    ("cypher/empty", " ; ", "a semicolon"),
    ("cypher/empty", "EXPLAIN", "explain alone"),
    ("cypher/size", "RETURN '" + "x" * 17_000 + "'", "a long text"),
    ("cypher/size", "RETURN [" + "1," * 4_000 + "1]", "a long list"),
    ("cypher/nesting", "RETURN " + "(" * 500 + "1" + ")" * 500, "500 parentheses"),
    ("cypher/nesting", "RETURN " + "CASE WHEN true THEN " * 50 + "1" + " END" * 50, "50 cases"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "cypher"),
    [pytest.param(rule, text, id=name) for rule, text, name in ATTACKS],
)
def test_an_attack_is_refused_by_its_rule(rule, cypher):
    with at_most(400), pytest.raises(Rejected) as refusal:
        check_cypher(cypher)

    assert refusal.value.rule == rule


@pytest.mark.parametrize(
    "lead",
    [
        pytest.param("/**/" * 4_000, id="empty comments"),
        pytest.param("/* / * /* " * 1_000 + "*/" + "/*/*/" * 500, id="odd comments"),
        pytest.param(" /**/ //\n\t" * 1_000, id="comments and blanks"),
        pytest.param("//\n" * 4_000, id="lines of comments"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "EXPLAIN "])
def test_comments_before_a_statement_are_read_once(lead, prefix):
    with at_most(400):
        explain, rest = split_prefix(lead + prefix + "RETURN 1")

    assert explain == bool(prefix)
    assert rest.endswith("RETURN 1")


def test_a_comment_that_holds_the_word_is_no_prefix():
    assert not check_cypher("/* a */ /* EXPLAIN */ RETURN 1").explain


def test_a_refusal_of_a_command_does_not_repeat_a_password():
    with pytest.raises(Rejected) as refusal:
        check_cypher("CREATE USER x SET PASSWORD 'secret-word'")

    assert "secret-word" not in str(refusal.value)


def test_what_is_sent_is_what_was_checked():
    statement = check_cypher(" EXPLAIN MATCH (n {name: '\\u00e9'}) RETURN n; ")

    assert statement.explain
    assert statement.text == "MATCH (n {name: 'é'}) RETURN n"


def test_the_parameters_that_a_statement_needs_are_told():
    statement = check_cypher("MATCH (n {a: $a}) WHERE n.b = $`b c` RETURN $a")

    assert statement.parameters == {"a", "b c"}


def test_a_plan_and_its_statement_have_different_fingerprints():
    plain, plan = check_cypher("RETURN 1"), check_cypher("EXPLAIN RETURN 1")

    assert plain.fingerprint != plan.fingerprint


def test_versions_and_options_are_not_sent():
    statement = check_cypher("CYPHER 25 runtime=slotted EXPLAIN MATCH (n) RETURN n")

    assert statement.explain
    assert statement.text == "MATCH (n) RETURN n"
