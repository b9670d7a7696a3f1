// The page of a hub. Every text from the hub is hostile: it reaches the document by
// textContent only, and the page's policy refuses anything else. The token stays in this
// module's memory: not in storage, not in the URL, not in a cookie.
"use strict";

const REVISION = "2025-06-18";
const base = new URL(".", location.href).href.replace(/\/$/, "");
const state = { token: "", session: "", revision: "", lastId: 0, tools: [] };
const find = (id) => document.getElementById(id);

// ------------------------------------------------------------------- elements

function make(name, text = "", attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function say(text, isWrong = false) {
  find("message").textContent = text;
  find("message").className = isWrong ? "wrong" : "";
}

// -------------------------------------------------------------- client texts

function buildClientTexts(token) {
  const authorization = `Bearer ${token}`;
  const name = document.querySelector("h1").textContent;
  const show = (value) => JSON.stringify(value, null, 2);
  const remote = { url: `${base}/mcp`, headers: { Authorization: authorization } };
  const args = ["-y", "mcp-remote", `${base}/sse`, "--transport", "sse-only"];
  if (base.startsWith("http://")) args.push("--allow-http");
  args.push("--header", "Authorization:${AUTH}");
  const desktop = { command: "npx", args, env: { AUTH: authorization } };
  return {
    // --header takes every word up to the next option, so it comes last.
    "Claude Code - run": `claude mcp add --transport http ${name} ${base}/mcp --header `
      + quote(`Authorization: ${authorization}`),
    "Cursor - .cursor/mcp.json": show({ mcpServers: { [name]: remote } }),
    "VS Code - .vscode/mcp.json": show({ servers: { [name]: { type: "http", ...remote } } }),
    "Claude Desktop - claude_desktop_config.json": show({ mcpServers: { [name]: desktop } }),
  };
}

// A word for a shell; in double quotes, which every one knows, if it can be.
function quote(text) {
  if (/^[A-Za-z0-9 :._~+/=-]*$/.test(text)) return `"${text}"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function showClients() {
  const parts = Object.entries(buildClientTexts(state.token || "TOKEN"));
  find("clients").replaceChildren(...parts.flatMap(([title, text]) => {
    const button = make("button", "Copy", { type: "button", "aria-label": `Copy: ${title}` });
    button.addEventListener("click", () => copy(title, text));
    return [make("h3", title), make("pre", text, { tabindex: "0" }), button];
  }));
  find("no-token").hidden = Boolean(state.token);
}

async function copy(title, text) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied: ${title}.`);
  } catch {
    say("This browser copies from https and localhost only; select the text instead.", true);
  }
}

// ------------------------------------------------------------------- protocol

async function send(method, message) {
  const headers = {
    "Content-Type": "application/json",
    Accept: "application/json, text/event-stream",
  };
  if (state.token) headers.Authorization = `Bearer ${state.token}`;
  if (state.session) headers["Mcp-Session-Id"] = state.session;
  if (state.revision) headers["MCP-Protocol-Version"] = state.revision;
  const body = message && JSON.stringify(message);
  let response;
  try {
    response = await fetch("mcp", { method, headers, body, credentials: "omit" });
  } catch {
    throw new Error("The hub cannot be reached. Is it being replaced? Try again.");
  }
  if (!response.ok) throw new Error(await explain(response));
  state.session = response.headers.get("Mcp-Session-Id") || state.session;
  return response;
}

async function explain(response) {
  const text = await response.text();
  if (response.status === 401) return "The hub does not accept this token.";
  if (response.status === 403 && text.startsWith("Pages of that Origin")) {
    return "The hub does not know that it is reached by this address. A proxy that ends"
      + " TLS is in front of it: set spec.publicURL to this page's address, or list the"
      + " proxy in spec.trustedProxies.";
  }
  let told = "";
  try { told = JSON.parse(text).error.message; } catch { told = text.slice(0, 300); }
  return `The hub answers with status ${response.status}. ${told}`;
}

async function readAnswer(response, id) {
  const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
  const text = await response.text();
  const messages = isJson ? [JSON.parse(text)] : text.split(/\r?\n\r?\n/).flatMap((event) => {
    const data = event.split(/\r?\n/).filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).trimStart()).join("\n");
    return data ? [JSON.parse(data)] : [];
  });
  const answer = messages.find((each) => each.id === id && !each.method);
  if (!answer) throw new Error("The hub ended the answer too early. Try again.");
  if (answer.error) throw new Error(answer.error.message);
  return answer.result;
}

async function request(method, params) {
  const id = ++state.lastId;
  return readAnswer(await send("POST", { jsonrpc: "2.0", id, method, params }), id);
}

async function open() {
  Object.assign(state, { session: "", revision: "" });
  const clientInfo = { name: "mcphub-page", version: "1" };
  const given = { protocolVersion: REVISION, capabilities: {}, clientInfo };
  state.revision = (await request("initialize", given)).protocolVersion;
  await send("POST", { jsonrpc: "2.0", method: "notifications/initialized" });
}

async function listTools() {
  const tools = [];
  let cursor;
  do {
    const page = await request("tools/list", cursor ? { cursor } : {});
    tools.push(...page.tools);
    cursor = page.nextCursor;
  } while (cursor);
  return tools;
}

