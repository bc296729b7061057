// A text of one's own, each sentence held to the sources or to a passage that is given with it.

import { Problem, verify } from "./api.js";
import { prose, sources } from "./answer.js";
import { announce, byId, h, notice, replace } from "./dom.js";
import { chosenStyle } from "./citestyle.js";
import { filters } from "./filters.js";
import { count } from "./text.js";

const kept = { text: "", passage: "" };
const WORDS = { supported: "supported", partial: "supported in part", contradicted: "contradicted", unsupported: "not supported", unchecked: "not checked" };
let running = null; // AbortController of the one under way

export function showVerify(documents) {
  const view = byId("view-verify");
  if (view.firstChild) return;
  const box = (id, label, rows, placeholder, name) => [
    h("label", { for: id }, label),
    h("textarea", { id, rows, dir: "auto", placeholder, spellcheck: true, oninput: (event) => { kept[name] = event.target.value; } }, kept[name]),
  ];
  const result = h("div", { id: "verified" });
  const form = h("form", { id: "verify-form", onsubmit: (event) => {
    event.preventDefault();
    if (kept.text.trim()) check(result, documents);
  } },
    box("verify-text", "Text", 8, "Paste the sentences to be checked", "text"),
    h("details", {}, h("summary", {}, "Check against a passage of your own instead of the collection"),
      box("verify-passage", "Passage", 5, "The passage that the text must keep to", "passage")),
    h("p", {}, h("button", { type: "submit" }, "Verify")));
  replace(view, h("h1", { id: "verify-title" }, "Verify a text"),
    h("p", { class: "muted" }, "Each sentence is held to the sources: what carries it is quoted, and what nothing carries is marked. At most 200 sentences."),
    form, result);
}

async function check(result, documents) {
  running?.abort();
  const mine = (running = new AbortController());
  const checked = { answer: kept.text, sentences: [], citations: [], references: [], passages: [] };
  const draw = (told) => replace(result, told,
    h("article", { class: "verified" }, h("h2", {}, "Sentence by sentence"), prose(checked, documents), checked.citations.length ? sources(checked, documents) : null));
  const stop = h("button", { type: "button", class: "quiet", onclick: () => mine.abort() }, "Stop");
  const line = (text) => h("p", { class: "progress", role: "status" }, text, " ", stop);
  draw(line("Looking in the sources…"));
  const passage = kept.passage.trim();
  const body = { text: kept.text, style: chosenStyle(), ...(passage ? { passages: [passage] } : filters() ? { filters: filters() } : {}) };
  try {
    await verify(body, (event, data) => {
      if (event === "citation.added") checked.citations.push(data);
      else if (event === "sentence.checked") checked.sentences.push(data);
      else if (event === "verification.completed") Object.assign(checked, data);
      draw(event === "verification.completed" ? [summary(checked), checked.notices.map((text) => notice("plain", text))]
        : line(`${count(checked.sentences.length, "sentence")} checked…`));
    }, mine.signal);
    announce(told(checked));
  } catch (problem) {
    if (problem.name === "AbortError") {
      if (running === mine) draw(h("p", { class: "muted", role: "status" }, `Stopped after ${count(checked.sentences.length, "sentence")}.`));
      return;
    }
    if (!(problem instanceof Problem)) throw problem;
    replace(result, notice("error", problem.message));
  }
}

function told(checked) {
  const found = Object.entries(WORDS).map(([verdict, words]) => [checked.sentences.filter((one) => one.verdict === verdict).length, words]);
  return `${count(checked.sentences.length, "sentence")}: ${found.filter(([n]) => n).map(([n, words]) => `${n} ${words}`).join(", ")}.`;
}

const summary = (checked) => h("p", { class: "verify-summary", role: "status" }, told(checked));
