// The service as functions. Every failure is a Problem with the words the service gave for it.

export class Problem extends Error {
  constructor(details) {
    super(details.detail || details.title);
    this.details = details;
  }
}

// What the page is looking at: one collection, the default one while none is chosen.
export const state = { collection: null };

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The service does not answer", detail: "The service does not answer; is it still running?" });
  }
  if (response.ok) return response;
  if (response.status === 401) await askForKey();
  const details = await response.json().catch(() => ({ title: `HTTP ${response.status}` }));
  throw new Problem(details);
}

export function address(path, query = {}) {
  const url = new URL(path, location.origin);
  const all = { collection: state.collection, ...query };
  for (const [name, value] of Object.entries(all)) {
    for (const one of [value].flat()) if (one !== null && one !== undefined) url.searchParams.append(name, one);
  }
  return url.pathname + url.search;
}

// Who may ask is the service's to say: the dialog keeps the key in a cookie that no script reads, then begins anew.
let asking = null;
const askForKey = () => (asking ??= import("./session.js").then(({ signIn }) => signIn()).finally(() => { asking = null; }));

export const get = async (path, query) => (await request(address(path, query))).json();
export const text = async (path, query) => (await request(address(path, query))).text();
export const remove = async (path, query) => (await request(address(path, query), { method: "DELETE" })).json();

export async function post(path, body) {
  return (await send(path, { ...(state.collection ? { collection: state.collection } : {}), ...body })).json();
}

const send = (path, body) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

// An answer as a file: text, markdown, docx, bibtex, ris or csl.
export const exported = async (answer, format, style) => (await send("/v1/export", { answer, format, style })).blob();

export async function upload(file) {
  const form = new FormData();
  form.append("file", file);
  return (await request(address("/v1/documents"), { method: "POST", body: form })).json();
}

export const fetchAddress = async (url) => (await send(address("/v1/documents"), { address: url })).json();

// Ask with streaming: `on` is called with each event's name and data, in the order they come.
export const ask = (body, on, signal) => streamed("/v1/ask", body, "answer.completed", on, signal);

// A text held to the sources, sentence by sentence, in the same way.
export const verify = (body, on, signal) => streamed("/v1/verify", body, "verification.completed", on, signal);

async function streamed(path, body, last, on, signal) {
  const response = await request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ ...(state.collection ? { collection: state.collection } : {}), ...body, stream: true }),
    signal,
  });
  let done = false;
  for await (const { event, data } of events(response.body)) {
    if (event === "error") throw new Problem(data);
    done ||= event === last;
    on(event, data);
  }
  if (!done) throw new Problem({ title: "The answer broke off", detail: "The answer broke off; ask again." });
}

async function* events(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += decoder.decode(value, { stream: true });
    const blocks = waiting.split(/\r?\n\r?\n/);
    waiting = blocks.pop();
    for (const block of blocks) {
      const fields = { event: "message", data: [] };
      for (const line of block.split(/\r?\n/)) {
        if (line.startsWith("event:")) fields.event = line.slice(6).trim();
        else if (line.startsWith("data:")) fields.data.push(line.slice(5).trimStart());
      }
      if (fields.data.length) yield { event: fields.event, data: JSON.parse(fields.data.join("\n")) };
    }
  }
}

// Follow a job to its end; `on` is called with each state of it.
export async function follow(job, on) {
  let current = job;
  on(current);
  while (current.status === "queued" || current.status === "running") {
    await new Promise((wake) => setTimeout(wake, 300));
    current = await get(`/v1/jobs/${encodeURIComponent(job.id)}`, { collection: null });
    on(current);
  }
  return current;
}