// ---------------------------------------------------------------------- tools

async function login(event) {
  event.preventDefault();
  const token = find("token").value.trim();
  forget();
  if (!/^[\x21-\x7e]*$/.test(token)) {
    say("A token has no spaces, line breaks or letters beyond ASCII.", true);
    return;
  }
  state.token = token;
  say("Asking the hub…");
  try {
    await open();
    state.tools = await listTools();
    const health = await request("tools/call", { name: "health_check", arguments: {} });
    if (state.token !== token) return;
    showHealth(health.structuredContent);
    showTools();
    showClients();
    say(`${state.tools.length} tools.`);
  } catch (error) {
    state.token = "";
    say(error.message, true);
  }
}

function refuseLines(event) {
  if (!/[\r\n]/.test(event.clipboardData.getData("text").trim())) return;
  event.preventDefault();  // the field would drop the line break and keep the rest
  say("What you pasted has a line break in it; a token has none. Copy the token alone.", true);
}

function forget() {
  Object.assign(state, { token: "", session: "", revision: "", tools: [] });
  find("token").value = "";
  find("health").replaceChildren();
  find("result").hidden = true;
  find("result").replaceChildren();
  find("call").hidden = true;
  showClients();
  say("");
}

function showHealth(health) {
  const list = make("ul");
  for (const [name, each] of Object.entries(health.backends)) {
    const why = each.message ? `: ${each.message}` : "";
    list.append(make("li", `${name}: ${each.state}${why}`));
  }
  find("health").replaceChildren(make("h3", "Health"), make("p", health.message), list);
}

function showTools() {
  const options = state.tools.map((tool) => make("option", tool.name, { value: tool.name }));
  find("tool").replaceChildren(...options);
  find("call").hidden = false;
  showArguments();
}

function findTool() {
  return state.tools.find((tool) => tool.name === find("tool").value);
}

function findTypes(schema) {
  return [schema, ...(schema.anyOf || [])].map((each) => each.type).filter(Boolean);
}

function showArguments() {
  const tool = findTool();
  find("description").textContent = tool.description || "";
  const { properties = {}, required = [] } = tool.inputSchema;
  find("arguments").replaceChildren(...Object.entries(properties).flatMap(([name, schema]) => {
    const id = `argument-${name}`;
    const isText = findTypes(schema).includes("string");
    const field = make(isText ? "textarea" : "input", "", {
      id, name, spellcheck: "false", autocomplete: "off",
      "aria-describedby": `${id}-help`, ...(isText ? { rows: "2" } : {}),
    });
    field.required = required.includes(name);
    const kind = field.required ? "" : " (optional)";
    const help = make("p", schema.description || "", { id: `${id}-help`, class: "help" });
    return [make("label", name + kind, { for: id }), field, help];
  }));
}

function readArguments(tool) {
  const given = {};
  for (const [name, schema] of Object.entries(tool.inputSchema.properties || {})) {
    const text = find(`argument-${name}`).value;
    if (text === "") continue;
    const types = findTypes(schema);
    if (types.length === 0 || types.includes("string")) given[name] = text;
    else {
      try { given[name] = JSON.parse(text); } catch {
        throw new Error(`${name} takes ${types.join(" or ")}, not ${text}`);
      }
    }
  }
  return given;
}

async function callTool(event) {
  event.preventDefault();
  const tool = findTool();
  const { token } = state;
  say(`Calling ${tool.name}…`);
  try {
    const given = { name: tool.name, arguments: readArguments(tool) };
    const result = await request("tools/call", given);
    if (state.token !== token) return;
    showResult(result);
    say(result.isError ? "The tool reports an error." : "Done.", Boolean(result.isError));
  } catch (error) {
    say(error.message, true);
  }
}

function showResult(result) {
  const answer = result.structuredContent;
  const texts = (result.content || []).map((part) => part.text || "").join("\n");
  const region = find("result");
  if (answer && Array.isArray(answer.rows) && Array.isArray(answer.columns)) {
    const { columns, rows, ...rest } = answer;
    region.replaceChildren(buildTable(columns, rows), make("pre", JSON.stringify(rest)));
  } else {
    const text = answer && !result.isError ? JSON.stringify(answer, null, 2) : texts;
    region.replaceChildren(make("pre", text));
  }
  region.hidden = false;
}

function buildTable(columns, rows) {
  const table = make("table");
  const head = make("tr");
  head.append(...columns.map((name) => make("th", String(name), { scope: "col" })));
  table.append(head, ...rows.map((row) => {
    const line = make("tr");
    const show = (value) => (typeof value === "string" ? value : JSON.stringify(value));
    line.append(...row.map((value) => make("td", show(value))));
    return line;
  }));
  return table;
}

// ---------------------------------------------------------------------- start

find("url-mcp").textContent = `${base}/mcp`;
find("url-sse").textContent = `${base}/sse`;
showClients();
find("login").addEventListener("submit", login);
find("token").addEventListener("paste", refuseLines);
find("forget").addEventListener("click", forget);
find("tool").addEventListener("change", showArguments);
find("call").addEventListener("submit", callTool);
