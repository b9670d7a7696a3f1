// Loaded into mcp-remote before it starts: writes a line into the file COMEBACKS when
// it opens its stream of events again, or asks for the rest of a reply.
import { appendFileSync } from "node:fs";
import { subscribe } from "node:diagnostics_channel";

let streams = 0;
subscribe("undici:request:create", ({ request }) => {
  if (request.method !== "GET") return;
  const headers = String(request.headers).toLowerCase();
  const isEvents = request.path.startsWith("/sse");
  if (isEvents && streams++ > 0) appendFileSync(process.env.COMEBACKS, "reconnected\n");
  if (!isEvents && headers.includes("last-event-id")) {
    appendFileSync(process.env.COMEBACKS, "resumed\n");
  }
});
