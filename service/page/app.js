// The page: which view is shown, asking, and the document pane. The address always tells the state.
//
//   ?q=question             asked at once
//   #ask #verify #documents #bibliography[/<reference>] #index
//   #document/<id>[/<start>-<end>[/<reference>,…]]   the pane, beside whichever view is shown

import { ask, get, Problem, state } from "./api.js";
import { onAsTyped, renderAnswer } from "./answer.js";
import { showBibliography } from "./bibliography.js";
import { COLLECTION, showDocuments } from "./documents.js";
import { announce, byId, h, notice, replace } from "./dom.js";
import { filterPanel, filters } from "./filters.js";
import { showIndex } from "./generations.js";
import { remember, renderHistory } from "./history.js";
import { closePane, leave, openPane, parsePlace, setWorks } from "./pane.js";
import { showSession } from "./session.js";
import { showVerify } from "./verify.js";
import { chosenStyle } from "./citestyle.js";
import { count, shorten } from "./text.js";
import { hideTip } from "./tip.js";

const VIEWS = ["ask", "verify", "documents", "bibliography", "index"];
const documents = new Map();
let asked = null; // the question on the page
let thread = []; // the questions of this conversation with their answers: what a question may lean on
let running = null; // AbortController of the one being answered

// ── views ────────────────────────────────────────────────────────────────────────────────────────────────────────

async function route() {
  hideTip();
  const hash = location.hash;
  if (hash === "#main") return;
  const place = parsePlace(hash);
  if (place) {
    if (!document.body.dataset.view) show("ask");
    await openPane(place);
    return;
  }
  closePane();
  const [name, ...rest] = hash.slice(1).split("/");
  const view = VIEWS.includes(name) ? name : "ask";
  show(view);
  if (view === "ask") await refresh();
  if (view === "verify") showVerify(documents);
  if (view === "documents") await showDocuments(refresh);
  if (view === "bibliography") await showBibliography(rest.length ? decodeURIComponent(rest.join("/")) : null);
  if (view === "index") await showIndex(refresh);
}

function show(view) {
  document.body.dataset.view = view;
  for (const name of VIEWS) byId(`view-${name}`).hidden = name !== view;
  for (const anchor of document.querySelectorAll(".masthead nav a")) {
    if (anchor.hash === `#${view}`) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  document.title = view === "ask" ? (asked ? `${asked} · Ad Fontes` : "Ad Fontes") : `${view[0].toUpperCase()}${view.slice(1)} · Ad Fontes`;
}

// ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────

async function answerTo(question, { leaning = false } = {}) {
  running?.abort();
  const mine = (running = new AbortController());
  asked = question;
  const before = thread.filter((turn) => turn.question !== question);
  const answer = { question, status: "answered", answer: "", sentences: [], citations: [], references: [], passages: [] };
  byId("question").value = "";
  byId("question").placeholder = "Ask on …";
  grow();
  byId("answer").hidden = false;
  replace(byId("answer"), h("h2", { id: "answer-title", class: "asked-question", dir: "auto" }, question));
  document.body.classList.add("asked");
  progress("Looking in the sources…");
  renderHistory(question, submit);
  renderThread(before);
  show("ask");
  try {
    await ask(request(question, leaning ? before : []), (event, data) => {
      if (event === "retrieval.completed") {
        answer.passages = data.passages;
        progress(`Reading ${count(data.passages.length, "passage")}…`);
        return;
      }
      if (event === "answer.delta") answer.answer += data.text;
      else if (event === "citation.added") answer.citations.push(data);
      else if (event === "sentence.verified") answer.sentences.push(data);
      else if (event === "answer.completed") Object.assign(answer, data);
      if (answer.answer || event === "answer.completed") renderAnswer(answer, documents, { complete: event === "answer.completed" });
    }, mine.signal);
    settle(answer, before);
    announce(answer.status === "abstained" && !answer.citations.length ? "The sources do not answer this."
      : answer.status === "found" ? `No passage answers this directly. ${count(answer.citations.length, "passage")} quoted. ${answer.answer}`
      : `Answered with ${count(answer.citations.length, "citation")}. ${answer.answer}`);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (!(problem instanceof Problem)) throw problem;
    const article = byId("answer");
    article.hidden = false;
    replace(article, h("h2", { id: "answer-title", class: "asked-question", dir: "auto" }, question), notice("error", problem.message));
    byId("question").value = question;
    grow();
  } finally {
    if (running === mine) progress(null);
  }
}

// What was understood becomes the address and the memory, so that both stand alone.
function settle(answer, before) {
  asked = answer.question;
  if (answer.asked) {
    const url = new URL(location.href);
    url.searchParams.set("q", asked);
    history.replaceState(null, "", url);
  }
  remember(asked);
  renderHistory(asked, submit);
  const said = answer.status === "abstained" ? null : answer.answer;
  thread = [...before.filter((turn) => turn.question !== asked), { question: asked, answer: said }].slice(-12);
  document.title = `${asked} · Ad Fontes`;
}

// Earlier turns of the conversation, the latest first.
function renderThread(turns) {
  const place = byId("thread");
  place.hidden = turns.length === 0;
  replace(place, h("h2", { id: "thread-title" }, "Earlier in this conversation"),
    h("ul", {}, turns.toReversed().map((turn) => h("li", {},
      h("a", { href: `?q=${encodeURIComponent(turn.question)}`, dir: "auto", onclick: (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        submit(turn.question, { leaning: false });
      } }, turn.question),
      h("p", { class: "muted", dir: "auto" }, turn.answer ? shorten(turn.answer, 200) : "The sources do not answer this.")))),
    h("button", { type: "button", class: "quiet", onclick: () => { thread = []; location.href = fresh(); } }, "Begin a new conversation"));
}

const fresh = () => (state.collection ? `/?collection=${encodeURIComponent(state.collection)}` : "/");

function request(question, before) {
  const turns = before.slice(-6).map(({ question: said, answer }) => ({ question: said, answer }));
  return { question, style: chosenStyle(), ...(turns.length ? { history: turns } : {}), ...(filters() ? { filters: filters() } : {}) };
}

function progress(text) {
  byId("progress").hidden = text === null;
  byId("progress").textContent = text ?? "";
  if (text) announce(text);
}

// A question becomes part of the address, so that it can be shared and the way back leads to the one before.
function submit(question, { leaning = true } = {}) {
  const url = new URL(location.href);
  url.searchParams.set("q", question);
  url.hash = "";
  history.pushState(null, "", url);
  closePane();
  answerTo(question, { leaning });
}

// Back to the empty page.
function forget() {
  running?.abort();
  asked = null;
  progress(null);
  byId("answer").hidden = true;
  byId("thread").hidden = true;
  byId("question").value = "";
  byId("question").placeholder = "Ask the sources a question";
  document.body.classList.remove("asked");
  renderHistory(null, submit);
  grow();
}

function grow() {
  const box = byId("question");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 240)}px`;
}

// ── the collection ───────────────────────────────────────────────────────────────────────────────────────────────

async function refresh() {
  const line = byId("about-sources");
  try {
    const [list, index] = await Promise.all([get("/v1/documents"), get("/v1/index")]);
    const references = index.manifest?.counts?.references ?? 0;
    documents.clear();
    for (const source of list.documents) documents.set(source.id, source);
    setWorks(list.documents);
    const first = list.documents[0];
    const others = list.documents.length - 1;
    replace(line, first
      ? ["Answers come from ", h("a", { href: others ? "#documents" : `#document/${encodeURIComponent(first.id)}`, dir: "auto" }, first.title ?? first.source),
          others ? ` and ${count(others, "other document")}` : "", references ? `, and lead on to ${count(references, "reference")} behind ${others ? "them" : "it"}.` : ".", filterPanel(list.documents), starters()]
      : ["There are no documents yet. ", h("a", { href: "#documents" }, "Add some"), "."]);
  } catch (problem) {
    documents.clear();
    replace(line, notice("caution", problem.message));
  }
}

