-- Ordinary statements on schema.sql: each passes the guard and runs. A statement ends with
-- a semicolon at the end of a line.

-- rental: first steps
SELECT * FROM film;
SELECT title, release_year FROM film LIMIT 10;
SELECT DISTINCT rating FROM film ORDER BY rating;
SELECT count(*) FROM customer;
SELECT first_name, last_name FROM customer WHERE first_name = 'Mary';
SELECT first_name || ' ' || last_name AS full_name, email FROM customer ORDER BY 1;
SELECT title, length FROM film WHERE length BETWEEN 60 AND 90 ORDER BY length DESC, title;
SELECT title FROM film WHERE title LIKE 'ACA%';
SELECT title FROM film WHERE title ILIKE '%egg%';
SELECT title FROM film WHERE title ~ '^A[CD]' AND title !~* 'prejudice';
SELECT title FROM film WHERE title SIMILAR TO '%(EGG|HOLES)%';
SELECT title FROM film WHERE description NOT LIKE '%!_%' ESCAPE '!';
SELECT * FROM film WHERE rating IN ('PG', 'R') AND rental_rate < 3;
SELECT * FROM film WHERE rating NOT IN ('G') ORDER BY film_id OFFSET 5 LIMIT 5;
SELECT * FROM film ORDER BY length DESC NULLS LAST FETCH FIRST 3 ROWS ONLY;
SELECT film_id, title FROM film ORDER BY rental_rate DESC FETCH FIRST 2 ROWS WITH TIES;
SELECT * FROM rental WHERE return_date IS NULL;
SELECT * FROM address WHERE district IS DISTINCT FROM 'Texas';
SELECT * FROM customer WHERE activebool;
SELECT * FROM customer WHERE activebool IS NOT TRUE;
SELECT lower(last_name), upper(first_name), initcap(email), length(email) FROM customer;
SELECT coalesce(district, 'unknown') AS district, count(*) FROM address GROUP BY 1;
SELECT nullif(active, 0) FROM customer;
SELECT greatest(length, 60), least(length, 180) FROM film;
SELECT CASE WHEN length < 60 THEN 'short' WHEN length < 120 THEN 'medium' ELSE 'long' END AS kind, count(*) FROM film GROUP BY kind ORDER BY 2 DESC;
SELECT CASE rating WHEN 'G' THEN 1 WHEN 'PG' THEN 2 ELSE 3 END FROM film;
SELECT "zip code", notes FROM customer_list WHERE country = 'Japan';
SELECT * FROM sales_by_category ORDER BY total_sales DESC;
TABLE language;
TABLE public.category ORDER BY name LIMIT 2;
VALUES (1, 'one'), (2, 'two'), (3, 'three');
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, letter) ORDER BY id;

-- rental: joins
SELECT c.first_name, p.amount, p.payment_date FROM customer c INNER JOIN payment p ON p.customer_id = c.customer_id ORDER BY p.payment_date;
SELECT f.title, l.name FROM film f JOIN language l USING (language_id) WHERE l.name = 'Italian';
SELECT f.film_id, f.title, i.inventory_id FROM film f LEFT JOIN inventory i ON i.film_id = f.film_id WHERE i.inventory_id IS NULL;
SELECT s.store_id, st.first_name FROM staff st RIGHT OUTER JOIN store s ON s.manager_staff_id = st.staff_id;
SELECT a.address_id, c.customer_id FROM address a FULL OUTER JOIN customer c ON c.address_id = a.address_id;
SELECT s.store_id, c.name FROM store s CROSS JOIN category c;
SELECT * FROM city NATURAL JOIN country;
SELECT f1.title, f2.title FROM film f1 INNER JOIN film f2 ON f1.film_id < f2.film_id AND f1.length = f2.length;
SELECT a.first_name, a.last_name, count(*) AS films FROM actor a JOIN film_actor fa USING (actor_id) GROUP BY a.actor_id ORDER BY films DESC LIMIT 5;
SELECT ca.name, count(*), round(avg(f.length), 1) AS mean FROM category ca JOIN film_category fc USING (category_id) JOIN film f USING (film_id) GROUP BY ca.name HAVING count(*) > 3 ORDER BY mean;
SELECT co.country, sum(p.amount) FROM payment p JOIN customer c USING (customer_id) JOIN address a USING (address_id) JOIN city ci USING (city_id) JOIN country co USING (country_id) GROUP BY co.country ORDER BY 2 DESC;
SELECT c.customer_id, r.rental_id FROM customer c, rental r WHERE c.customer_id = r.customer_id AND r.return_date IS NULL;
SELECT f.title, string_agg(a.first_name || ' ' || a.last_name, ', ' ORDER BY a.last_name) AS actors FROM film f JOIN film_actor fa USING (film_id) JOIN actor a USING (actor_id) GROUP BY f.title;
SELECT c.customer_id, latest.rental_date FROM customer c CROSS JOIN LATERAL (SELECT r.rental_date FROM rental r WHERE r.customer_id = c.customer_id ORDER BY r.rental_date DESC LIMIT 1) AS latest;
SELECT c.customer_id, t.n FROM customer c LEFT JOIN LATERAL (SELECT count(*) AS n FROM payment p WHERE p.customer_id = c.customer_id) t ON true;
SELECT * FROM film JOIN film_category USING (film_id) AS shared ORDER BY shared.film_id LIMIT 3;
SELECT m.manager, count(c.*) FROM (SELECT s.store_id, st.last_name AS manager FROM store s JOIN staff st ON st.staff_id = s.manager_staff_id) m JOIN customer c USING (store_id) GROUP BY m.manager;

-- rental: subqueries
SELECT title, rental_rate FROM film WHERE rental_rate > (SELECT avg(rental_rate) FROM film);
SELECT first_name FROM customer WHERE EXISTS (SELECT 1 FROM payment WHERE payment.customer_id = customer.customer_id AND amount > 7);
SELECT first_name FROM customer c WHERE NOT EXISTS (SELECT FROM rental r WHERE r.customer_id = c.customer_id);
SELECT title FROM film WHERE film_id IN (SELECT film_id FROM inventory WHERE store_id = 1);
SELECT title FROM film WHERE film_id NOT IN (SELECT film_id FROM inventory WHERE film_id IS NOT NULL);
SELECT title FROM film WHERE length >= ANY (SELECT max(length) FROM film f JOIN film_category USING (film_id) GROUP BY category_id);
SELECT title FROM film WHERE length > ALL (SELECT round(avg(length), 2) FROM film GROUP BY rating);
SELECT title FROM film WHERE (rating, length) IN (SELECT rating, max(length) FROM film GROUP BY rating);
SELECT (SELECT count(*) FROM film) AS films, (SELECT count(*) FROM actor) AS actors;
SELECT * FROM (SELECT rating, count(*) AS n FROM film GROUP BY rating) AS r WHERE n > 5;
SELECT c.first_name, (SELECT sum(amount) FROM payment p WHERE p.customer_id = c.customer_id) AS spent FROM customer c ORDER BY spent DESC NULLS LAST LIMIT 5;
SELECT ARRAY(SELECT name FROM category ORDER BY name);

-- rental: grouping
SELECT customer_id, sum(amount) AS total FROM payment GROUP BY customer_id HAVING sum(amount) > 40 ORDER BY total DESC;
SELECT date_trunc('month', payment_date) AS month, sum(amount), count(*) FROM payment GROUP BY 1 ORDER BY 1;
SELECT payment_date::date AS day, sum(amount) FROM payment GROUP BY payment_date::date ORDER BY day;
SELECT extract(dow FROM rental_date) AS weekday, count(*) FROM rental GROUP BY weekday ORDER BY weekday;
SELECT extract(year FROM rental_date)::int AS y, to_char(rental_date, 'YYYY-MM') AS ym, count(*) FROM rental GROUP BY 1, 2;
SELECT staff_id, customer_id, sum(amount) FROM payment GROUP BY GROUPING SETS ((staff_id, customer_id), (staff_id), ()) ORDER BY 1, 2;
SELECT staff_id, date_trunc('month', payment_date), sum(amount) FROM payment GROUP BY ROLLUP (staff_id, date_trunc('month', payment_date));
SELECT rating, rental_duration, count(*), grouping(rating, rental_duration) FROM film GROUP BY CUBE (rating, rental_duration);
SELECT count(*) FILTER (WHERE rating = 'G') AS g, count(*) FILTER (WHERE rating <> 'G') AS other FROM film;
SELECT bool_and(activebool), bool_or(activebool), every(active = 1) FROM customer;
SELECT min(length), max(length), avg(length), stddev(length), variance(length), sum(length) FROM film;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY length) AS median, percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY length) AS quartiles FROM film;
SELECT mode() WITHIN GROUP (ORDER BY rating) FROM film;
SELECT corr(length, rental_rate), regr_slope(rental_rate, length), covar_pop(length, rental_rate) FROM film;
SELECT count(DISTINCT customer_id), count(DISTINCT (staff_id, customer_id)) FROM payment;
SELECT array_agg(title ORDER BY title) FROM film WHERE rating = 'R';
SELECT jsonb_object_agg(name, category_id) FROM category;
SELECT json_agg(row_to_json(c)) FROM category c;
SELECT DISTINCT ON (customer_id) customer_id, rental_date, rental_id FROM rental ORDER BY customer_id, rental_date DESC;
SELECT rank(60) WITHIN GROUP (ORDER BY length) FROM film;
SELECT bit_and(film_id), bit_or(film_id), xmlagg(xmlelement(name t, title)) FROM film WHERE film_id < 4;

