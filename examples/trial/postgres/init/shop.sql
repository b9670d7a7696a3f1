-- A small shop: about a thousand rows, the same ones each time.
\getenv password MCPHUB_PASSWORD
CREATE ROLE mcphub LOGIN PASSWORD :'password';
CREATE DATABASE shop;
\connect shop

CREATE EXTENSION vector;

CREATE TABLE customers (
    id         integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name       text NOT NULL,
    email      text NOT NULL UNIQUE,
    country    text NOT NULL,
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE customers IS 'People who ordered at least once';
COMMENT ON COLUMN customers.country IS 'ISO 3166 code of two letters';

CREATE TABLE products (
    id    integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name  text NOT NULL UNIQUE,
    price numeric(8, 2) NOT NULL CHECK (price > 0)
);
COMMENT ON TABLE products IS 'What the shop sells';
COMMENT ON COLUMN products.price IS 'In euros, value added tax included';

CREATE TYPE order_status AS ENUM ('new', 'paid', 'shipped', 'cancelled');

CREATE TABLE orders (
    id          integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    customer_id integer NOT NULL REFERENCES customers,
    status      order_status NOT NULL,
    ordered_at  timestamptz NOT NULL
);
COMMENT ON TABLE orders IS 'One row for each order; what was ordered is in order_items';
CREATE INDEX orders_customer ON orders (customer_id, ordered_at);

CREATE TABLE order_items (
    order_id   integer NOT NULL REFERENCES orders ON DELETE CASCADE,
    product_id integer NOT NULL REFERENCES products,
    quantity   integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, product_id)
);
COMMENT ON TABLE order_items IS 'Products and quantities of each order';

CREATE TABLE product_embeddings (
    product_id integer PRIMARY KEY REFERENCES products,
    embedding  vector(3) NOT NULL
);
COMMENT ON TABLE product_embeddings IS 'Toy vectors, to try pgvector with';

INSERT INTO customers (name, email, country, created_at)
SELECT first || ' ' || last,
       lower(first) || '.' || lower(last) || '@example.com',
       (ARRAY['DE', 'FR', 'IT', 'PL', 'US'])[1 + (f * 3 + l) % 5],
       timestamptz '2025-01-01 09:00Z' + (f * 8 + l) * interval '1 day'
FROM unnest(ARRAY['Ada', 'Alan', 'Barbara', 'Edsger', 'Frances', 'Grace', 'John', 'Tony'])
         WITH ORDINALITY AS firsts(first, f),
     unnest(ARRAY['Allen', 'Dijkstra', 'Hoare', 'Hopper', 'Liskov', 'Lovelace', 'McCarthy', 'Turing'])
         WITH ORDINALITY AS lasts(last, l);

INSERT INTO products (name, price)
SELECT size || ' ' || thing, 5 + 2.5 * t + 4 * s
FROM unnest(ARRAY['Small', 'Medium', 'Large']) WITH ORDINALITY AS sizes(size, s),
     unnest(ARRAY['basket', 'blanket', 'kettle', 'lamp', 'mirror', 'notebook', 'teapot', 'vase'])
         WITH ORDINALITY AS things(thing, t);

INSERT INTO orders (customer_id, status, ordered_at)
SELECT 1 + (n * n / 11 + n) % 64,
       (ARRAY['new', 'paid', 'shipped', 'shipped', 'cancelled'])[1 + n % 5]::order_status,
       timestamptz '2025-04-01 08:00Z' + n * interval '13 hours'
FROM generate_series(1, 320) AS n;

INSERT INTO order_items (order_id, product_id, quantity)
SELECT n, 1 + (n * 5 + item * 7) % 24, 1 + (n + item) % 4
FROM generate_series(1, 320) AS n, generate_series(1, 2) AS item;

INSERT INTO product_embeddings (product_id, embedding)
SELECT id, ARRAY[sin(id), cos(id), id / 24.0]::real[]::vector FROM products;

CREATE VIEW order_totals AS
SELECT o.id AS order_id, o.customer_id, o.status, sum(i.quantity * p.price) AS total
FROM orders AS o
JOIN order_items AS i ON i.order_id = o.id
JOIN products AS p ON p.id = i.product_id
GROUP BY o.id;
COMMENT ON VIEW order_totals IS 'What each order costs, in euros';

CREATE MATERIALIZED VIEW customer_revenue AS
SELECT c.id AS customer_id, c.name, sum(t.total) AS revenue
FROM customers AS c
JOIN order_totals AS t ON t.customer_id = c.id AND t.status <> 'cancelled'
GROUP BY c.id;
COMMENT ON MATERIALIZED VIEW customer_revenue IS 'Euros per customer, cancelled orders left out';

-- The hub's role can only read; the hub's guard rejects writes as well.
REVOKE ALL ON DATABASE shop FROM PUBLIC;
REVOKE ALL ON DATABASE postgres FROM PUBLIC;
GRANT CONNECT ON DATABASE shop TO mcphub;
GRANT USAGE ON SCHEMA public TO mcphub;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO mcphub;
ALTER ROLE mcphub SET default_transaction_read_only = on;

ANALYZE;
