// A page's client: the TypeScript SDK over the WebSocket of the platform, which can send
// no header. Arguments: the folder of the packages, the URL, the token, the tool.
// Prints the subprotocol, the names of the tools, and what the tool returned.
const [modules, url, token, tool] = process.argv.slice(2);
const sdk = `${modules}/@modelcontextprotocol/sdk/dist/esm/client`;
const { Client } = await import(`${sdk}/index.js`);
const { WebSocketClientTransport } = await import(`${sdk}/websocket.js`);

const credential = `bearer.${Buffer.from(token).toString("base64url")}`;
let opened;
globalThis.WebSocket = class extends WebSocket {
  constructor(address, protocol) {
    super(address, [protocol, credential]);
    opened = this;
  }
};

const client = new Client({ name: "page", version: "1" });
await client.connect(new WebSocketClientTransport(new URL(url)));
const { tools } = await client.listTools();
const result = await client.callTool({ name: tool, arguments: {} });
console.log(
  JSON.stringify({
    protocol: opened.protocol,
    tools: tools.map((each) => each.name),
    failed: result.isError ?? false,
  }),
);
await client.close();
