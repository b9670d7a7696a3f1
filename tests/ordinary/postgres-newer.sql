-- Syntax and functions of PostgreSQL 16 to 18; the guard has to know them all.
SELECT any_value(title) FROM film GROUP BY rating;
SELECT array_sample(ARRAY[1, 2, 3], 2), array_shuffle(ARRAY[1, 2, 3]);
SELECT JSON_OBJECT('a': 1, 'b': 'x' ABSENT ON NULL);
SELECT JSON_ARRAY(1, 2, NULL NULL ON NULL), JSON_ARRAYAGG(film_id ORDER BY film_id), JSON_OBJECTAGG(title: film_id) FROM film;
SELECT '{"a": 1}' IS JSON OBJECT, '[1]' IS JSON ARRAY, 'x' IS NOT JSON;
SELECT JSON_EXISTS(body, '$.price ? (@ > 10)'), JSON_VALUE(body, '$.price' RETURNING numeric), JSON_QUERY(body, '$.tags' WITH WRAPPER) FROM lab.documents;
SELECT jt.tag FROM lab.documents, JSON_TABLE(body, '$.tags[*]' COLUMNS (n FOR ORDINALITY, tag text PATH '$')) AS jt;
SELECT * FROM (SELECT rating, count(*) FROM film GROUP BY rating);
SELECT 1_000_000, 0xFF, 0o17, 0b101;
SELECT date_add(now(), '1 day'::interval, 'UTC'), date_subtract(now(), '1 day');
SELECT to_bin(5), to_oct(8), random(1, 10) > 0, erf(0.5);
SELECT jsonb_path_query(body, '$.price.number()') FROM lab.documents;
SELECT uuidv7() IS NOT NULL, uuid_extract_version(token) FROM lab.events;
SELECT casefold('Straße'), array_sort(ARRAY[3, 1, 2]), array_reverse(ARRAY[1, 2]), crc32('a'), gamma(3);
SELECT at AT LOCAL FROM lab.events;
EXPLAIN (GENERIC_PLAN) SELECT * FROM film WHERE film_id = 7;
EXPLAIN (MEMORY, SUMMARY) SELECT 1;
