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
    ],
)
async def test_columns_with_such_names_are_read(shadowed_database, sql, rows):
    page = await shadowed_database.run(sql)

    assert json.loads(page.text)["rows"] == rows