-- rental: windows
SELECT title, rating, length, rank() OVER (PARTITION BY rating ORDER BY length DESC) FROM film;
SELECT title, row_number() OVER (ORDER BY film_id), dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w FROM film WINDOW w AS (ORDER BY length);
SELECT payment_id, amount, sum(amount) OVER (ORDER BY payment_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS running FROM payment;
SELECT payment_date, avg(amount) OVER (ORDER BY payment_date RANGE BETWEEN interval '7 days' PRECEDING AND CURRENT ROW) FROM payment;
SELECT rental_id, rental_date - lag(rental_date) OVER (PARTITION BY customer_id ORDER BY rental_date) AS since FROM rental;
SELECT film_id, lead(title, 1, 'none') OVER (ORDER BY film_id) FROM film;
SELECT title, first_value(title) OVER w, last_value(title) OVER w, nth_value(title, 2) OVER w FROM film WINDOW w AS (PARTITION BY rating ORDER BY length ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);
SELECT title, ntile(4) OVER (ORDER BY length) AS quartile FROM film;
SELECT amount, sum(amount) OVER (ORDER BY payment_id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM payment;
SELECT rating, count(*), 100.0 * count(*) / sum(count(*)) OVER () AS share FROM film GROUP BY rating;
SELECT * FROM (SELECT f.*, row_number() OVER (PARTITION BY rating ORDER BY rental_rate DESC, film_id) AS rn FROM film f) ranked WHERE rn <= 2;

-- rental: WITH
WITH totals AS (SELECT customer_id, sum(amount) AS total FROM payment GROUP BY customer_id) SELECT c.first_name, t.total FROM totals t JOIN customer c USING (customer_id) ORDER BY t.total DESC LIMIT 3;
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT x, y FROM a, b;
WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 10) SELECT sum(n) FROM t;
WITH RECURSIVE path AS (SELECT id, parent, name, 1 AS depth FROM lab.tree WHERE parent IS NULL UNION ALL SELECT c.id, c.parent, p.name || '/' || c.name, p.depth + 1 FROM lab.tree c JOIN path p ON c.parent = p.id) SELECT * FROM path ORDER BY depth;
WITH RECURSIVE walk AS (SELECT id, parent FROM lab.tree WHERE id = 1 UNION SELECT t.id, t.parent FROM lab.tree t JOIN walk w ON t.parent = w.id) SEARCH DEPTH FIRST BY id SET ordering SELECT id FROM walk ORDER BY ordering;
WITH RECURSIVE walk AS (SELECT id, parent FROM lab.tree WHERE id = 1 UNION ALL SELECT t.id, t.parent FROM lab.tree t JOIN walk w ON t.parent = w.id) CYCLE id SET is_cycle USING steps SELECT id, is_cycle FROM walk;
WITH big AS MATERIALIZED (SELECT * FROM rental), small AS NOT MATERIALIZED (SELECT * FROM store) SELECT count(*) FROM big, small;
WITH monthly AS (SELECT date_trunc('month', rental_date) AS m, count(*) AS n FROM rental GROUP BY 1) SELECT m, n, n - lag(n) OVER (ORDER BY m) AS change FROM monthly;
WITH first AS (SELECT customer_id, min(date_trunc('month', rental_date)) AS cohort FROM rental GROUP BY 1) SELECT cohort, count(*) FROM first GROUP BY cohort;
WITH q AS (SELECT 1 AS a) SELECT q.a FROM q;

-- rental: sets
SELECT first_name FROM actor UNION SELECT first_name FROM customer ORDER BY first_name;
SELECT first_name FROM actor UNION ALL SELECT first_name FROM staff;
SELECT customer_id FROM payment INTERSECT SELECT customer_id FROM rental;
SELECT film_id FROM film EXCEPT SELECT film_id FROM inventory ORDER BY 1;
(SELECT title FROM film ORDER BY length LIMIT 1) UNION ALL (SELECT title FROM film ORDER BY length DESC LIMIT 1);
SELECT 1 AS n UNION (SELECT 2 INTERSECT SELECT 2) ORDER BY n;

-- rental: full text, arrays, enums
SELECT title FROM film WHERE fulltext @@ to_tsquery('english', 'robot & mine');
SELECT title, ts_rank(fulltext, plainto_tsquery('shark teacher')) AS score FROM film WHERE fulltext @@ plainto_tsquery('shark teacher') ORDER BY score DESC;
SELECT ts_headline('english', description, websearch_to_tsquery('"a teacher" -shark')) FROM film WHERE fulltext @@ websearch_to_tsquery('teacher -shark') LIMIT 2;
SELECT title FROM film WHERE 'Trailers' = ANY (special_features);
SELECT title FROM film WHERE special_features @> ARRAY['Commentaries'];
SELECT title FROM film WHERE special_features && '{Trailers,Commentaries}' AND array_length(special_features, 1) = 2;
SELECT film_id, unnest(special_features) AS feature FROM film;
SELECT f.title, s.feature, s.position FROM film f, unnest(f.special_features) WITH ORDINALITY AS s(feature, position);
SELECT special_features[1], special_features[1:2], cardinality(special_features) FROM film;
SELECT array_to_string(special_features, '; ') FROM film;
SELECT array_append(special_features, 'New'), array_remove(special_features, 'Trailers'), array_position(special_features, 'Trailers'), array_cat(special_features, ARRAY['x']) FROM film;
SELECT enum_range(NULL::mpaa_rating), enum_first(NULL::mpaa_rating), enum_last(NULL::mpaa_rating);
SELECT rating::text, 'PG-13'::mpaa_rating < rating FROM film;
SELECT title FROM film WHERE rating >= 'PG-13';
SELECT to_tsvector('simple', title), numnode(to_tsquery('a & b')), strip(fulltext), tsvector_to_array(fulltext) FROM film;
SELECT phraseto_tsquery('english', 'academy dinosaur'), setweight(fulltext, 'A'), ts_rank_cd(fulltext, to_tsquery('boat')) FROM film;

-- texts
SELECT substring(title FROM 1 FOR 5), left(title, 3), right(title, 3), position('A' IN title), strpos(title, 'O') FROM film;
SELECT trim(both ' ' FROM '  x '), ltrim('  x'), rtrim('x  '), btrim('xxaxx', 'x'), replace(title, ' ', '_') FROM film LIMIT 1;
SELECT concat(first_name, ' ', last_name), concat_ws(', ', last_name, first_name), format('%s <%s>', last_name, email) FROM customer;
SELECT split_part(email, '@', 2) AS domain, count(*) FROM customer GROUP BY domain;
SELECT regexp_replace(title, '(\w+) (\w+)', '\2 \1'), regexp_match(title, '(\d+)$'), regexp_split_to_array(title, '\s+') FROM film;
SELECT m[1] FROM film, regexp_matches(title, '[A-Z]+', 'g') AS m;
SELECT word FROM regexp_split_to_table('a quick fox', ' ') AS word;
SELECT regexp_count(title, 'A'), regexp_substr(title, '[0-9]+'), regexp_instr(title, 'E'), regexp_like(title, 'egg', 'i') FROM film;
SELECT lpad(film_id::text, 5, '0'), rpad(title, 30, '.'), repeat('*', 3), reverse(title), translate(title, 'AE', '43') FROM film;
SELECT ascii('A'), chr(65), md5(title), encode(sha256(title::bytea), 'hex'), octet_length(title), char_length(title), bit_length(title) FROM film;
SELECT overlay('Txxxxas' PLACING 'hom' FROM 2 FOR 4), starts_with(title, 'ACE'), quote_literal('O''Reilly'), quote_ident('a b') FROM film;
SELECT E'tab\there', U&'\0061', $$dollar's$$, $tag$another $$ one$tag$, 'it''s', B'101', X'1F';
SELECT 'a'
  'b' AS "joined";
SELECT title COLLATE "C" FROM film ORDER BY title COLLATE "C" DESC;
SELECT to_hex(255), string_to_array('a,b,c', ','), initcap('the quick'), unistr('\0041');
SELECT s FROM string_to_table('x-y-z', '-') s;
SELECT normalize('é', NFC) = 'é', 'é' IS NFC NORMALIZED;

-- numbers
SELECT 7 / 2, 7 % 2, 7.0 / 2, 2 ^ 10, |/ 25, ||/ 27, @ -5, 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, 256 >> 2;
SELECT round(2.5), round(2.567, 2), ceil(1.2), ceiling(1.2), floor(-1.2), trunc(9.99, 1), abs(-3), sign(-2), mod(10, 3), div(10, 3);
SELECT sqrt(2), cbrt(27), exp(1), ln(10), log(100), log(2, 8), power(2, 8), pi(), degrees(pi()), radians(180);
SELECT sin(0), cos(0), tan(0), asin(0), acos(1), atan(1), atan2(1, 1), sinh(0), cot(1), sind(30);
SELECT gcd(12, 18), lcm(4, 6), factorial(5), width_bucket(5.35, 0.024, 10.06, 5), scale(8.41), min_scale(8.4100), trim_scale(8.4100);
SELECT random() < 1, 1e10::float8, 'NaN'::float8, 'Infinity'::numeric, 0.1::real;
SELECT 12345678901234567890.123456789 AS wide, 9223372036854775807 AS big, (-32768)::smallint;
SELECT to_char(1234567.891, 'FM9,999,999.00'), to_number('1,234.5', '9G999D9'), numeric '10.50' * 2;
SELECT cast(rental_rate AS integer), rental_rate::text, cast('42' AS int), '3.14'::numeric(3, 1) FROM film;
SELECT generate_series(1, 10, 3);
SELECT g, g * g FROM generate_series(1, 5) AS g;
SELECT x FROM generate_series(0, 1, 0.25) AS x;

-- dates and times
SELECT now() IS NOT NULL, current_date <= current_date + 1, current_timestamp - interval '1 day' < now(), localtimestamp IS NULL, clock_timestamp() >= now();
SELECT rental_date, rental_date::date, rental_date::time, rental_date AT TIME ZONE 'Europe/Berlin' FROM rental;
SELECT return_date - rental_date AS kept, extract(epoch FROM return_date - rental_date) / 86400 AS days FROM rental WHERE return_date IS NOT NULL;
SELECT age(timestamp '2026-03-01', timestamp '2020-02-29'), justify_days(interval '40 days'), justify_hours(interval '30 hours'), justify_interval(interval '1 mon -1 hour');
SELECT date '2026-02-28' + 1, date '2026-03-01' - date '2026-02-01', date '2026-01-31' + interval '1 month', timestamp '2026-01-01' - interval '2 hours 30 minutes';
SELECT date_part('hour', rental_date), extract(isodow FROM rental_date), extract(week FROM rental_date), extract(quarter FROM rental_date) FROM rental;
SELECT to_char(rental_date, 'Day, DD Mon YYYY HH24:MI'), to_date('05 Dec 2000', 'DD Mon YYYY'), to_timestamp('2026-01-02', 'YYYY-MM-DD'), to_timestamp(0) FROM rental;
SELECT make_date(2026, 2, 3), make_time(8, 15, 23.5), make_timestamp(2026, 7, 15, 8, 15, 23.5), make_interval(days => 10), make_timestamptz(2026, 1, 1, 0, 0, 0, 'UTC');
SELECT d::date FROM generate_series(date '2026-01-01', date '2026-01-07', interval '1 day') AS d;
SELECT count(*) FROM rental WHERE rental_date >= '2026-03-01' AND rental_date < timestamptz '2026-04-01';
SELECT count(*) FROM rental WHERE rental_date BETWEEN SYMMETRIC '2026-05-01' AND '2026-03-01';
SELECT (date '2026-01-01', date '2026-02-01') OVERLAPS (date '2026-01-15', interval '1 month');
SELECT date_bin('15 minutes', at, timestamptz '2026-01-01') AS slot, count(*) FROM lab.events GROUP BY slot ORDER BY slot;
SELECT interval '1 year 2 months', interval '3' day, interval 'P1DT2H', -interval '1 hour', interval '1 hour' * 3, isfinite(date 'infinity');
SELECT timezone('UTC', at), at AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York', date_trunc('day', at, 'Asia/Tokyo') FROM lab.events LIMIT 1;
SELECT days.day, count(r.rental_id) FROM generate_series('2026-02-01'::timestamptz, '2026-02-10', '1 day') AS days(day) LEFT JOIN rental r ON r.rental_date >= days.day AND r.rental_date < days.day + interval '1 day' GROUP BY days.day;
SELECT name, abbrev, is_dst FROM pg_timezone_names WHERE name LIKE 'Europe/B%' LIMIT 3;

-- music: quoted names
SELECT "Name", "Milliseconds" / 1000.0 AS seconds FROM music."Track" ORDER BY "Milliseconds" DESC LIMIT 5;
SELECT ar."Name" AS artist, count(*) AS albums FROM music."Album" al JOIN music."Artist" ar ON ar."ArtistId" = al."ArtistId" GROUP BY ar."Name" ORDER BY albums DESC;
SELECT g."Name", sum(il."UnitPrice" * il."Quantity") AS revenue FROM music."InvoiceLine" il JOIN music."Track" t USING ("TrackId") JOIN music."Genre" g USING ("GenreId") GROUP BY g."Name";
SELECT "BillingCountry", sum("Total"), avg("Total") FROM music."Invoice" GROUP BY "BillingCountry" HAVING sum("Total") > 10 ORDER BY 2 DESC;
SELECT c."FirstName", c."LastName", e."FirstName" AS rep FROM music."Customer" c LEFT JOIN music."Employee" e ON e."EmployeeId" = c."SupportRepId";
SELECT e."LastName", m."LastName" AS manager FROM music."Employee" e LEFT JOIN music."Employee" m ON m."EmployeeId" = e."ReportsTo";
SELECT p."Name", count(pt."TrackId") FROM music."Playlist" p LEFT JOIN music."PlaylistTrack" pt ON pt."PlaylistId" = p."PlaylistId" GROUP BY p."PlaylistId", p."Name";
SELECT "Composer", count(*) FROM music."Track" WHERE "Composer" IS NOT NULL GROUP BY "Composer" ORDER BY count(*) DESC;
SELECT extract(year FROM "InvoiceDate") AS year, sum("Total") AS sales FROM music."Invoice" GROUP BY year ORDER BY year;
SELECT t."Name" FROM music."Track" t WHERE NOT EXISTS (SELECT 1 FROM music."InvoiceLine" l WHERE l."TrackId" = t."TrackId");
SELECT "Country", "CustomerId", spent FROM (SELECT c."Country", c."CustomerId", sum(i."Total") AS spent, rank() OVER (PARTITION BY c."Country" ORDER BY sum(i."Total") DESC) AS place FROM music."Customer" c JOIN music."Invoice" i USING ("CustomerId") GROUP BY c."Country", c."CustomerId") x WHERE place = 1;
SELECT al."Title", round(sum(t."Milliseconds") / 60000.0, 2) AS minutes, pg_size_pretty(sum(t."Bytes")) FROM music."Album" al JOIN music."Track" t USING ("AlbumId") GROUP BY al."AlbumId", al."Title";
WITH RECURSIVE chain AS (SELECT "EmployeeId", "LastName", 0 AS level FROM music."Employee" WHERE "ReportsTo" IS NULL UNION ALL SELECT e."EmployeeId", e."LastName", level + 1 FROM music."Employee" e JOIN chain c ON e."ReportsTo" = c."EmployeeId") SELECT * FROM chain;
SELECT a."Name" FROM music."Artist" AS a WHERE a."Name" LIKE '%/%' OR a."Name" = 'Antônio Carlos Jobim';
SELECT left("Email", strpos("Email", '@') - 1) FROM music."Customer";
SELECT "InvoiceDate"::date, "Total", avg("Total") OVER (ORDER BY "InvoiceDate" ROWS 3 PRECEDING) FROM music."Invoice";
SELECT count(*) AS "number of tracks", max("UnitPrice") AS "highest price" FROM music."Track";
SELECT music."Genre"."Name" FROM music."Genre" ORDER BY music."Genre"."Name";

-- trade
SELECT product_name, unit_price FROM trade.products WHERE NOT discontinued = 1 ORDER BY unit_price DESC LIMIT 10;
SELECT category_name, count(product_id) FROM trade.categories c LEFT JOIN trade.products p ON p.category_id = c.category_id GROUP BY category_name;
SELECT o.order_id, sum(d.unit_price * d.quantity * (1 - d.discount))::numeric(10, 2) AS total FROM trade.orders o JOIN trade.order_details d ON d.order_id = o.order_id GROUP BY o.order_id ORDER BY total DESC;
SELECT e.first_name, e.last_name, count(o.*) FROM trade.employees e LEFT JOIN trade.orders o USING (employee_id) GROUP BY e.employee_id, e.first_name, e.last_name;
SELECT company_name FROM trade.customers WHERE customer_id NOT IN (SELECT customer_id FROM trade.orders);
SELECT order_id, shipped_date - required_date AS late FROM trade.orders WHERE shipped_date > required_date;
SELECT ship_country, avg(freight)::numeric(8, 2) FROM trade.orders GROUP BY ship_country ORDER BY 2;
SELECT product_name, units_in_stock, reorder_level FROM trade.products WHERE units_in_stock + units_on_order <= reorder_level;
SELECT to_char(order_date, 'YYYY-"Q"Q') AS quarter, count(*) FROM trade.orders GROUP BY 1 ORDER BY 1;
SELECT s.company_name, p.product_name FROM trade.suppliers s JOIN trade.products p USING (supplier_id) WHERE s.country IN ('UK', 'Japan');
SELECT company_name, coalesce(region, country) AS place FROM trade.customers ORDER BY place, company_name;
SELECT a.product_id, b.product_id, count(*) FROM trade.order_details a JOIN trade.order_details b ON a.order_id = b.order_id AND a.product_id < b.product_id GROUP BY 1, 2 HAVING count(*) > 1 ORDER BY 3 DESC;
SELECT employee_id, extract(year FROM age(date '2026-01-01', birth_date)) AS years FROM trade.employees;
SELECT encode(picture, 'base64'), length(picture), get_byte(picture, 0), picture IS NULL FROM trade.categories;
SELECT contact_name FROM trade.customers WHERE contact_name ~ '\d$' AND phone LIKE '(5)%';
SELECT c.company_name, max(o.order_date) AS last_order FROM trade.customers c JOIN trade.orders o USING (customer_id) GROUP BY c.customer_id, c.company_name HAVING max(o.order_date) < date '2026-03-01';
SELECT s.company_name, count(*) FILTER (WHERE shipped_date IS NULL) AS open, count(*) AS all FROM trade.orders o JOIN trade.shippers s ON s.shipper_id = o.ship_via GROUP BY s.company_name;
SELECT product_id, quantity, sum(quantity) OVER (PARTITION BY product_id ORDER BY order_id) AS cumulated FROM trade.order_details;
SELECT ship_city FROM trade.orders WHERE ship_city = 'México D.F.' GROUP BY ship_city;
SELECT e.last_name || ', ' || e.first_name AS name, m.last_name AS boss FROM trade.employees e LEFT OUTER JOIN trade.employees m ON e.reports_to = m.employee_id;
SELECT unit_price > 20 AS dear, count(*) FROM trade.products GROUP BY unit_price > 20;
SELECT product_name FROM trade.products p WHERE unit_price > (SELECT avg(unit_price) FROM trade.products q WHERE q.category_id = p.category_id);
SELECT * FROM trade.orders WHERE order_date >= date '2025-08-01' AND order_date < date '2025-08-01' + interval '1 month';
SELECT lag(order_id) OVER (ORDER BY order_date), order_id, lead(order_id) OVER (ORDER BY order_date) FROM trade.orders;

-- JSON
SELECT body->'name', body->>'name', body #> '{size,w}', body #>> '{tags,0}' FROM lab.documents;
SELECT id FROM lab.documents WHERE body @> '{"in_stock": true}';
SELECT id FROM lab.documents WHERE body ? 'price' AND body ?| ARRAY['x', 'name'] AND body ?& ARRAY['id', 'name'];
SELECT id FROM lab.documents WHERE (body->>'price')::numeric > 20 AND (body->'in_stock')::boolean;
SELECT body['name'], body['size']['w'], body['tags'][0] FROM lab.documents;
SELECT jsonb_path_query(body, '$.tags[*]') FROM lab.documents;
SELECT id FROM lab.documents WHERE body @? '$.size ? (@.w > 5)' AND body @@ '$.price > 10';
SELECT jsonb_path_exists(body, '$.price ? (@ > 30)'), jsonb_path_query_array(body, '$.tags'), jsonb_path_query_first(body, '$.size.h'), jsonb_path_match(body, '$.in_stock == true') FROM lab.documents;
SELECT key, value FROM lab.documents, jsonb_each(body) WHERE id = 1;
SELECT key, value FROM lab.documents d CROSS JOIN LATERAL jsonb_each_text(d.body) WHERE d.id = 1;
SELECT id, tag FROM lab.documents, jsonb_array_elements_text(body->'tags') AS tag;
SELECT jsonb_array_length(body->'tags'), jsonb_typeof(body->'price'), jsonb_object_keys(body->'size') FROM lab.documents;
SELECT jsonb_set(body, '{price}', '9.99'), jsonb_insert(body, '{tags,0}', '"new"'), body - 'nothing', body #- '{size,w}', body || '{"extra": 1}' FROM lab.documents;
SELECT jsonb_pretty(body), jsonb_strip_nulls(body), to_jsonb(size), row_to_json(d) FROM lab.documents d WHERE id = 1;
SELECT jsonb_build_object('a', 1, 'b', jsonb_build_array(1, 2)), json_build_array(1, 'x', NULL), json_object('{a,1,b,2}'), jsonb_agg(id) FROM lab.documents;
SELECT x.id, x.name, x.price FROM lab.documents, jsonb_to_record(body) AS x(id int, name text, price numeric);
SELECT * FROM jsonb_to_recordset('[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]') AS x(a int, b text);
SELECT r.w FROM jsonb_populate_record(NULL::lab.dimensions, '{"width": 3, "height": 4}') AS r(w, h);
SELECT raw->>'k', json_typeof(raw), json_array_length('[1,2]') FROM lab.documents;
SELECT payload->>'path' AS page, avg((payload->>'ms')::int) FROM lab.events GROUP BY 1 ORDER BY 2 DESC;
SELECT jsonb_object_agg(kind, n) FROM (SELECT kind, count(*) AS n FROM lab.events GROUP BY kind) AS k;
SELECT id FROM lab.documents WHERE body->'tags' ? 't1';
SELECT '{"a": {"b": [1, 2]}}'::jsonb #>> '{a,b,1}', '[1,2,3]'::jsonb -> -1, '{"a":1}'::jsonb = '{"a": 1}'::jsonb;

-- ranges
SELECT room, during FROM lab.bookings WHERE during @> timestamptz '2026-04-01 15:30+00';
SELECT a.id, b.id FROM lab.bookings a JOIN lab.bookings b ON a.id < b.id AND a.during && b.during;
SELECT lower(days), upper(days), lower_inc(days), upper_inf(days), isempty(days), upper(days) - lower(days) FROM lab.bookings;
SELECT seats * int4range(3, 8), seats + int4range(5, 30), seats - int4range(1, 3) FROM lab.bookings WHERE id = 4;
SELECT int4range(1, 5) -|- int4range(5, 9), '[1,5)'::int4range << '[7,9)', numrange(1.0, 2.0, '[]'), range_merge(int4range(1, 2), int4range(5, 6));
SELECT unnest(many), range_merge(many) FROM lab.bookings;
SELECT range_agg(days), range_intersect_agg(days) FROM lab.bookings;
SELECT datemultirange(daterange('2026-01-01', '2026-02-01')) @> date '2026-01-10';

-- other types
SELECT source, host(source), masklen(source), network(source), family(source), source << '10.0.1.0/24' FROM lab.events;
SELECT count(*) FROM lab.events WHERE source <<= inet '10.0.0.0/16' OR source && '10.0.2.0/24';
SELECT mac, trunc(mac), macaddr8_set7bit(mac::macaddr8) FROM lab.events LIMIT 1;
SELECT token, token::text, gen_random_uuid() IS NOT NULL FROM lab.events LIMIT 2;
SELECT flags, flags & B'00001111', flags << 1, get_bit(flags, 0), bit_count(flags) FROM lab.events;
SELECT price, price::numeric, sum(price) OVER () FROM lab.events;
SELECT raw, encode(raw, 'hex'), substring(raw FROM 1 FOR 2), md5(raw), length(raw), raw || '\xff' FROM lab.events;
SELECT at[0], at <-> point '(0,0)', area @> at, area(around), center(around), diameter(around), height(frame), npoints(area), isclosed(way) FROM lab.places;
SELECT name FROM lab.places ORDER BY at <-> '(5,4)'::point LIMIT 1;
SELECT point(1, 2), box '((0,0),(1,1))' && box '((0.5,0.5),(2,2))', lseg '[(0,0),(1,1)]' ?# lseg '[(0,1),(1,0)]', circle(point '(0,0)', 2) @> point '(1,1)';
SELECT (size).width, (size).height, size FROM lab.documents;
SELECT (d.size).width * (d.size).height AS surface FROM lab.documents AS d;
SELECT note, xpath('/doc/text()', note), xml_is_well_formed('<a/>'), xmlforest(id, tags) FROM lab.documents;
SELECT t.n FROM xmltable('/r/i' PASSING '<r><i>1</i><i>2</i></r>' COLUMNS n int PATH '.') AS t;
SELECT ROW(1, 'a'), ROW(1, 2) < ROW(1, 3), (1, 2) = (1, 2), ROW(1, NULL) IS NULL;
SELECT '{{1,2},{3,4}}'::int[][], ARRAY[[1, 2], [3, 4]], array_dims(ARRAY[1, 2]), array_fill(0, ARRAY[2]), array_ndims('{{1}}'::int[]);
SELECT '1'::bit, 'a'::"char", 'pg_class'::regclass::text, 'int4'::regtype, 10::oid;
SELECT day, sensor, value, avg(value) OVER (PARTITION BY sensor ORDER BY day ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING) AS smooth FROM lab.measures;
SELECT day, max(value) FILTER (WHERE sensor = 's0') AS s0, max(value) FILTER (WHERE sensor = 's1') AS s1 FROM lab.measures GROUP BY day ORDER BY day;
SELECT sensor, regr_r2(value, extract(epoch FROM day::timestamp)), stddev_pop(value), var_samp(value) FROM lab.measures GROUP BY sensor;
SELECT "select", "from", "ünïcode", "with space" FROM lab."odd ""names""";
SELECT o."select" AS "a ""quoted"" one" FROM lab."odd ""names""" AS o WHERE o."from" = 'a';
SELECT U&"\0073elect" FROM (SELECT 1 AS "select") s;
SELECT kind, width_bucket(extract(epoch FROM took), 0, 20000, 4) AS bucket, count(*) FROM lab.events GROUP BY 1, 2;
SELECT kind, count(*), lag(count(*)) OVER (ORDER BY kind) FROM lab.events GROUP BY kind;
SELECT TRUE AND NOT FALSE OR NULL, NULL IS UNKNOWN, 1 IS NOT NULL, 3 BETWEEN 1 AND 5, 2 NOT BETWEEN 3 AND 4;
SELECT * FROM film TABLESAMPLE SYSTEM (100) LIMIT 1;
SELECT * FROM film TABLESAMPLE BERNOULLI (50) REPEATABLE (7);
SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a', 'b', 'c'])) AS t(n, letter);
SELECT payment_id FROM ONLY payment_2026_h1 LIMIT 1;
SELECT tableoid::regclass, count(*) FROM payment GROUP BY tableoid;
SELECT ctid, xmin IS NOT NULL, * FROM store;

-- the catalog and the session
SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2;
SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns WHERE table_name = 'film' ORDER BY ordinal_position;
SELECT tc.table_name, kcu.column_name, ccu.table_name AS foreign_table FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON kcu.constraint_name = tc.constraint_name JOIN information_schema.constraint_column_usage ccu ON ccu.constraint_name = tc.constraint_name WHERE tc.constraint_type = 'FOREIGN KEY';
SELECT c.relname, c.reltuples::bigint, pg_size_pretty(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1;
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'film';
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'public.rental'::regclass;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'film'::regclass AND attnum > 0 AND NOT attisdropped;
SELECT obj_description('public.film'::regclass, 'pg_class'), col_description('public.film'::regclass, 1);
SELECT viewname, definition FROM pg_views WHERE schemaname = 'public';
SELECT matviewname, ispopulated FROM pg_matviews;
SELECT enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'mpaa_rating' ORDER BY enumsortorder;
SELECT relname, seq_scan, n_live_tup FROM pg_stat_user_tables ORDER BY relname;
SELECT extname, extversion FROM pg_extension;
SELECT inhrelid::regclass, inhparent::regclass FROM pg_inherits;
SELECT version(), current_database(), current_user, session_user, current_schema, pg_backend_pid() > 0;
SELECT current_setting('server_version'), current_setting('TimeZone');
SELECT has_table_privilege('film', 'SELECT'), has_schema_privilege('music', 'USAGE'), pg_typeof(1.5), pg_column_size('abc'::text);
SELECT pg_get_viewdef('customer_list'::regclass), pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'film'::regclass;
SELECT tablename, attname, n_distinct, null_frac FROM pg_stats WHERE schemaname = 'public' ORDER BY 1, 2 LIMIT 5;
SHOW server_version;
SHOW TIME ZONE;
SHOW search_path;
EXPLAIN SELECT * FROM film WHERE film_id = 1;
EXPLAIN (FORMAT JSON, VERBOSE, COSTS OFF) SELECT count(*) FROM rental JOIN customer USING (customer_id);
EXPLAIN (COSTS FALSE) WITH a AS (SELECT 1) SELECT * FROM a;
-- a comment first, and one inside
SELECT /* the title */ title FROM film -- at the end
LIMIT 1;
SELECT
    f.title,
    f.length
FROM film AS f
WHERE
    f.length > 100
    AND f.rating = 'PG'
ORDER BY
    f.length DESC
LIMIT 5;

-- monitoring, settings and plans
SHOW max_wal_size;
SHOW autovacuum_vacuum_scale_factor;
SHOW jit_above_cost;
SHOW geqo_threshold;
SHOW min_parallel_table_scan_size;
SHOW log_min_duration_statement;
SHOW default_table_access_method;
SHOW data_checksums;
SELECT current_setting('wal_block_size')::int * 2, current_setting('checkpoint_timeout');
EXPLAIN (ANALYZE OFF, TIMING OFF, WAL FALSE, SUMMARY) SELECT title FROM film;
EXPLAIN (TIMING 0, FORMAT TEXT) SELECT title FROM film;
SELECT pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'));
SELECT application_name, pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) AS lag FROM pg_stat_replication;
SELECT pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), pg_is_in_recovery();
SELECT s.query, count(a.pid) FROM (SELECT 'films' AS query) s LEFT JOIN pg_stat_activity a ON a.application_name = s.query GROUP BY s.query;
SELECT ts_rewrite('a & b'::tsquery, 'a'::tsquery, 'foo|bar'::tsquery);

