// The bibliography and its audit: every entry as it is, and what was found wrong, by kind.

import { address, follow, get, post } from "./api.js";
import { entryOf, placeOf } from "./answer.js";
import { announce, byId, h, notice, replace } from "./dom.js";
import { jobLine } from "./jobs.js";
import { chosenStyle, setStyle, STYLES } from "./citestyle.js";
import { onlyWhereCited } from "./filters.js";
import { count, shortName } from "./text.js";

const EXPORTS = [["bibtex", "BibTeX"], ["ris", "RIS"], ["csl", "CSL-JSON"], ["text", "Plain text"]];
const kept = { kind: null };
let fates = new Map(); // what came of each cited work when it was last fetched

export async function showBibliography(wanted = null) {
  const view = byId("view-bibliography");
  const title = h("h1", { id: "bibliography-title" }, "Bibliography");
  let list, audit, documents, fetched;
  try {
    [list, audit, documents, fetched] = await Promise.all([
      get("/v1/references", { style: chosenStyle() }),
      get("/v1/audit"),
      get("/v1/documents"),
      get("/v1/fetch"),
    ]);
    fates = new Map(fetched.outcomes.map((outcome) => [outcome.reference_id, outcome]));
  } catch (problem) {
    replace(view, title, notice("error", problem.message));
    return;
  }
  const redraw = () => showBibliography();
  const groups = documents.documents.map((source) => {
    const entries = list.references.filter((reference) => reference.document_id === source.id)
      .filter((reference) => !kept.kind || problemsAt(audit, reference).some((problem) => problem.kind === kept.kind));
    const loose = audit.problems.filter((problem) =>
      problem.document_id === source.id && !problem.reference_id && (!kept.kind || problem.kind === kept.kind));
    if (!entries.length && !loose.length) return null;
    return h("section", { class: "shelf" },
      documents.documents.length > 1 || loose.length ? h("h2", { dir: "auto" }, source.title ?? source.source) : null,
      h("ol", { class: "entries" }, entries.map((reference) => item(reference, audit))),
      loose.length
        ? [h("h3", {}, "In the text"), h("ul", { class: "problems" }, loose.map((problem) => lineOf(problem)))]
        : null);
  });
  replace(view, title,
    h("p", { class: "muted" },
      `${count(list.references.length, "entry", "entries")}, ${count(audit.problems.length, "problem")} found. `,
      "Nothing is repaired in silence, and “not found” never means “fake”."),
    h("div", { class: "bar" },
      h("label", {}, "Style ", select(STYLES, chosenStyle(), (value) => { setStyle(value); redraw(); })),
      h("span", { class: "actions" }, "Export ",
        EXPORTS.map(([form, name]) => h("a", { class: "quiet", href: address("/v1/references", { format: form, style: chosenStyle() }), download: true }, name)))),
    works(list, redraw),
    filterBar(audit, redraw),
    groups.some(Boolean) ? groups : h("p", { class: "muted" }, "No entries."));
  if (wanted) {
    const target = byId(`reference-${wanted}`);
    target?.classList.add("wanted");
    target?.scrollIntoView({ block: "center", behavior: "instant" });
    target?.focus({ preventScroll: true });
  }
}

// A copy of every cited work, as far as it can be had; a job does it, and each entry then tells what came of it.
function works(list, redraw) {
  const line = h("p", { class: "jobs", role: "status" });
  const held = list.references.filter((reference) => reference.documents?.length).length;
  const fetch = h("button", { type: "button", class: "quiet", onclick: async () => {
    fetch.disabled = true;
    try {
      const last = await follow(await post("/v1/fetch", {}), (job) => jobLine(line, "Cited works", job));
      announce(`Cited works: ${last.status}`);
      if (last.status !== "failed") await redraw(); // stopped or not, what came of each entry is known now
    } catch (problem) {
      replace(line, h("span", { class: "error" }, problem.message));
    } finally {
      fetch.disabled = false;
    }
  } }, "Fetch the cited works");
  return [h("p", { class: "muted" }, held ? `${count(held, "cited work")} in the collection. ` : "None of the cited works is in the collection. ", fetch), line];
}

function fateOf(reference, fates) {
  const fate = fates.get(reference.id);
  if (reference.documents?.length) {
    return h("p", { class: "muted held" }, "In the collection: ", reference.documents.map((id, i) => [i ? ", " : "", h("a", { href: `#document/${encodeURIComponent(id)}` }, id)]));
  }
  return fate?.state === "failed" ? h("p", { class: "muted", dir: "auto" }, "The work could not be fetched: ", fate.reason) : null;
}

function problemsAt(audit, reference) {
  const own = audit.problems.filter((problem) => problem.reference_id === reference.id);
  const seen = new Set(own.map((problem) => problem.kind + problem.message));
  return [...own, ...reference.problems.filter((problem) => !seen.has(problem.kind + problem.message))];
}

function item(reference, audit) {
  const cited = reference.mentions ? `Cited ${count(reference.mentions, "time")}` : "Never cited";
  return h("li", { id: `reference-${reference.id}`, tabindex: "-1" },
    entryOf({ ...reference, problems: problemsAt(audit, reference) }),
    fateOf(reference, fates),
    h("p", { class: "muted" }, cited,
      reference.mentions ? [" · ", h("a", { href: "#ask", onclick: () => onlyWhereCited({ id: reference.id, name: shortName(reference.csl) }) }, "Ask only where it is cited")] : null,
      reference.start === null ? null : [" · ", h("a", { href: placeOf(reference.document_id, reference.start, reference.end, [reference.id]) }, "As printed")]));
}

function lineOf(problem) {
  const text = problem.start === null ? problem.message
    : h("a", { href: placeOf(problem.document_id, problem.start, problem.end) }, problem.message);
  return h("li", { class: problem.severity, title: problem.kind, dir: "auto" }, text);
}

function filterBar(audit, redraw) {
  const kinds = Object.entries(audit.counts);
  if (!kinds.length) return null;
  const chip = (kind, label, title) =>
    h("button", { type: "button", class: "chip", title, "aria-pressed": String(kept.kind === kind), onclick: () => {
      kept.kind = kept.kind === kind ? null : kind;
      redraw();
    } }, label);
  return h("div", { class: "chips", role: "group", "aria-label": "Show only entries with" },
    kinds.map(([kind, n]) => chip(kind, `${audit.kinds[kind]?.title ?? kind} ${n}`, audit.kinds[kind]?.explanation)));
}

function select(values, chosen, on) {
  return h("select", { onchange: (event) => on(event.target.value) },
    values.map(([value, label]) => h("option", { value, selected: value === chosen }, label)));
}
