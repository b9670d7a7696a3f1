// Loaded into mcp-remote before it starts. Appends a line to the file NOTICES for what
// only this process can see:
//   recovery reconnected, recovery resumed: it opened its stream of events again, or
//     asked for the rest of a reply;
//   call posted, call accepted, call refused: a tool call left, and what became of its
//     POST (accepted: 202, the answer comes on the stream).
import { appendFileSync } from "node:fs";
import { subscribe } from "node:diagnostics_channel";

const ACCEPTED = 202;
const notice = (line) => appendFileSync(process.env.NOTICES, `${line}\n`);
const calls = new WeakSet();
let streams = 0;

function isCall({ method, path, headers }) {
  const text = String(headers).toLowerCase().replace(/\s/g, "");
  return method === "POST" && path.startsWith("/messages") && /mcp-method[:,]tools\/call/.test(text);
}

subscribe("undici:request:create", ({ request }) => {
  if (isCall(request)) {
    calls.add(request);
    notice("call posted");
  }
  if (request.method !== "GET") return;
  const headers = String(request.headers).toLowerCase();
  const isEvents = request.path.startsWith("/sse");
  if (isEvents && streams++ > 0) notice("recovery reconnected");
  if (!isEvents && headers.includes("last-event-id")) notice("recovery resumed");
});
subscribe("undici:request:headers", ({ request, response }) => {
  if (calls.delete(request)) {
    notice(response.statusCode === ACCEPTED ? "call accepted" : "call refused");
  }
});
subscribe("undici:request:error", ({ request }) => {
  if (calls.delete(request)) notice("call refused");
});