-- XML
SELECT x.* FROM lab.documents, XMLTABLE('//ROWS/ROW' PASSING xml '<ROWS><ROW id="1"><SIZE unit="ha">7</SIZE></ROW></ROWS>' COLUMNS id int PATH '@id', size_other text PATH 'concat(SIZE[@unit!="sq_km"], " ", SIZE[@unit!="sq_km"]/@unit)') AS x LIMIT 1;
SELECT xpath('/a[@href="https://example.org/x"]/text()', '<a href="https://example.org/x">link</a>');
SELECT xpath('//book[author/name="Ann"]/title/text()', '<b><book><author><name>Ann</name></author><title>T</title></book></b>');
SELECT xpath('/shop//price/text()', '<shop><item><price>3</price></item></shop>'), xpath('normalize-space(/a/b)', '<a><b> x </b></a>');
SELECT xpath('/a/b[2][@c]', '<a><b/><b c="1"/></a>'), xpath_exists('/a[contains(b, "..")]', '<a><b>x..y</b></a>');

-- decision support, in the manner of TPC-H and TPC-DS
SELECT o.ship_country, date_trunc('quarter', o.order_date)::date AS quarter, sum(d.quantity * d.unit_price * (1 - d.discount))::numeric(12,2) AS revenue FROM trade.orders o JOIN trade.order_details d USING (order_id) WHERE o.order_date >= date '2025-07-01' AND o.order_date < date '2025-07-01' + interval '1 year' GROUP BY 1, 2 ORDER BY 2, 3 DESC;
SELECT c.category_name, sum(CASE WHEN s.country = 'Japan' THEN d.quantity ELSE 0 END)::float / nullif(sum(d.quantity), 0) AS share FROM trade.order_details d JOIN trade.products p USING (product_id) JOIN trade.suppliers s USING (supplier_id) JOIN trade.categories c USING (category_id) GROUP BY c.category_name ORDER BY share DESC NULLS LAST;
WITH revenue (supplier_no, total) AS (SELECT p.supplier_id, sum(d.unit_price * d.quantity) FROM trade.order_details d JOIN trade.products p USING (product_id) GROUP BY p.supplier_id) SELECT s.company_name, r.total FROM trade.suppliers s, revenue r WHERE s.supplier_id = r.supplier_no AND r.total = (SELECT max(total) FROM revenue);
SELECT cntrycode, count(*) AS numcust, sum(bal) AS total FROM (SELECT substring(phone FROM 1 FOR 3) AS cntrycode, length(company_name) AS bal FROM trade.customers c WHERE substring(phone FROM 1 FOR 3) IN ('(5)', '(6)') AND NOT EXISTS (SELECT * FROM trade.orders o WHERE o.customer_id = c.customer_id)) AS custsale GROUP BY cntrycode ORDER BY cntrycode;
SELECT p.product_name FROM trade.products p WHERE p.unit_price < (SELECT 0.8 * avg(d.unit_price) FROM trade.order_details d JOIN trade.products q USING (product_id) WHERE q.category_id = p.category_id) ORDER BY p.product_name;
SELECT o.order_id, count(*) AS line_count FROM trade.orders o JOIN trade.order_details d USING (order_id) GROUP BY o.order_id HAVING sum(d.quantity) > 20 ORDER BY line_count DESC, o.order_id LIMIT 5;
SELECT extract(year FROM order_date) AS o_year, ship_country, sum(freight) AS freight FROM trade.orders GROUP BY ROLLUP (extract(year FROM order_date), ship_country) ORDER BY 1 NULLS FIRST, 2 NULLS FIRST;
SELECT ship_country, ship_via, grouping(ship_country, ship_via) AS level, avg(freight)::numeric(8,2) FROM trade.orders GROUP BY CUBE (ship_country, ship_via) HAVING count(*) > 1 ORDER BY level, 1, 2;
SELECT * FROM (SELECT ship_country, customer_id, sum(freight) AS spent, rank() OVER (PARTITION BY ship_country ORDER BY sum(freight) DESC) AS place FROM trade.orders GROUP BY ship_country, customer_id) ranked WHERE place <= 2 ORDER BY ship_country, place;
SELECT customer_id, order_date, order_date - lag(order_date) OVER w AS gap_days, sum(freight) OVER (w ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS moving FROM trade.orders WINDOW w AS (PARTITION BY customer_id ORDER BY order_date) LIMIT 10;
WITH ssales AS (SELECT customer_id, sum(amount) AS paid FROM payment GROUP BY customer_id), avg_paid AS (SELECT 1.2 * avg(paid) AS bar FROM ssales) SELECT c.first_name, c.last_name, s.paid FROM ssales s JOIN customer c USING (customer_id) CROSS JOIN avg_paid WHERE s.paid > bar ORDER BY s.paid DESC, c.customer_id;
SELECT customer_id FROM rental WHERE rental_date < '2026-05-01' INTERSECT SELECT customer_id FROM payment WHERE amount > 5 EXCEPT SELECT customer_id FROM customer WHERE NOT activebool ORDER BY 1;
SELECT count(DISTINCT customer_id) FILTER (WHERE amount > 5) AS big, count(DISTINCT customer_id) AS payers, round(100.0 * count(*) FILTER (WHERE amount > 5) / count(*), 1) AS percent FROM payment;
SELECT width_bucket(amount, 0, 10, 5) AS bucket, count(*), min(amount), max(amount) FROM payment GROUP BY bucket ORDER BY bucket;
SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY amount) AS quartiles, mode() WITHIN GROUP (ORDER BY amount) AS usual, stddev_samp(amount)::numeric(8,3) AS spread FROM payment;
SELECT regr_slope(freight, order_id), corr(freight, order_id), covar_pop(freight, order_id) FROM trade.orders;
SELECT date_bin('7 days', payment_date, timestamptz '2026-01-05') AS week, sum(amount) FROM payment GROUP BY week ORDER BY week LIMIT 6;
SELECT cume_dist() OVER w, percent_rank() OVER w, ntile(4) OVER w, nth_value(title, 2) OVER w FROM film WINDOW w AS (ORDER BY length) LIMIT 5;
SELECT kind, count(*) FILTER (WHERE (payload ->> 'ms')::int > 100) AS slow, array_agg(DISTINCT source ORDER BY source) AS sources FROM lab.events GROUP BY kind;

