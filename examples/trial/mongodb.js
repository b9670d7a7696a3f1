// The trial data of examples/mongodb.yaml: the orders and customers of a small shop, and the
// user with which a hub reads them. Run it as an administrator of the server:
//
//   mongosh mongodb://ADMIN:PASSWORD@HOST:27017 --file examples/trial/mongodb.js
//
// The password is that of the Secret in examples/mongodb.yaml; change both.
const shop = db.getSiblingDB("shop");

shop.createUser({ user: "hub_reader", pwd: "change-me", roles: [{ role: "read", db: "shop" }] });

shop.customers.insertMany([
  { _id: 1, name: "Ada Dijkstra", city: "Utrecht" },
  { _id: 2, name: "Alan Lovelace", city: "Porto" },
  { _id: 3, name: "Grace Turing", city: "Rome" },
]);

const orders = [];
for (let n = 1; n <= 60; n++) {
  orders.push({
    number: n,
    customer: (n % 3) + 1,
    placed: new Date(Date.UTC(2026, 0, 1 + (n % 28), 12)),
    total: n / 4,
    items: [{ sku: `sku-${n % 5}`, quantity: (n % 4) + 1 }],
  });
}
shop.orders.insertMany(orders);
shop.orders.createIndex({ customer: 1, placed: -1 });
