"""Names that PostgreSQL resolves, in every notation, on a database with user code."""

import json

import pytest

from mcphub_server.errors import Rejected


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT m.full_title FROM movies m", id="a computed column"),
        pytest.param("SELECT (m).full_title FROM movies m", id="of a row"),
        pytest.param("SELECT u.title FROM users u", id="a column of another table"),
        pytest.param("SELECT ('x'::text).http", id="a function of a text"),
        pytest.param("SELECT x.http FROM unnest(ARRAY['a']) x", id="of a function"),
        pytest.param("SELECT movies.full_title FROM movies", id="by the table's name"),
        pytest.param(
            "SELECT s.full_title FROM (SELECT * FROM movies) s", id="behind a star"
        ),
        pytest.param(
            "SELECT s.pg_stat_get_backend_activity FROM pg_stat_get_backend_idset() s",
            id="another client's statement",
        ),
        pytest.param("SELECT 1 FROM shades WHERE s IN (SELECT s FROM shades)", id="IN"),
        pytest.param("SELECT CASE s WHEN s THEN 1 END FROM shades", id="CASE"),
        pytest.param("SELECT * FROM shades a JOIN shades b USING (s)", id="USING"),
        pytest.param("SELECT 'happy'::mood::int", id="a cast"),
        pytest.param("SELECT m::int FROM moods", id="a cast of a column"),
        pytest.param("SELECT m + 1 FROM moods", id="an implicit cast"),
        pytest.param("SELECT seen - 1 FROM seen_moods", id="behind a view"),
        pytest.param("SELECT o::int FROM outlooks", id="of a domain over a domain"),
        pytest.param("SELECT l[1]::int FROM mood_lists", id="of an array's element"),
        pytest.param("SELECT (p).m::int FROM people", id="of a composite's part"),
        pytest.param("SELECT lower(r)::int FROM mood_ranges", id="of a range's bound"),
        pytest.param("SELECT (who[1]).m::int FROM meetings", id="nested in an array"),
        pytest.param("SELECT NULLIF(s, s) FROM shades", id="NULLIF"),
        pytest.param("SELECT s IS DISTINCT FROM s FROM shades", id="DISTINCT FROM"),
        pytest.param("SELECT (s, 1) = (s, 1) FROM shades", id="rows"),
        pytest.param("SELECT s = ANY (ARRAY[s]) FROM shades", id="ANY of an array"),
        pytest.param("SELECT 2::even", id="a domain's check"),
        pytest.param("SELECT '2'::fourth", id="the check of the domain below"),
        pytest.param("SELECT '{2}'::even[]", id="the check of an array's element"),
        pytest.param("SELECT '(2,2)'::pair", id="the check of a composite's part"),
        pytest.param(
            "SELECT * FROM json_populate_record(NULL::evens, '{\"e\": 2}')",
            id="the check of a table's column",
        ),
        pytest.param(
            "SELECT * FROM json_to_record('{\"e\": 2}') AS r(e even)",
            id="the check of a column that is read",
        ),
        pytest.param(
            "SELECT json_populate_record(evens, '{\"e\": 2}') FROM evens",
            id="the check of a row's column",
        ),
        pytest.param(
            "SELECT (v).e FROM (SELECT jsonb_populate_record(s, '{\"e\": 2}') AS v"
            " FROM evens s) x",
            id="of a row by its alias",
        ),
        pytest.param(
            "SELECT evens #= hstore('e', '2') FROM evens", id="of a row and an hstore"
        ),
        pytest.param(
            "SELECT lag(e, 1, '2') OVER () FROM evens", id="of a default in a window"
        ),
        pytest.param(
            "SELECT array_append(array_agg(e), '2') FROM evens",
            id="of an element that joins a list",
        ),
        pytest.param("SELECT h FROM hues ORDER BY h", id="an order"),
        pytest.param("SELECT DISTINCT h FROM hues", id="DISTINCT"),
        pytest.param("SELECT count(*) FROM hues GROUP BY h", id="a grouping"),
        pytest.param("SELECT greatest(h, h) FROM hues", id="the greatest"),
        pytest.param("SELECT max(l) FROM hue_lists", id="the largest list"),
        pytest.param("TABLE hues UNION TABLE hues", id="a union"),
        pytest.param(
            "SELECT rank() OVER (ORDER BY hues) FROM hues", id="the order of rows"
        ),
        pytest.param(
            "SELECT greatest(ROW(1)::hue, ROW(2)::hue)", id="the order of values"
        ),
        pytest.param(
            "SELECT 1 OPERATOR(aside.%>) 2", id="an operator of another schema"
        ),
    ],
)
async def test_user_code_is_not_reached(shadowed_database, sql):
    with pytest.raises(Rejected):
        await shadowed_database.run(sql)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT m.title, m.http, m.pg_rating FROM movies m", [["Alien", 200, 5]]),
        ("SELECT movies.title FROM public.movies", [["Alien"]]),
        ("SELECT s.http FROM (SELECT * FROM movies) s", [[200]]),
        ("SELECT s.title FROM (SELECT m.id AS title FROM movies m) s", [[1]]),
        ("WITH s AS (SELECT 7 AS pg_bytes) SELECT s.pg_bytes FROM s", [[7]]),
        ("WITH s AS (SELECT * FROM movies) SELECT s.http FROM s", [[200]]),
        (
            "SELECT r.http FROM json_to_recordset('[{\"http\": 1}]') AS r(http int)",
            [[1]],
        ),
        ("SELECT (s).n FROM sizes", [[3]]),
        ("SELECT s::int FROM sizes", [[3]]),
        ("SELECT count(*) > 0 FROM pg_stat_activity a WHERE a.pid > 0", [[True]]),
        ("SELECT 2 BETWEEN 1 AND 3", [[True]]),
        ("SELECT '3'::odd", [[3]]),
        ("SELECT id, e FROM evens", []),
        ("SELECT lag(e) OVER (), lead(e, 1) OVER () FROM evens", []),
        ("SELECT lag(id, 1, 0) OVER (), array_agg(e) FROM evens GROUP BY id", []),
    ],
)
async def test_columns_with_such_names_are_read(shadowed_database, sql, rows):
    page = await shadowed_database.run(sql)

    assert json.loads(page.text)["rows"] == rows
