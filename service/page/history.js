// Earlier questions, kept in this browser and nowhere else.

import { byId, h, replace } from "./dom.js";

const KEY = "adfontes.questions";
const KEPT = 30;

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((question) => typeof question === "string") : [];
  } catch {
    return []; // storage may be closed to the page, or hold what somebody else wrote
  }
}

function write(questions) {
  try {
    localStorage.setItem(KEY, JSON.stringify(questions.slice(0, KEPT)));
  } catch {
    // without storage the page works, it only forgets
  }
}

export function remember(question) {
  write([question, ...read().filter((other) => other !== question)]);
}

export function renderHistory(current, ask) {
  const questions = read().filter((question) => question !== current).slice(0, 8);
  const section = byId("history");
  section.hidden = questions.length === 0;
  replace(section,
    h("h2", { id: "history-title" }, "Earlier questions"),
    h("ul", {}, questions.map((question) =>
      h("li", {}, h("a", { href: `?q=${encodeURIComponent(question)}`, dir: "auto", onclick: (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        ask(question);
      } }, question)))),
    h("button", { type: "button", class: "quiet", onclick: () => { write([]); renderHistory(current, ask); byId("question").focus(); } }, "Forget them"));
}