// What can be asked of any source, for whoever does not know where to begin.
function starters() {
  return h("p", { class: "starters" }, ["What is this about?", "Who wrote this?"].map((question) =>
    h("button", { type: "button", class: "chip", onclick: () => submit(question) }, question)));
}

async function loadCollections() {
  const { collections } = await get("/v1/collections", { collection: null }).catch(() => ({ collections: [] }));
  const named = new URL(location.href).searchParams.get("collection");
  state.collection = named && COLLECTION.test(named) ? named : null;
  if (state.collection && !collections.some(({ name }) => name === named)) collections.push({ name: named }); // a new one
  const box = byId("collection");
  const current = state.collection ?? collections.find((one) => one.default)?.name;
  replace(box, collections.map(({ name }) => h("option", { value: name, selected: name === current }, name)));
  box.closest("label").hidden = collections.length < 2;
  box.addEventListener("change", () => {
    location.href = `/?collection=${encodeURIComponent(box.value)}${location.hash.startsWith("#document/") ? "" : location.hash}`;
  });
}

// ── colours ──────────────────────────────────────────────────────────────────────────────────────────────────────

const THEMES = { system: ["◐", "as the system has them"], light: ["○", "light"], dark: ["●", "dark"] };

function setTheme(name) {
  const theme = THEMES[name] ? name : "system";
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = THEMES[theme][0];
  byId("theme").setAttribute("aria-label", `Colours: ${THEMES[theme][1]}`);
  try {
    localStorage.setItem("adfontes.theme", theme);
  } catch {
    // forgotten when the page is left
  }
}

function storedTheme() {
  try {
    return localStorage.getItem("adfontes.theme");
  } catch {
    return null;
  }
}

// ── start ────────────────────────────────────────────────────────────────────────────────────────────────────────

byId("ask-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = byId("question").value.trim();
  if (question) submit(question);
});
byId("question").addEventListener("input", grow);
new ResizeObserver(() => requestAnimationFrame(grow)).observe(byId("ask-form")); // the pane makes the box narrower
byId("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    byId("ask-form").requestSubmit();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (!byId("tip").hidden) hideTip();
    else if (!byId("pane").hidden) leave();
  }
  if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
    event.preventDefault();
    if (document.body.dataset.view !== "ask") location.hash = "#ask";
    byId("question").focus();
  }
});
byId("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES);
  setTheme(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]);
});
addEventListener("hashchange", route);
addEventListener("popstate", () => {
  const question = new URL(location.href).searchParams.get("q");
  if (question === (asked ?? null)) return;
  if (question) answerTo(question);
  else forget();
});

onAsTyped((question) => submit(question, { leaning: false }));
setTheme(storedTheme());
showSession();
await loadCollections();
if (!location.hash.match(/^#?(ask)?$/)) await refresh();
await route();
renderHistory(asked, submit); // last: what loads above it would move its buttons from under the pointer
const question = new URL(location.href).searchParams.get("q")?.trim();
if (question) answerTo(question);
