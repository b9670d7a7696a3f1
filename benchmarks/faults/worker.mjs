// Runs MCP clients of the TypeScript SDKs, directed by lines of JSON on standard input.
//
//   {"id": 1, "do": "open", "client": 7, "kind": "sdk-http", "url": …, "token": …}
//   {"id": 2, "do": "call", "client": 7, "tool": …, "arguments": …, "seconds": 30}
//   {"id": 3, "do": "close", "client": 7}
//
// Each is answered by {"id": …} with a "result" or an "error" ("lost" too, where no
// answer came in time). {"client": 7, "recovery": "reconnected"} reports a stream that
// the SDK opened again by itself, "resumed" a reply that it asked for again.
import { createInterface } from "node:readline";
import * as modern from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const NAME = { name: "mcphub-bench", version: "1" };
const TIMED_OUT = new Set([-32001, "REQUEST_TIMEOUT"]);
const clients = new Map();

const write = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

// Counts the streams that a transport opens, and passes every request on.
function watch(client) {
  let streams = 0;
  return async (url, options) => {
    const headers = new Headers(options?.headers);
    if ((options?.method ?? "GET") === "GET") {
      if (headers.has("last-event-id") && !String(url).includes("/sse")) {
        write({ client, recovery: "resumed" });
      } else if (String(url).includes("/sse") && streams++ > 0) {
        write({ client, recovery: "reconnected" });
      }
    }
    return fetch(url, options);
  };
}

const MAKERS = {
  "sdk-http": (url, options) => [new Client(NAME), new StreamableHTTPClientTransport(url, options)],
  "sdk-sse": (url, options) => [new Client(NAME), new SSEClientTransport(url, options)],
  "modern-http": (url, options) => [
    new modern.Client(NAME, { versionNegotiation: { mode: { pin: "2026-07-28" } } }),
    new modern.StreamableHTTPClientTransport(url, options),
  ],
};

const ACTIONS = {
  async open({ client, kind, url, token }) {
    const headers = { Authorization: `Bearer ${token}` };
    const options = { fetch: watch(client), requestInit: { headers } };
    const [made, transport] = MAKERS[kind](new URL(url), options);
    clients.set(client, made);
    await made.connect(transport);
    return null;
  },
  async call({ client, tool, arguments: args, seconds }) {
    const made = clients.get(client);
    const params = { name: tool, arguments: args };
    const options = { timeout: seconds * 1000 };
    const answer =
      made instanceof modern.Client
        ? await made.callTool(params, options)
        : await made.callTool(params, undefined, options);
    if (answer.isError) throw new Error(answer.content?.[0]?.text ?? "tool error");
    return answer.structuredContent;
  },
  async close({ client }) {
    const made = clients.get(client);
    clients.delete(client);
    await made?.close();
    return null;
  },
};

async function serve(request) {
  try {
    write({ id: request.id, result: await ACTIONS[request.do](request) });
  } catch (error) {
    write({ id: request.id, error: String(error), lost: TIMED_OUT.has(error?.code) });
  }
}

// A stream that breaks under the SDK must end no other client.
process.on("unhandledRejection", (error) => console.error("unhandled:", error));
for await (const line of createInterface({ input: process.stdin })) serve(JSON.parse(line));
process.exit(0);