-- rentals, music and trade once more
SELECT f.title, string_agg(a.first_name || ' ' || a.last_name, ', ' ORDER BY a.last_name, a.first_name) AS cast_list FROM film f JOIN film_actor fa USING (film_id) JOIN actor a USING (actor_id) GROUP BY f.film_id ORDER BY f.title LIMIT 5;
SELECT f.title FROM film f LEFT JOIN inventory i ON i.film_id = f.film_id WHERE i.inventory_id IS NULL;
SELECT c.customer_id, max(r.rental_date) AS last_rental, age(timestamptz '2026-12-31', max(r.rental_date)) AS since FROM customer c JOIN rental r USING (customer_id) GROUP BY c.customer_id ORDER BY since DESC LIMIT 3;
SELECT DISTINCT ON (customer_id) customer_id, rental_id, rental_date FROM rental ORDER BY customer_id, rental_date DESC;
SELECT title, ts_headline('english', description, websearch_to_tsquery('english', 'robot -shark'), 'StartSel=<<, StopSel=>>') FROM film WHERE fulltext @@ websearch_to_tsquery('english', 'robot -shark') LIMIT 3;
SELECT title, unnest(special_features) AS feature FROM film WHERE 'Trailers' = ANY (special_features) LIMIT 6;
SELECT feature, count(*) FROM film CROSS JOIN LATERAL unnest(special_features) AS feature GROUP BY feature ORDER BY 2 DESC;
SELECT to_char(payment_date, 'YYYY-"W"IW') AS week, to_char(sum(amount), 'FM999G990D00') AS paid FROM payment GROUP BY 1 ORDER BY 1 LIMIT 4;
SELECT c.country, count(*) AS customers FROM customer cu JOIN address a USING (address_id) JOIN city ci USING (city_id) JOIN country c USING (country_id) GROUP BY c.country HAVING count(*) >= ALL (SELECT 1) ORDER BY customers DESC FETCH FIRST 3 ROWS WITH TIES;
SELECT al."Title", ar."Name", count(t.*) AS tracks, sum(t."Milliseconds") / 60000.0 AS minutes FROM music."Album" al JOIN music."Artist" ar USING ("ArtistId") LEFT JOIN music."Track" t USING ("AlbumId") GROUP BY al."AlbumId", ar."ArtistId" ORDER BY minutes DESC NULLS LAST LIMIT 4;
SELECT e."FirstName" || ' ' || e."LastName" AS name, coalesce(m."LastName", '-') AS boss FROM music."Employee" e LEFT JOIN music."Employee" m ON e."ReportsTo" = m."EmployeeId" ORDER BY e."HireDate";
SELECT g."Name", round(avg(t."UnitPrice"), 2) AS price FROM music."Track" t JOIN music."Genre" g USING ("GenreId") WHERE t."Composer" IS NOT NULL AND t."Name" NOT ILIKE '%7' GROUP BY ROLLUP (g."Name");
SELECT i."BillingCountry", sum(i."Total") OVER (PARTITION BY i."BillingCountry") AS country_total, i."Total" / sum(i."Total") OVER () AS part FROM music."Invoice" i ORDER BY part DESC LIMIT 5;
WITH RECURSIVE chain AS (SELECT employee_id, last_name, reports_to, 1 AS level, last_name::text AS path FROM trade.employees WHERE reports_to IS NULL UNION ALL SELECT e.employee_id, e.last_name, e.reports_to, c.level + 1, c.path || ' > ' || e.last_name FROM trade.employees e JOIN chain c ON e.reports_to = c.employee_id) SELECT repeat('  ', level - 1) || last_name AS tree, path FROM chain ORDER BY path;
SELECT c.company_name, o.order_id, o.shipped_date IS NULL AND o.required_date < date '2026-12-31' AS late FROM trade.customers c LEFT JOIN trade.orders o USING (customer_id) WHERE c.region IS DISTINCT FROM 'WA' ORDER BY o.order_id NULLS FIRST LIMIT 7;
SELECT (p).product_name, (p).unit_price FROM (SELECT p FROM trade.products p ORDER BY unit_price DESC LIMIT 3) x;
SELECT product_id, quantity_per_unit, (regexp_match(quantity_per_unit, '^(\d+) boxes$'))[1]::int AS boxes FROM trade.products WHERE quantity_per_unit ~ '^\d' ORDER BY boxes DESC LIMIT 3;
SELECT least(units_in_stock, reorder_level), greatest(units_on_order, 5), CASE WHEN discontinued::boolean THEN 'gone' WHEN units_in_stock = 0 THEN 'out' ELSE 'there' END AS state FROM trade.products LIMIT 5;

