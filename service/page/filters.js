// What the search is confined to: chosen on the page, shown as one line, sent with each question.

import { h, replace } from "./dom.js";
import { count } from "./text.js";

const NONE = () => ({ documents: new Set(), kind: "", author: "", year_from: "", year_to: "", language: "", section: "", cites: null });
let chosen = NONE();

// Confine the search to the passages that cite one entry.
export function onlyWhereCited(reference) {
  chosen.cites = reference;
}

// The filters as the service takes them; null while nothing is confined.
export function filters() {
  const given = {
    ...(chosen.documents.size ? { documents: [...chosen.documents] } : {}),
    ...(chosen.kind ? { kind: chosen.kind } : {}),
    ...(chosen.author ? { authors: [chosen.author] } : {}),
    ...(chosen.year_from ? { year_from: Number(chosen.year_from) } : {}),
    ...(chosen.year_to ? { year_to: Number(chosen.year_to) } : {}),
    ...(chosen.language ? { languages: [chosen.language] } : {}),
    ...(chosen.section.trim() ? { sections: [chosen.section.trim()] } : {}),
    ...(chosen.cites ? { cites: [chosen.cites.id] } : {}),
  };
  return Object.keys(given).length ? given : null;
}

// The line below the question, and the panel behind it.
export function filterPanel(sources) {
  const ids = new Set(sources.map((source) => source.id));
  for (const id of chosen.documents) if (!ids.has(id)) chosen.documents.delete(id);
  const summary = h("summary");
  const body = h("div", { class: "filters" });
  const panel = h("details", { class: "filter" }, summary, body);
  const tell = () => { summary.textContent = described(); };
  const set = (name) => (event) => { chosen[name] = event.target.value; tell(); };
  const clear = () => { chosen = NONE(); draw(); summary.focus(); };
  const draw = () => {
    tell();
    replace(body,
      sources.length > 1 ? documents(sources, tell) : null,
      h("div", { class: "fields" },
        menu("Author", "author", distinct(sources.flatMap((one) => one.authors.map((author) => author.name))), set),
        menu("Language", "language", distinct(sources.map((one) => one.language)), set, 2),
        sources.some((one) => one.attachments?.length)
          ? select("Kind", "kind", [["article", "articles"], ["source", "cited works"]], set) : null,
        h("label", {}, "Years ", year("From year", "year_from", set), "–", year("To year", "year_to", set)),
        h("label", {}, "Section ", h("input", { type: "text", value: chosen.section, oninput: set("section"), size: "14", dir: "auto" }))),
      chosen.cites ? h("p", { class: "muted", dir: "auto" }, `Only passages that cite ${chosen.cites.name}`) : null,
      h("button", { type: "button", class: "quiet", onclick: clear }, "Search everything"));
  };
  draw();
  panel.open = Boolean(chosen.cites);
  return panel;
}

function described() {
  const parts = [
    chosen.documents.size ? count(chosen.documents.size, "document") : null,
    { article: "articles", source: "cited works" }[chosen.kind],
    chosen.author && `by ${chosen.author}`,
    chosen.year_from && chosen.year_to ? `${chosen.year_from} to ${chosen.year_to}` : chosen.year_from ? `from ${chosen.year_from}` : chosen.year_to && `up to ${chosen.year_to}`,
    chosen.language && `in ${named(chosen.language)}`,
    chosen.section.trim() && `under “${chosen.section.trim()}”`,
    chosen.cites && `citing ${chosen.cites.name}`,
  ].filter(Boolean);
  return parts.length ? `Only ${parts.join(", ")}` : "In everything there is";
}

function documents(sources, tell) {
  return h("fieldset", {}, h("legend", {}, "Documents"), sources.map((source) =>
    h("label", { dir: "auto" },
      h("input", { type: "checkbox", checked: chosen.documents.has(source.id), onchange: (event) => {
        if (event.target.checked) chosen.documents.add(source.id);
        else chosen.documents.delete(source.id);
        tell();
      } }), source.title ?? source.source)));
}

const distinct = (values) => [...new Set(values.filter(Boolean))].sort((a, b) => a.localeCompare(b));

const menu = (label, name, values, set, least = 1) =>
  values.length >= least ? select(label, name, values.map((value) => [value, name === "language" ? named(value) : value]), set) : null;

function select(label, name, options, set) {
  return h("label", {}, `${label} `, h("select", { onchange: set(name) }, h("option", { value: "" }, "any"),
    options.map(([value, text]) => h("option", { value, selected: chosen[name] === value }, text))));
}

const year = (label, name, set) =>
  h("input", { type: "number", min: "0", max: "9999", "aria-label": label, value: chosen[name], oninput: set(name) });

function named(language) {
  try {
    return new Intl.DisplayNames(undefined, { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}
