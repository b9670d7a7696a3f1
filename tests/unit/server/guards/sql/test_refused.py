"""Ways around a read-only promise, each refused by the rule that names it."""

# ruff: noqa: E501 -- one statement a line keeps the table readable

import pytest

from mcphub_server.errors import Rejected
from mcphub_server.guards.sql.check import check_sql
from tests.support.effort import at_most

STATEMENT, CLAUSE = "read-only/statement", "read-only/clause"
FUNCTION, RELATION = "read-only/function", "read-only/relation"
SETTING, OPERATOR = "read-only/setting", "read-only/operator"
EXPLAIN = "read-only/explain"

ATTACKS = [
    (STATEMENT, "UPDATE users SET name = 'x'", "an update"),
    (STATEMENT, "WITH a AS (SELECT 1) DELETE FROM users", "a delete behind a CTE"),
    (STATEMENT, "COPY users TO '/tmp/x'", "copy to a file"),
    (STATEMENT, "COPY (SELECT 1) TO PROGRAM 'id'", "copy to a program"),
    (STATEMENT, "DO 'BEGIN END'", "an anonymous block"),
    (STATEMENT, "CALL p()", "a procedure"),
    (STATEMENT, "PREPARE p AS DELETE FROM users", "prepare"),
    (STATEMENT, "EXECUTE p", "execute"),
    (STATEMENT, "DEALLOCATE ALL", "deallocate"),
    (STATEMENT, "SET search_path = x", "set"),
    (STATEMENT, "SET LOCAL statement_timeout = 0", "set local"),
    (STATEMENT, "RESET ALL", "reset"),
    (STATEMENT, "DISCARD ALL", "discard"),
    (STATEMENT, "FETCH ALL FROM c", "fetch"),
    (STATEMENT, "CLOSE c", "close"),
    (STATEMENT, "UNLISTEN *", "unlisten"),
    (STATEMENT, "LOCK TABLE users", "lock"),
    (STATEMENT, "BEGIN", "begin"),
    (STATEMENT, "COMMIT", "commit"),
    (STATEMENT, "ROLLBACK AND CHAIN", "rollback and chain"),
    (STATEMENT, "SAVEPOINT a", "a savepoint"),
    (STATEMENT, "TRUNCATE users", "truncate"),
    (STATEMENT, "DROP TABLE users", "drop"),
    (STATEMENT, "REFRESH MATERIALIZED VIEW v", "refresh"),
    (STATEMENT, "CLUSTER", "cluster"),
    (STATEMENT, "ANALYZE", "analyze"),
    (STATEMENT, "LOAD 'x'", "load a library"),
    (STATEMENT, "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "a function"),
    (STATEMENT, "IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y", "a foreign schema"),
    (STATEMENT, "SECURITY LABEL ON TABLE users IS 'x'", "a label"),
    (STATEMENT, "REASSIGN OWNED BY a TO b", "reassign"),
    (STATEMENT, "EXPLAIN DELETE FROM users", "explain a delete"),
    (STATEMENT, "EXPLAIN EXECUTE p", "explain execute"),
    (STATEMENT, "EXPLAIN DECLARE c CURSOR FOR SELECT 1", "explain a cursor"),
    (STATEMENT, "EXPLAIN CREATE TABLE t AS SELECT 1", "explain create table as"),
    (EXPLAIN, "EXPLAIN ANALYZE SELECT 1", "explain analyze"),
    (EXPLAIN, "EXPLAIN (ANALYZE true) SELECT 1", "explain analyze true"),
    (EXPLAIN, "EXPLAIN (ANALYZE 1, COSTS off) SELECT 1", "explain analyze 1"),
    (EXPLAIN, "EXPLAIN (analyze on) SELECT 1", "explain analyze on"),
    (EXPLAIN, "EXPLAIN (ANALYZE false, ANALYZE) SELECT 1", "analyze a second time"),
    (EXPLAIN, "EXPLAIN (SERIALIZE) SELECT 1", "explain serialize"),
    (CLAUSE, "WITH a AS (INSERT INTO users VALUES (1) RETURNING *) SELECT * FROM a", "an insert in a CTE"),
    (CLAUSE, "WITH a AS MATERIALIZED (DELETE FROM users RETURNING 1) TABLE a", "a materialized delete"),
    (CLAUSE, "SELECT * FROM (WITH a AS (UPDATE users SET id = 1 RETURNING 1) SELECT 1) t", "an update deep in a subquery"),
    (CLAUSE, "EXPLAIN WITH a AS (DELETE FROM users RETURNING 1) SELECT 1", "explain of a deleting CTE"),
    (CLAUSE, "WITH a AS (MERGE INTO u USING v ON true WHEN MATCHED THEN DELETE RETURNING 1) SELECT 1", "merge in a CTE"),
    (CLAUSE, "SELECT 1 INTO TEMP x", "into a temporary table"),
    (CLAUSE, "SELECT 1 INTO x UNION SELECT 2", "into in a union"),
    (CLAUSE, "SELECT * FROM users FOR SHARE", "a shared lock"),
    (CLAUSE, "SELECT * FROM users FOR NO KEY UPDATE SKIP LOCKED", "a weak lock"),
    (CLAUSE, "SELECT * FROM (SELECT * FROM users FOR UPDATE) t", "a lock in a subquery"),
    (FUNCTION, "SELECT pg_sleep(1)", "sleep"),
    (FUNCTION, 'SELECT "pg_sleep"(1)', "sleep, quoted"),
    (FUNCTION, "SELECT pg_catalog.pg_sleep(1)", "sleep, qualified"),
    (FUNCTION, "SELECT app.pg_catalog.pg_sleep(1)", "sleep, doubly qualified"),
    (FUNCTION, 'SELECT U&"p\\0067_sleep"(1)', "sleep, escaped"),
    (FUNCTION, "SELECT PG_SLEEP(1)", "sleep, in capitals"),
    (FUNCTION, "SELECT pg_sleep_for('1 min')", "sleep for"),
    (FUNCTION, "SELECT (1.0::float8).pg_sleep", "sleep as a field of a number"),
    (FUNCTION, "SELECT ('/etc/passwd'::text).pg_read_file", "a file as a field"),
    (FUNCTION, "SELECT (ARRAY['/etc/passwd'])[1].pg_read_file", "a file as a field of an element"),
    (FUNCTION, "SELECT x.pg_read_file FROM unnest(ARRAY['/etc/passwd']) x", "a file as a column"),
    (FUNCTION, "SELECT (x).pg_read_file FROM unnest(ARRAY['/etc/passwd']) x", "a file as a row's field"),
    (FUNCTION, "SELECT (SELECT 'x'::text).lo_import", "a field of a subquery"),
    (FUNCTION, "SELECT (t).pg_new_function_of_19 FROM t", "an unknown system function as a field"),
    (FUNCTION, "SELECT 1 ORDER BY pg_sleep(1)", "a function in order by"),
    (FUNCTION, "SELECT 1 LIMIT (SELECT length(pg_read_file('x')))", "a function in limit"),
    (FUNCTION, "SELECT 1 WHERE pg_try_advisory_lock(1)", "an advisory lock"),
    (FUNCTION, "SELECT count(*) FILTER (WHERE pg_sleep(1) IS NULL) FROM users", "a function in filter"),
    (FUNCTION, "SELECT sum(1) OVER (ORDER BY f_write()) FROM users", "a function in a window"),
    (FUNCTION, "SELECT * FROM f_write() WITH ORDINALITY", "a function as a table"),
    (FUNCTION, "SELECT * FROM ROWS FROM (f_write(), generate_series(1, 2)) t", "a function in rows from"),
    (FUNCTION, "SELECT * FROM users TABLESAMPLE system (length(pg_read_file('x')))", "a function in a sample"),
    (FUNCTION, "SELECT * FROM users TABLESAMPLE mine (1)", "a user's sampling method"),
    (FUNCTION, "VALUES (pg_sleep(1))", "a function in values"),
    (FUNCTION, "SELECT CASE WHEN true THEN nextval('s') END", "a function in case"),
    (FUNCTION, "SELECT my_agg(id) FROM users", "a user's aggregate"),
    (FUNCTION, "SELECT my_agg(id) OVER () FROM users", "a user's window function"),
    (FUNCTION, "SELECT public.lower('x')", "a built-in name in another schema"),
    (FUNCTION, "SELECT query_to_xml('DELETE FROM users', true, true, '')", "SQL as a string"),
    (FUNCTION, "SELECT * FROM XMLTABLE('/a' PASSING query_to_xml('x', true, true, '') COLUMNS a int)", "SQL as a string in an xml table"),
    (FUNCTION, "SELECT cursor_to_xml('c', 1, true, true, '')", "a cursor as xml"),
    (FUNCTION, "SELECT table_to_xml('users', true, true, '')", "a table as xml"),
    (FUNCTION, "SELECT * FROM ts_stat('SELECT tsv FROM docs')", "SQL as a string in ts_stat"),
    (FUNCTION, "SELECT * FROM crosstab('SELECT 1,2,3') AS t(a int, b int)", "SQL as a string in crosstab"),
    (FUNCTION, "SELECT dblink_exec('x', 'DELETE')", "another connection"),
    (FUNCTION, "SELECT dblink_connect('host=10.0.0.1')", "a connection to anywhere"),
    (FUNCTION, "SELECT lo_get(1)", "a large object"),
    (FUNCTION, "SELECT lo_export(1, '/tmp/x')", "a large object to a file"),
    (FUNCTION, "SELECT pg_stat_file('x')", "a file's attributes"),
    (FUNCTION, "SELECT * FROM pg_ls_waldir()", "a directory"),
    (FUNCTION, "SELECT pg_terminate_backend(1)", "ending another session"),
    (FUNCTION, "SELECT pg_cancel_backend(1)", "cancelling another session"),
    (FUNCTION, "SELECT pg_reload_conf()", "reloading the configuration"),
    (FUNCTION, "SELECT pg_switch_wal()", "switching the log"),
    (FUNCTION, "SELECT pg_promote()", "promoting a standby"),
    (FUNCTION, "SELECT pg_export_snapshot()", "a snapshot"),
    (FUNCTION, "SELECT pg_notify('c', 'x')", "a notification"),
    (FUNCTION, "SELECT pg_logical_emit_message(true, 'a', 'b')", "a message in the log"),
    (FUNCTION, "SELECT pg_create_physical_replication_slot('s')", "a replication slot"),
    (FUNCTION, "SELECT txid_current()", "a transaction id"),
    (FUNCTION, "SELECT setseed(0.5)", "a seed in the session"),
    (FUNCTION, "SELECT currval('s'), lastval()", "a session's sequence"),
    (FUNCTION, "SELECT pg_stat_reset()", "forgetting statistics"),
    (FUNCTION, "SELECT gin_clean_pending_list('i'), brin_summarize_new_values('i')", "index maintenance"),
    (FUNCTION, "SELECT pg_get_backend_memory_contexts()", "the server's memory"),
    (FUNCTION, "SELECT * FROM pg_hba_file_rules()", "the function behind a catalog"),
    (FUNCTION, "SELECT * FROM pg_prepared_statement()", "what others prepared"),
    (FUNCTION, "SELECT crypt('x', gen_salt('bf', 31))", "hours of hashing"),
    (FUNCTION, "SELECT binary_upgrade_set_next_pg_type_oid(1)", "upgrade internals"),
    (FUNCTION, "SELECT json_build_object('a', f_write())", "a function inside json"),
    (FUNCTION, "SELECT JSON_OBJECT('a': f_write())", "a function inside SQL's json"),
    (FUNCTION, "SELECT xmlelement(name a, f_write())", "a function inside xml"),
    (FUNCTION, "SELECT a[f_write()] FROM t", "a function as a subscript"),
    (FUNCTION, "SELECT (ROW(f_write())).f1", "a function inside a row"),
    (FUNCTION, "SELECT 1 GROUP BY ROLLUP (f_write())", "a function in rollup"),
    (FUNCTION, "SELECT * FROM t JOIN u ON f_write()", "a function in a join"),
    (FUNCTION, "EXPLAIN SELECT f_write()", "a function in explain"),
    (SETTING, "SHOW ALL", "all settings"),
    (SETTING, "SHOW data_directory", "a path"),
    (SETTING, "SHOW app.jwt_secret", "a setting of the database's own"),
    (SETTING, "SELECT current_setting('app.jwt_secret', true)", "the same as a function"),
    (SETTING, "SELECT current_setting('app.' || 'jwt_secret')", "a computed setting's name"),
    (SETTING, "SELECT pg_catalog.current_setting(name) FROM t", "a setting's name from a table"),
    (RELATION, "SELECT * FROM pg_shadow", "password hashes"),
    (RELATION, 'SELECT * FROM pg_catalog."pg_authid"', "password hashes, quoted"),
    (RELATION, "TABLE pg_authid", "password hashes by TABLE"),
    (RELATION, "SELECT * FROM pg_user_mappings", "passwords of foreign servers"),
    (RELATION, "SELECT * FROM information_schema.user_mapping_options", "the same in the standard's schema"),
    (RELATION, "SELECT subconninfo FROM pg_subscription", "a connection's password"),
    (RELATION, "SELECT * FROM pg_hba_file_rules", "who may log in"),
    (RELATION, "SELECT * FROM pg_db_role_setting", "settings that may be keys"),
    (RELATION, "SELECT * FROM pg_prepared_statements", "other callers' statements"),
    (RELATION, "SELECT * FROM pg_largeobject", "large objects"),
    (RELATION, "SELECT * FROM pg_toast.pg_toast_1262", "a toast table"),
    (RELATION, "SELECT 1 FROM users WHERE EXISTS (SELECT FROM pg_authid)", "a catalog in a subquery"),
    (OPERATOR, "SELECT 1 OPERATOR(public.+) 2", "a user's plus"),
    (OPERATOR, "SELECT 1 <!> 2", "an unknown operator"),
    (OPERATOR, "SELECT 1 WHERE 1 OPERATOR(evil.=) ANY (SELECT 1)", "a user's operator in ANY"),
    (OPERATOR, "SELECT 1 ORDER BY 1 USING OPERATOR(evil.<)", "a user's operator in ORDER BY"),
    ("sql/xpath", "SELECT xpath('count(//a/preceding::a)', x) FROM t", "an axis"),
    ("sql/xpath", "SELECT xpath('//a[//b]', x) FROM t", "a path in a predicate"),
    ("sql/xpath", "SELECT xpath('/r/a[count(/r/a)>1]', x) FROM t", "an absolute one"),
    ("sql/xpath", "SELECT xpath('/r/a/../a/../a', x) FROM t", "up and down again"),
    ("sql/xpath", "SELECT xpath('" + "a" * 400 + "!', x) FROM t", "a long step"),
    ("sql/xpath", "SELECT xpath(p, x) FROM t", "an XPath from a table"),
    ("sql/xpath", "SELECT XMLEXISTS('//a//b' PASSING x) FROM t", "xmlexists"),
    ("sql/xpath", "SELECT * FROM XMLTABLE('//a//b' PASSING x COLUMNS c int) y", "rows of an xml table"),
    ("sql/xpath", "SELECT * FROM XMLTABLE('/a' PASSING x COLUMNS c int PATH 'count(//b//c)') y", "a column of one"),
    ("sql/outline", "SELECT polygon(40000, circle '((0,0),1)') && polygon(9, c) FROM t", "a polygon of many points"),
    ("sql/outline", "SELECT polygon(n, c) FROM t", "of as many as a table says"),
    ("sql/outline", "SELECT pg_catalog.polygon(100 * 1000, c) FROM t", "of computed many"),
    ("sql/outline", "SELECT ('(' || repeat('1,1,', 9999) || '1,1)')::polygon", "a computed text as polygon"),
    ("sql/outline", "SELECT repeat('1,1,', 9999)::text::path", "or as path"),
    ("sql/outline", "SELECT polygon(repeat('1,1,', 9999))", "a cast written as a call"),
    ("sql/outline", "SELECT polygon(path(string_agg('1,1', ','))) FROM t", "an inner one"),
    ("sql/outline", "SELECT string_to_array(a, ';')::polygon[] FROM t", "an array of them"),
    ("sql/outline", "SELECT * FROM json_to_recordset(j) AS x(p polygon)", "a column of a document"),
    ("sql/outline", "SELECT CAST($1 AS polygon)", "a parameter"),
    ("sql/length", "SELECT format('%1000000000s', 'x')", "a formatted one"),
    (FUNCTION, "SELECT ('data_directory'::text).current_setting", "a setting as a field"),
    ("sql/parameter", "SELECT $1", "a placeholder without a value"),
    ("sql/parameter", "SELECT $0", "a placeholder of number zero"),
    ("sql/one-statement", "SELECT 1; SELECT 2", "two statements"),
    ("sql/one-statement", "SELECT 1; COMMIT", "a commit behind a semicolon"),
    ("sql/empty", "", "nothing"),
    ("sql/empty", " ;; ", "semicolons"),
    ("sql/empty", "/* x */", "a comment"),
    ("sql/syntax", "SELEC 1", "a typing error"),
    ("sql/syntax", "SELECT 'abc", "an open string"),
    ("sql/syntax", "SELECT 1 /* open", "an open comment"),
    ("sql/dialect", "\\d users", "a command of psql"),
    ("sql/characters", "SELECT '\0'", "a NUL character"),
    ("sql/characters", "SELECT '\ud800'", "half a surrogate pair"),
    ("sql/size", "SELECT '" + "x" * 17_000 + "'", "a long text"),
    ("sql/size", "SELECT " + "1+" * 8_000 + "1", "a sum of 8,000"),
    ("sql/nesting", "SELECT " + "(" * 1_000 + "1" + ")" * 1_000, "1,000 parentheses"),
    ("sql/nesting", "SELECT " + "CASE WHEN true THEN " * 300 + "1" + " END" * 300, "300 cases"),
    ("sql/nesting", "SELECT 1" + "::int" * 2_000, "2,000 casts"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "sql"), [pytest.param(rule, sql, id=name) for rule, sql, name in ATTACKS]
)
def test_an_attack_is_refused_by_its_rule(rule, sql):
    with at_most(250), pytest.raises(Rejected) as refusal:
        check_sql(sql)

    assert refusal.value.rule == rule
    assert refusal.value.advice


def test_a_refusal_repeats_only_the_beginning_of_a_long_name():
    with pytest.raises(Rejected) as refusal:
        check_sql(f"SELECT current_setting('{'a' * 15_000}')")

    assert len(str(refusal.value)) < 600
    assert "work_mem" in str(refusal.value)


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        pytest.param("SELECT 1 " + "+" * 16_000, "sql/operator", id="an operator"),
        pytest.param("SELECT 1 " + "+-" * 8_000, "sql/operator", id="two in turn"),
        pytest.param("SELECT €$$ " + "+" * 16_000, "sql/operator", id="a name's $$"),
        pytest.param("SELECT 1$$'$$" + "+" * 16_000, "sql/operator", id="a number's"),
        pytest.param("SELECT $a€$'$a€$" + "+" * 16_000, "sql/operator", id="a tag"),
        pytest.param(
            "SELECT E'a' --b\n'\\' '" + "+" * 16_000, "sql/operator", id="a next part"
        ),
        pytest.param(
            "SELECT $é$a$€$" + "+" * 16_000, "sql/operator", id="letters alike"
        ),
        pytest.param("SELECT 1 " + "/*" * 4_000, "sql/comments", id="open comments"),
        pytest.param(
            "SELECT 1 " + "/*" * 3_000 + "*/" * 3_000, "sql/comments", id="nested ones"
        ),
        pytest.param("SELECT 1 " + "/**/" * 4_000, "sql/comments", id="many comments"),
        pytest.param("SELECT 1 " + "+/**/" * 3_000, "sql/comments", id="between signs"),
        pytest.param("SELECT 1 " + "--\n" * 5_400, "sql/comments", id="lines of them"),
        pytest.param("SELECT 1" + ",é" * 5_400, "sql/size", id="names beyond ASCII"),
        pytest.param("SELECT 1" + ',"é"' * 3_200, "sql/size", id="quoted ones"),
        pytest.param("SELECT 1" + ",'é'" * 3_200, "sql/size", id="strings of them"),
    ],
)
def test_what_the_scanner_reads_slowly_is_refused_before(sql: str, rule: str) -> None:
    with pytest.raises(Rejected) as refusal:
        check_sql(sql)

    assert refusal.value.rule == rule