-- chapters 8, 9 and 14 of the manual
SELECT overlay('Txxxxas' PLACING 'hom' FROM 2 FOR 4), position('om' IN 'Thomas'), trim(BOTH 'xyz' FROM 'yxTomxx'), initcap('hi THOMAS'), translate('12345', '143', 'ax'), split_part('abc~@~def', '~@~', 2);
SELECT format('Hello %s, %1$s and %I of %L', 'World', 'a column', 'O''Reilly'), quote_ident('Foo bar'), quote_nullable(NULL), concat_ws(', ', 'a', NULL, 'b'), reverse('abcde'), ascii('x'), chr(65), to_hex(255);
SELECT regexp_replace('Thomas', '.[mN]a.', 'M'), regexp_split_to_array('hello world', '\s+'), regexp_matches('foobarbequebaz', '(bar)(beque)'), substring('foobar' SIMILAR '%#"o_b#"%' ESCAPE '#'), 'abc' SIMILAR TO '%(b|d)%';
SELECT regexp_count('ABCABCAXYaxy', 'A.'), regexp_instr('ABCDEF', 'c(.)(..)', 1, 1, 0, 'i'), regexp_substr('ABCDEF', 'c..', 1, 1, 'i'), regexp_like('Hello', 'h', 'i'), string_to_array('a,b,,c', ',', ''), unistr('\0041');
SELECT div(9, 4), mod(9, 4), gcd(1071, 462), lcm(1071, 462), factorial(5), trim_scale(8.4100), scale(8.4100), min_scale(8.4100), sign(-8.4), cbrt(27.0), |/ 25.0, @ -5, 91 # 31, ~ 1, 1 << 4;
SELECT make_date(2026, 7, 15), make_interval(days => 10, hours => 2), make_timestamptz(2026, 7, 15, 8, 15, 23.5, 'UTC'), justify_interval(interval '1 mon -1 hour'), isfinite(date '2026-02-16'), extract(epoch FROM interval '5 days 3 hours'), date_part('isodow', date '2026-02-16');
SELECT timestamp '2026-02-16 20:38:40' AT TIME ZONE 'America/Denver', (date '2026-02-16', date '2026-12-21') OVERLAPS (date '2026-10-30', date '2027-10-30'), current_date - 7 <= current_date, localtimestamp(0) IS NOT NULL, to_timestamp(1284352323), to_date('05 Dec 2026', 'DD Mon YYYY');
SELECT enum_first(NULL::mpaa_rating), enum_last(NULL::mpaa_rating), enum_range('PG'::mpaa_rating, 'R'::mpaa_rating), 'PG'::mpaa_rating < 'R'::mpaa_rating;
SELECT point '(1,1)' <-> point '(4,5)', box '((0,0),(1,1))' && box '((1,1),(2,2))', circle '((0,0),2)' @> point '(1,1)', lseg '((-1,0),(1,0))' ?# box '((-2,-2),(2,2))', area(box '(2,2),(0,0)'), diameter(circle '<(0,0),2>'), center(box '(1,2),(0,0)');
SELECT inet '192.168.1.5' << inet '192.168.1/24', host(inet '192.168.1.5/24'), masklen('192.168.1.5/24'), set_masklen('192.168.1.0/24'::cidr, 16), broadcast('192.168.1.5/24'), inet_merge('192.168.1.5/24', '192.168.2.5/24'), trunc(macaddr '12:34:56:78:90:ab'), abbrev(cidr '10.1.0.0/16');
SELECT to_tsvector('english', 'fat cats ate rats') @@ to_tsquery('cat & rat'), plainto_tsquery('The Fat Rats'), phraseto_tsquery('english', 'The Fat Rats'), setweight('fat:2,4 cat:3'::tsvector, 'A'), ts_rank(to_tsvector('a b'), to_tsquery('a')), tsvector_to_array('fat:2 cat:3'::tsvector), numnode('(fat & rat) | cat'::tsquery);
SELECT jsonb_set('[{"f1":1,"f2":null},2]', '{0,f1}', '[2,3,4]', false), jsonb_insert('{"a": [0,1,2]}', '{a, 1}', '"new"'), jsonb_strip_nulls('{"f1":1, "f2":null}'), jsonb_pretty('{"a": 1}'), '["a", {"b":1}]'::jsonb #- '{1,b}', '{"a":1}'::jsonb || '{"b":2}'::jsonb, '{"a":1, "b":2}'::jsonb ?& ARRAY['a', 'b'];
SELECT jsonb_path_query_array(body, '$.tags[*] ? (@ starts with "t")'), jsonb_path_exists(body, '$.price ? (@ > 10)'), jsonb_path_query_first(body, '$.size.w + 1'), body @? '$.tags[*] ? (@ == "all")', body @@ '$.price > 2' FROM lab.documents LIMIT 2;
SELECT d.id, e.key, e.value FROM lab.documents d, jsonb_each_text(d.body -> 'size') AS e(key, value) ORDER BY d.id, e.key LIMIT 4;
SELECT x.* FROM jsonb_to_recordset('[{"a":1,"b":"foo"},{"a":"2","c":"bar"}]') AS x(a int, b text);
SELECT json_object_agg(name, length(name)), jsonb_object_agg_strict FROM (SELECT name, 1 AS jsonb_object_agg_strict FROM category) c GROUP BY 2;
SELECT array_dims(ARRAY[[1,2,3],[4,5,6]]), array_lower('[0:2]={1,2,3}'::int[], 1), array_positions(ARRAY['A','A','B','A'], 'A'), array_replace(ARRAY[1,2,5,4], 5, 3), array_to_string(ARRAY[1, NULL, 3], ',', '*'), trim_array(ARRAY[1,2,3,4,5,6], 2), ARRAY[1,4,3] @> ARRAY[3,1], 2 = ANY (ARRAY[1,2]), 5 <> ALL (ARRAY[1,2]);
SELECT a.i, a.t FROM unnest(ARRAY[1, 2], ARRAY['x', 'y', 'z']) WITH ORDINALITY AS a(i, t, n) ORDER BY n;
SELECT range_agg(during), range_intersect_agg(days) FROM lab.bookings WHERE room = 1;
SELECT int4range(5, 15) * int4range(10, 20), int4range(5, 15) -|- int4range(15, 20), upper_inc('[1,5]'::numrange), lower_inf('(,)'::daterange), range_merge('[1,2)'::int4range, '[3,4)'), multirange(int4range(1, 2)), unnest('{[1,2),[3,4)}'::int4multirange);
SELECT room, count(*) FROM lab.bookings WHERE during && tstzrange('2026-04-01', '2026-04-02') AND NOT isempty(during) GROUP BY room;
SELECT xmlelement(name film, xmlattributes(film_id AS id), xmlforest(title, length)) FROM film ORDER BY film_id LIMIT 2;
SELECT generate_subscripts('{NULL,1,NULL,2}'::int[], 1) AS s, g.day::date FROM generate_series(timestamp '2026-03-01', '2026-03-02', '12 hours') AS g(day) LIMIT 4;
SELECT num_nonnulls(1, NULL, 2), num_nulls(1, NULL), coalesce(NULL, 'x'), nullif(1, 1), bool_and(x), every(x), bit_or(y), string_agg(z, '|') FROM (VALUES (true, 5, 'a'), (false, 2, 'b')) AS v(x, y, z);
SELECT ROW(1, NULL) IS NULL, ROW(1, 2) < ROW(1, 3), (1, 2) IN ((1, 2), (3, 4)), ROW(1, 2.5, 'x') IS NOT DISTINCT FROM ROW(1, 2.5, 'x');
SELECT pg_typeof(1.0), pg_column_size('abc'), current_schema, current_database(), version() LIKE 'PostgreSQL%', has_table_privilege('film', 'select'), obj_description('film'::regclass), to_regclass('film'), col_description('film'::regclass, 1);
SELECT md5('abc'), encode(sha256('abc'), 'hex'), encode('123\000456'::bytea, 'escape'), get_byte('\x1234567890'::bytea, 4), bit_count('\x1234567890'::bytea), substring('\x1234567890'::bytea FROM 3 FOR 2), convert_from('text_in_utf8', 'UTF8'), length('jose', 'UTF8');
WITH RECURSIVE search_tree(id, parent, name) AS (SELECT id, parent, name FROM lab.tree WHERE parent IS NULL UNION ALL SELECT t.id, t.parent, t.name FROM lab.tree t JOIN search_tree st ON t.parent = st.id) SEARCH DEPTH FIRST BY id SET ordercol CYCLE id SET is_cycle USING path SELECT id, name, is_cycle FROM search_tree ORDER BY ordercol;
WITH t AS MATERIALIZED (SELECT * FROM film WHERE rating = 'PG'), u AS NOT MATERIALIZED (SELECT * FROM t) SELECT count(*) FROM t JOIN u USING (film_id);
SELECT sensor, day, value, avg(value) OVER (PARTITION BY sensor ORDER BY day RANGE BETWEEN '3 days' PRECEDING AND '1 day' FOLLOWING EXCLUDE CURRENT ROW) FROM lab.measures ORDER BY sensor, day LIMIT 5;
SELECT count(*) FROM film TABLESAMPLE BERNOULLI (50) REPEATABLE (7);
SELECT customer.*, address.phone FROM customer NATURAL JOIN (SELECT address_id, phone FROM address) AS address ORDER BY customer_id LIMIT 2;
SELECT f.* FROM film f, LATERAL (SELECT count(*) AS n FROM inventory i WHERE i.film_id = f.film_id) c WHERE c.n > 2 ORDER BY c.n DESC, f.film_id LIMIT 2;
TABLE category ORDER BY name DESC LIMIT 2;
VALUES (1, 'one'), (2, 'two') ORDER BY 1 DESC OFFSET 1 ROW;
EXPLAIN (FORMAT YAML, SETTINGS) SELECT f.title FROM film f WHERE f.length > (SELECT avg(length) FROM film);
SELECT relname, n_live_tup, last_autovacuum, seq_scan, idx_scan FROM pg_stat_user_tables ORDER BY n_live_tup DESC LIMIT 3;
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'public.film'::regclass ORDER BY conname;
SELECT c.relname, pg_size_pretty(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY pg_total_relation_size(c.oid) DESC LIMIT 3;
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'trade' AND is_nullable = 'YES' ORDER BY ordinal_position LIMIT 4;
SELECT tc.table_name, kcu.column_name, ccu.table_name AS foreign_table FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_schema, constraint_name) JOIN information_schema.constraint_column_usage ccu USING (constraint_schema, constraint_name) WHERE tc.constraint_type = 'FOREIGN KEY' LIMIT 3;
SELECT trim(title), trim(BOTH '"' FROM title), ltrim(postal_code, '0'), rtrim(title, E' \t' || chr(10)), trim(LEADING 'A' FROM title), translate(title, 'ÀÉÎ', 'AEI'), ltrim(title, district) FROM film, address LIMIT 1;

-- what analysts write with newer features, and names that look like functions
SELECT t.path FROM (SELECT *, payload ->> 'path' AS path FROM lab.events) t LIMIT 3;
WITH pages AS (SELECT e.*, payload ->> 'path' AS path FROM lab.events e) SELECT p.path, count(*) FROM pages p GROUP BY p.path;
SELECT s.format, s.length, s.name, s.count FROM (SELECT 'csv' AS format, 1 AS length, 'x' AS name, 2 AS count) s;
SELECT "count", "sum", "left", "right", "position" FROM (VALUES (1, 2, 3, 4, 5)) AS v("count", "sum", "left", "right", "position");
SELECT v."count" + v."row_number" AS total FROM (SELECT count(*) AS "count", 3 AS "row_number" FROM film) v;
SELECT f."length" AS "max(length)", f.title AS "count(*)" FROM film f ORDER BY "max(length)" DESC LIMIT 2;
SELECT f.title FROM film f WHERE f.title ~ '(?i)^a(?:c|d)[[:alpha:]]+\s\m(egg|holes)\M' ORDER BY 1;
SELECT regexp_matches(title, '(?<word>[A-Z]+)$') FROM film LIMIT 0;
SELECT regexp_replace(email, '^(.)[^@]*(@.*)$', '\1***\2') AS masked FROM customer LIMIT 3;
SELECT regexp_split_to_array('a1b2c3', '\d'), regexp_replace('aaa', 'a', 'b', 2, 1), regexp_replace('Hello', '(?x) h  e ', 'J', 'i');
SELECT title, regexp_like(title, '^[^aeiou]+$', 'in') FROM film LIMIT 2;
SELECT customer_id, amount, payment_date, sum(amount) OVER (PARTITION BY customer_id ORDER BY payment_date RANGE BETWEEN INTERVAL '30' DAY PRECEDING AND INTERVAL '1' SECOND PRECEDING) AS before FROM payment ORDER BY 1, 3 LIMIT 5;
SELECT title, count(*) OVER (ORDER BY length GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM film LIMIT 5;
SELECT title, avg(length) OVER (w ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING), first_value(title) OVER (w RANGE UNBOUNDED PRECEDING) FROM film WINDOW w AS (PARTITION BY rating ORDER BY length) LIMIT 5;
SELECT day, value, value - lag(value, 7) OVER (PARTITION BY sensor ORDER BY day) AS week_over_week, 100 * (value / nullif(lag(value) OVER (PARTITION BY sensor ORDER BY day), 0) - 1) AS pct FROM lab.measures LIMIT 5;
SELECT sensor, percentile_cont(0.95) WITHIN GROUP (ORDER BY value) FILTER (WHERE day > date '2026-01-01') AS p95, percentile_disc(0.5) WITHIN GROUP (ORDER BY day DESC) AS mid FROM lab.measures GROUP BY GROUPING SETS ((sensor), ()) ORDER BY grouping(sensor), sensor;
SELECT rating, release_year, count(*) FROM film GROUP BY GROUPING SETS (ROLLUP (rating), CUBE (release_year, language_id), ()) LIMIT 5;
SELECT rating, language_id, count(*) FROM film GROUP BY DISTINCT ROLLUP (rating, language_id), ROLLUP (rating, release_year) LIMIT 5;
SELECT CASE WHEN grouping(rating) = 1 THEN 'all' ELSE rating::text END AS rating, count(*) FROM film GROUP BY ROLLUP (rating) HAVING count(*) > 1 ORDER BY grouping(rating), 1;
WITH RECURSIVE tree AS (SELECT id, parent, name FROM lab.tree WHERE parent IS NULL UNION ALL SELECT c.id, c.parent, c.name FROM lab.tree c JOIN tree ON c.parent = tree.id) SEARCH BREADTH FIRST BY id SET seq CYCLE id SET looped TO 'Y' DEFAULT 'N' USING trail SELECT id, name, looped, trail FROM tree ORDER BY seq;
WITH RECURSIVE months(m) AS (SELECT date '2026-01-01' UNION ALL SELECT (m + interval '1 month')::date FROM months WHERE m < date '2026-12-01') SELECT m, to_char(m, 'FMMonth') AS name, coalesce(sum(p.amount), 0) AS paid FROM months LEFT JOIN payment p ON date_trunc('month', p.payment_date) = m GROUP BY m ORDER BY m;
WITH RECURSIVE fib(a, b, n) AS (VALUES (0::numeric, 1::numeric, 1) UNION ALL SELECT b, a + b, n + 1 FROM fib WHERE n < 50) SELECT n, a FROM fib;
WITH RECURSIVE bom AS (SELECT id, parent, name, ARRAY[id] AS trail, false AS is_cycle FROM lab.tree WHERE id = 1 UNION ALL SELECT t.id, t.parent, t.name, b.trail || t.id, t.id = ANY (b.trail) FROM lab.tree t, bom b WHERE t.parent = b.id AND NOT b.is_cycle) SELECT name, cardinality(trail) AS level, trail[cardinality(trail)] FROM bom;
SELECT c.customer_id, top.title, top.n FROM customer c LEFT JOIN LATERAL (SELECT f.title, count(*) AS n FROM rental r JOIN inventory USING (inventory_id) JOIN film f USING (film_id) WHERE r.customer_id = c.customer_id GROUP BY f.title ORDER BY n DESC, f.title LIMIT 2) AS top ON TRUE LIMIT 4;
SELECT d.id, t.tag, t.n, s.w FROM lab.documents d CROSS JOIN LATERAL jsonb_array_elements_text(d.body -> 'tags') WITH ORDINALITY AS t(tag, n) CROSS JOIN LATERAL (SELECT (d.body #>> '{size,w}')::int AS w) s WHERE s.w > 3 LIMIT 4;
SELECT special_features[:1], special_features[2:], special_features[-1:5], (ARRAY[10, 20, 30])[2], (string_to_array(title, ' '))[1] FROM film LIMIT 2;
SELECT array_agg(DISTINCT rating ORDER BY rating DESC) FILTER (WHERE rating IS NOT NULL), (array_agg(title ORDER BY length DESC))[1:3] AS longest FROM film;
SELECT ARRAY(SELECT unnest(special_features) ORDER BY 1), special_features <@ ARRAY['Trailers', 'Commentaries'], NOT special_features && ARRAY['x'] FROM film LIMIT 2;
SELECT room, tstzmultirange('[2026-04-01,2026-04-03)'::tstzrange) - range_agg(during) AS free FROM lab.bookings GROUP BY room ORDER BY room;
SELECT days * daterange('2026-04-05', NULL, '[)') AS later, days -|- daterange('2026-04-10', '2026-04-12'), days &< daterange('2026-05-01', NULL), lower(days) + 1, extract(day FROM upper(days)) FROM lab.bookings LIMIT 2;
SELECT many, isempty(many), lower(many), many @> 5, many && int4range(3, 9), many + int4multirange(int4range(20, 30)), range_merge(many) FROM lab.bookings LIMIT 2;
SELECT title, ts_rank_cd('{0.1, 0.2, 0.4, 1.0}', fulltext, q, 32) AS score FROM film, to_tsquery('english', 'boat <-> robot | (teacher & !mine:B*)') AS q WHERE fulltext @@ q OR true ORDER BY score DESC LIMIT 3;
SELECT title FROM film WHERE to_tsvector('english', description) @@ (plainto_tsquery('english', 'boat') && to_tsquery('teach:*')) LIMIT 3;
SELECT alias, token, lexemes FROM ts_debug('english', 'The robots');
SELECT get_current_ts_config(), ts_lexize('english_stem', 'stars'), tsquery_phrase(to_tsquery('a'), to_tsquery('b'), 2), ts_delete(fulltext, 'egg'), ts_filter(setweight(fulltext, 'A'), '{a}') FROM film LIMIT 1;
SELECT d.id, x.* FROM lab.documents d, jsonb_to_record(d.body) AS x(id int, name text, in_stock boolean, size jsonb) WHERE x.in_stock LIMIT 3;
SELECT jsonb_path_query_array(body, '$.tags[*] ? (@ like_regex "^t" flag "i")'), body -> 'tags' ->> -1, body #- '{tags,-1}', jsonb_object_keys(body -> 'size') FROM lab.documents LIMIT 2;
SELECT id, jsonb_path_query_first(body, '$.price ? (@ > $min)', '{"min": 10}') AS price, body @@ '$.tags[*] == "all" && exists($.size.w)' FROM lab.documents LIMIT 3;
SELECT json_build_object('films', json_agg(json_build_object('title', f.title, 'cast', (SELECT json_agg(a.last_name ORDER BY a.last_name) FROM film_actor fa JOIN actor a USING (actor_id) WHERE fa.film_id = f.film_id)))) FROM (SELECT * FROM film ORDER BY film_id LIMIT 2) f;
SELECT to_json(array_agg(row_to_json(t))) FROM (SELECT name, category_id FROM category) t;
SELECT a.*, b.* FROM (VALUES (1, 'x'), (2, NULL)) AS a(id, label) FULL JOIN (VALUES (2, 3.5)) AS b(id, price) ON a.id = b.id AND a.label IS NOT DISTINCT FROM NULL;
SELECT * FROM store s JOIN staff st USING (store_id) AS j WHERE j.store_id = 1;
SELECT f.title, lang.* FROM film f CROSS JOIN LATERAL (VALUES (f.language_id, 'original'), (NULL, 'dubbed')) AS lang(id, kind) WHERE f.film_id = 1;
SELECT x, y, sqrt((x - 1) ^ 2 + (y - 2) ^ 2) AS distance FROM (SELECT at[0] AS x, at[1] AS y FROM lab.places) p ORDER BY 3;
SELECT name, area @> point(1, 1), polygon(circle '<(0,0),1>'), polygon(frame), path(area), box(area), lseg(frame), slope(point '(0,0)', at), at <@ frame FROM lab.places;
SELECT extract(epoch FROM (max(rental_date) - min(rental_date))) / count(*) AS seconds_between, make_interval(secs => 90) FROM rental;
SELECT date_trunc('week', rental_date AT TIME ZONE 'UTC')::date AS week, count(*) FILTER (WHERE extract(isodow FROM rental_date) IN (6, 7)) AS weekend, count(*) FROM rental GROUP BY 1 ORDER BY 1 LIMIT 4;
SELECT generate_series(date_trunc('month', min(payment_date)), max(payment_date), interval '1 month')::date AS month FROM payment;
SELECT to_char(interval '26 hours 3 minutes', 'HH24:MI'), to_char(0.1234, 'FM990.00%'), to_char(-5, 'S9'), to_char(485, 'RN'), to_char(12, '"Nr. "999');
SELECT current_date - make_interval(months => 3), date '2026-03-31' - interval '1 mon', timestamptz '2026-03-29 02:30 Europe/Berlin', '2026-01-01 12:00 PST'::timestamptz, 'epoch'::timestamptz, 'allballs'::time, 'yesterday'::date < 'today'::date;
SELECT CAST(rental_rate AS double precision) * 1.19 AS gross, CAST(title AS varchar(5)), CAST(film_id AS char(3)), film_id::bigint::text || '-' || rating, '{"a":1}'::jsonb::text, 't'::bool::int FROM film LIMIT 2;
SELECT sum(amount) FILTER (WHERE staff_id = 1) AS "staff 1", sum(amount) FILTER (WHERE staff_id = 2) AS "staff 2", sum(CASE WHEN amount > 5 THEN 1 END) AS big FROM payment GROUP BY ();
SELECT count(*) AS n, count(*) * 1.0 / (SELECT count(*) FROM film) AS share, bool_or(length > 100) AS "any?", string_agg(DISTINCT title, '; ' ORDER BY title) FROM film WHERE rating = 'G';
SELECT customer_id, ntile(10) OVER (ORDER BY sum(amount) DESC) AS decile, sum(amount) / sum(sum(amount)) OVER () AS share FROM payment GROUP BY customer_id ORDER BY 3 DESC LIMIT 4;
SELECT a.title, b.title FROM film a JOIN film b ON (a.rating, a.length) = (b.rating, b.length) AND a.film_id <> b.film_id LIMIT 3;
SELECT * FROM film WHERE (length, film_id) > (90, 10) ORDER BY length, film_id LIMIT 3;
SELECT title FROM film WHERE length = ANY ('{50,60,70}'::int[]) OR film_id = SOME (ARRAY(SELECT film_id FROM inventory LIMIT 3)) OR title LIKE ANY (ARRAY['ACE%', 'AFF%']) LIMIT 3;
SELECT title FROM film WHERE title ILIKE ALL (ARRAY['%a%', '%e%']) AND NOT title ~~* '%z%' AND title !~~ 'X%' AND title ^@ 'A' LIMIT 3;
(SELECT 'film' AS kind, count(*) FROM film) UNION ALL (SELECT 'actor', count(*) FROM actor) UNION ALL VALUES ('none', 0::bigint) ORDER BY kind DESC;
SELECT film_id FROM film EXCEPT ALL SELECT film_id FROM inventory INTERSECT ALL SELECT film_id FROM film_actor ORDER BY 1 LIMIT 3;
WITH x AS (SELECT 1 AS a), y(b) AS (TABLE x), z AS (VALUES (1), (2)) SELECT * FROM x, y, z WHERE y.b = z.column1;
SELECT column1, column2 FROM (VALUES (1, 'one'), (2, 'two')) v WHERE column2 <> '';
SELECT 'film'::regclass::oid::int > 0, to_regtype('int4'), 'now()'::text, pg_size_pretty(pg_relation_size('film')), pg_size_bytes('10 MB'), format_type(23, NULL), pg_get_userbyid(10) IS NOT NULL;
SELECT schemaname, relname, n_dead_tup, last_analyze, round(100.0 * idx_scan / nullif(idx_scan + seq_scan, 0), 1) AS idx_pct FROM pg_stat_user_tables ORDER BY n_dead_tup DESC LIMIT 3;
SELECT c.oid::regclass AS table_name, a.attname, pg_get_expr(d.adbin, d.adrelid) AS default_value FROM pg_attrdef d JOIN pg_attribute a ON (a.attrelid, a.attnum) = (d.adrelid, d.adnum) JOIN pg_class c ON c.oid = d.adrelid LIMIT 3;
SELECT con.conname, con.conrelid::regclass, con.confrelid::regclass, array(SELECT attname FROM pg_attribute WHERE attrelid = con.conrelid AND attnum = ANY (con.conkey)) AS columns FROM pg_constraint con WHERE contype = 'f' LIMIT 3;
SELECT i.indexrelid::regclass, pg_get_indexdef(i.indexrelid, 1, true), i.indisunique, am.amname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam LIMIT 3;
SELECT p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prokind, l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'pg_catalog'::regnamespace LIMIT 3;
SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'film' LIMIT 3;
SELECT trigger_name, event_manipulation FROM information_schema.triggers LIMIT 1;
SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'public' LIMIT 1;
SELECT pid, state, wait_event_type, now() - query_start AS runs FROM pg_stat_activity WHERE backend_type = 'client backend' LIMIT 3;
SELECT locktype, mode, granted, relation::regclass FROM pg_locks LIMIT 3;
SELECT datname, numbackends, blks_hit * 100.0 / nullif(blks_hit + blks_read, 0) AS hit_pct, temp_files FROM pg_stat_database WHERE datname = current_database();
SELECT name, setting, unit, short_desc FROM pg_settings WHERE name IN ('work_mem', 'shared_buffers', 'max_connections');
SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user;
SELECT ltrim(title, upper(left(title, 1))), rtrim(title, coalesce(NULL, ' ')), btrim(title, substring('ab' FROM 1 FOR 1)), translate(title, lower('ABC'), upper('abc')), trim(BOTH CASE WHEN length > 60 THEN 'A' ELSE 'B' END FROM title) FROM film LIMIT 1;
SELECT quote_literal(title), format('%-20s|%5s|%1$L', title, length), concat_ws('', VARIADIC special_features), format('%s %s', VARIADIC ARRAY['a', 'b']) FROM film LIMIT 2;
SELECT string_to_table(title, ' ') AS word, generate_series(1, 2) FROM film LIMIT 4;
SELECT convert_from(decode('aGVsbG8=', 'base64'), 'utf8'), encode(convert_to('größe', 'LATIN1'), 'escape'), sha512('x'::bytea), set_bit(B'000', 1, 1), get_byte('\x0102', 1), substring(B'110011' FROM 2 FOR 3), overlay('\x0102'::bytea PLACING '\xff' FROM 1);
SELECT lead(title) OVER (ORDER BY film_id) IS DISTINCT FROM title, lag(length, 2, 0::smallint) OVER w, row_number() OVER () FROM film WINDOW w AS (ORDER BY title COLLATE "C" DESC NULLS FIRST) LIMIT 3;
SELECT inet_client_addr() IS NULL OR true, inet_server_port() > 0 OR true, pg_postmaster_start_time() < now(), pg_conf_load_time() < now(), txid_current_if_assigned() IS NULL, pg_current_xact_id_if_assigned() IS NULL;
SELECT width_bucket(length, ARRAY[50, 80, 120]::smallint[]) AS band, count(*) FROM film GROUP BY band ORDER BY band;
SELECT title FROM film ORDER BY random() LIMIT 1;
SELECT title FROM film ORDER BY md5(title) USING > LIMIT 1;
SELECT title FROM film ORDER BY CASE rating WHEN 'G' THEN 1 ELSE 2 END, length DESC NULLS LAST OFFSET 2 ROWS FETCH NEXT 3 ROWS ONLY;
SELECT "id", U&"\0066ilm_id" FROM (SELECT 1 AS id, 2 AS film_id) "now()";
SELECT "now()"."id" FROM (SELECT 1 AS id) AS "now()";
SELECT t.* FROM xmltable('/doc' PASSING (SELECT note FROM lab.documents LIMIT 1) COLUMNS v text PATH 'text()', n FOR ORDINALITY, d text PATH '@d' DEFAULT 'none') t;
SELECT cursor_name, position, of, year, month, value, text, type, date, timestamp, level, comment, role, user_name, rank, hash, percent FROM (VALUES (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17)) v(cursor_name, position, of, year, month, value, text, type, date, timestamp, level, comment, role, user_name, rank, hash, percent);
SELECT v.type, v.hash, v.rank, v.text, v.date, v.name, v.value, v.version, v.now, v.format, v.timeofday, v.point, v.box, v.circle, v.polygon, v.area, v.lower, v.upper, v.range FROM (SELECT 1 AS type, 2 AS hash, 3 AS rank, 4 AS text, 5 AS date, 6 AS name, 7 AS value, 8 AS version, 9 AS now, 10 AS format, 11 AS timeofday, 12 AS point, 13 AS box, 14 AS circle, 15 AS polygon, 16 AS area, 17 AS lower, 18 AS upper, 19 AS range) v;
SELECT o.path, o.polygon FROM (SELECT 1 AS path, 2 AS polygon) o;
SELECT r.path FROM ROWS FROM (unnest(ARRAY['/a', '/b'])) AS r(path);
SELECT j.path, j.value FROM (SELECT key AS path, value FROM jsonb_each_text('{"a":1}')) j;
WITH RECURSIVE w(id, path) AS (SELECT id, name FROM lab.tree WHERE parent IS NULL UNION ALL SELECT t.id, w.path || '.' || t.name FROM lab.tree t JOIN w ON t.parent = w.id) SELECT w.path FROM w ORDER BY w.path;
SELECT a.path FROM lab.documents d LEFT JOIN LATERAL (SELECT d.raw ->> 'k' AS path) a ON true LIMIT 1;
SELECT e.path FROM (SELECT payload ->> 'path' AS path FROM lab.events UNION SELECT 'x') e LIMIT 1;
SELECT q.path FROM (SELECT p.* FROM (SELECT payload ->> 'path' AS path FROM lab.events) p) q LIMIT 1;
SELECT x.format FROM lab.documents d, jsonb_to_record(d.body) AS x(format text, path text) LIMIT 1;
SELECT x.path FROM lab.documents d, jsonb_to_record(d.body) AS x(format text, path text) LIMIT 1;
SELECT e'\u00e9\x41', '\d'::text, U&'d\0061t\+000061', n'national';
SELECT xmlserialize(CONTENT xmlelement(name a, xmlcomment('c'), xmlpi(name p), xmlconcat('<b/>', '<c/>')) AS text), xmlparse(DOCUMENT '<a/>') IS DOCUMENT, xmlexists('//a' PASSING xml '<a/>'), xmlroot(xml '<a/>', version '1.0');
SELECT num_nulls(VARIADIC ARRAY[1, NULL]), greatest(2, NULL), v."least" FROM (SELECT 3 AS "least") v;
