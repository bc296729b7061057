// The document pane: the stored text, scrolled to a highlighted span, and the bibliography entry beside it.

import { get } from "./api.js";
import { entryOf, placeOf } from "./answer.js";
import { announce, byId, h, link, notice, replace, webAddress } from "./dom.js";
import { bylineOf, count, shortName, unitsOf } from "./text.js";

let shown = { key: null, opener: null };

// "#document/<id>[/<start>-<end>[/<reference>,…]]" → what to show, or null.
export function parsePlace(hash) {
  const [, id, span, references] = hash.match(/^#document\/([^/]+)(?:\/(\d+-\d+))?(?:\/([^/]+))?$/) ?? [];
  if (!id) return null;
  try {
    const [start, end] = span ? span.split("-").map(Number) : [null, null];
    return {
      id: decodeURIComponent(id),
      start,
      end,
      references: references ? references.split(",").map(decodeURIComponent) : null,
    };
  } catch {
    return null;
  }
}

export async function openPane(place) {
  const pane = byId("pane");
  const key = location.hash;
  document.body.classList.add("with-pane"); // before anything is scrolled: it decides what scrolls
  if (!pane.contains(document.activeElement) && document.activeElement !== document.body) shown.opener = document.activeElement;
  shown.key = key;
  try {
    const [text, list] = await Promise.all([
      get(`/v1/documents/${encodeURIComponent(place.id)}`),
      get("/v1/references", { document_id: place.id }),
    ]);
    if (shown.key !== key) return; // another place was asked for meanwhile
    draw(text, list.references, place);
  } catch (problem) {
    if (shown.key !== key) return;
    pane.hidden = false;
    replace(pane, head({ title: "Nothing to show" }), notice("error", problem.message));
  }
}

export function closePane() {
  const pane = byId("pane");
  if (pane.hidden) return;
  const within = pane.contains(document.activeElement);
  pane.hidden = true;
  pane.replaceChildren();
  document.body.classList.remove("with-pane");
  shown.key = null;
  // The answer may have been drawn anew: the opener is found again by where it leads.
  const opener = shown.opener?.isConnected ? shown.opener : null;
  if (within) (opener ?? byId("main")).focus({ preventScroll: true });
  shown.opener = null;
}

function head(source, place = {}) {
  return h("header", { class: "pane-head" },
    h("div", {},
      h("h2", { id: "pane-title", tabindex: "-1", dir: "auto" }, source.title ?? source.source),
      source.authors ? h("p", { class: "muted", dir: "auto" }, [bylineOf(source), source.language].filter(Boolean).join(" · ")) : null,
      source.authors && place.start !== null ? h("p", { class: "where-in muted", dir: "auto" }, whereIn(source, place)) : null),
    h("button", { type: "button", class: "close", "aria-label": "Close the document", onclick: leave }, "×"));
}

// "“Costs”, p. 3": the section and the page that hold the passage.
function whereIn(source, place) {
  const holds = (part) => part.start <= place.start && place.start < part.end;
  const section = source.sections.filter(holds).sort((a, b) => b.level - a.level || b.start - a.start)[0];
  const page = source.pages.find(holds);
  return [section && `“${section.title}”`, page && `p. ${page.number}`].filter(Boolean).join(", ");
}

export function leave() {
  history.pushState(null, "", location.pathname + location.search + "#" + (document.body.dataset.view ?? "ask"));
  closePane();
}

function draw(source, references, place) {
  const known = new Map(references.map((reference) => [reference.id, reference]));
  const pane = byId("pane");
  const article = h("article", { class: "source", dir: "auto", lang: source.language, tabindex: "0", "aria-label": "Text of the document" });
  article.append(...blocks(source, place, known));
  pane.hidden = false;
  replace(pane, head(source, place), h("div", { class: "pane-body" }, article, beside(source, place, known)));
  const quote = article.querySelector("mark");
  const heading = byId("pane-title");
  heading.focus({ preventScroll: true });
  if (quote) quote.scrollIntoView({ block: "center", behavior: "instant" });
  announce(quote ? `Document opened at the passage: ${quote.textContent.slice(0, 200)}` : "Document opened");
}

// ── beside the text: where the passage comes from ───────────────────────────────────────────────────────────────

function beside(source, place, known) {
  const ids = place.references ?? relayedBy(source, place);
  const entries = ids.map((id) => known.get(id)).filter(Boolean);
  const lost = ids.filter((id) => !known.has(id));
  const parts = [];
  if (place.start === null) parts.push(h("h3", {}, "About this document"), about(source, known.size));
  else if (entries.length) {
    const listed = entries.some((entry) => entry.start !== null && entry.start < place.end && place.start < entry.end);
    parts.push(h("h3", {}, listed ? "This entry of the bibliography" : "This passage relays"));
    for (const entry of entries) {
      parts.push(h("section", { class: "relayed-entry" },
        h("p", { class: "who" }, shortName(entry.csl), h("span", { class: "muted" }, `, as ${listed ? "listed" : "reported"} by ${bylineOf(source)}`)),
        entryOf(entry),
        held(entry.id),
        h("p", { class: "muted" }, entry.mentions ? `Cited ${count(entry.mentions, "time")} in this document. ` : "",
          h("a", { href: `#bibliography/${encodeURIComponent(entry.id)}` }, "In the bibliography"))));
    }
  } else parts.push(h("h3", {}, "The document’s own words"), about(source, known.size));
  if (lost.length) parts.push(notice("caution", `Not in this document’s bibliography: ${lost.join(", ")}`));
  return h("aside", { class: "beside", "aria-label": "Where this comes from" }, parts);
}

// Where the work itself is in the collection, the second hop can be walked to its end.
let works = new Map();
export function setWorks(documents) {
  works = new Map([...documents].flatMap((source) => (source.attachments ?? []).map((one) => [one.reference_id, source])));
}

function held(referenceId) {
  const source = works.get(referenceId);
  return source ? h("p", { class: "held" }, "This work is in the collection: ",
    h("a", { href: `#document/${encodeURIComponent(source.id)}`, dir: "auto" }, source.title ?? source.source)) : null;
}

function relayedBy(source, place) {
  if (place.start === null) return [];
  const found = source.mentions
    .filter((mention) => mention.scope_start < place.end && place.start < mention.scope_end)
    .map((mention) => mention.reference_id)
    .filter(Boolean);
  return [...new Set(found)];
}

function about(source, entries) {
  const address = source.address ? webAddress(source.address.startsWith("10.") ? `https://doi.org/${source.address}` : source.address) : null;
  const rows = [
    ["Author", source.authors.map((author) => author.name).join(", ")],
    ["Date", source.date],
    ["Address", address ? link(address, new URL(address).hostname) : "not known"],
    ["Bibliography", entries ? count(entries, "entry", "entries") : "none"],
    ["File", source.source],
  ].filter(([, value]) => value);
  return h("dl", { class: "about" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", { dir: "auto" }, value)]));
}

// ── the text ─────────────────────────────────────────────────────────────────────────────────────────────────────

function blocks(source, place, known) {
  const at = unitsOf(source.text);
  const headings = source.sections
    .filter((section) => section.body_start > section.start)
    .map((section) => ({ start: at(section.start), end: at(section.body_start), level: section.level }))
    .sort((a, b) => a.start - b.start);
  const spans = source.mentions.map((mention) => ({ start: at(mention.start), end: at(mention.end), mention }));
  if (place.start !== null) spans.push({ start: at(place.start), end: at(place.end), quote: true });
  const turns = source.pages.map((page) => ({ at: at(page.start), number: page.number })).filter((page) => page.at > 0 || source.pages.length > 1);
  // A page begins within or before a block: its number stands in the margin of the block.
  const draw = (tag, [start, end], props) => {
    const turned = [];
    while (turns.length && turns[0].at < end) turned.push(turns.shift());
    return h(tag, props, turned.map((page) => h("span", { class: "page", id: `page-${page.number}`, title: `Page ${page.number}` }, `p. ${page.number}`)),
      inline(source, start, end, spans, known));
  };
  const found = [];
  let from = 0;
  for (const heading of [...headings, { start: source.text.length, end: source.text.length, level: 0 }]) {
    if (heading.start < from) continue; // a heading within a heading
    for (const range of paragraphs(source.text, from, heading.start)) found.push(draw("p", range));
    const level = Math.min(6, Math.max(3, heading.level + 2));
    for (const range of paragraphs(source.text, heading.start, heading.end)) found.push(draw(`h${level}`, range));
    from = heading.end;
  }
  return found;
}

function* paragraphs(text, from, to) {
  const gap = /\n\s*\n|\n$/g;
  let start = from;
  const part = text.slice(from, to);
  for (const match of part.matchAll(gap)) {
    if (part.slice(start - from, match.index).trim()) yield [start, from + match.index];
    start = from + match.index + match[0].length;
  }
  if (text.slice(start, to).trim()) yield [start, to];
}

function inline(source, start, end, spans, known) {
  const here = spans.filter((span) => span.start < end && start < span.end);
  const cuts = new Set([start, end]);
  for (const span of here) cuts.add(Math.max(start, span.start)).add(Math.min(end, span.end));
  const places = [...cuts].sort((a, b) => a - b);
  return places.slice(0, -1).map((cut, i) => {
    const piece = source.text.slice(cut, places[i + 1]);
    const over = here.filter((span) => span.start <= cut && places[i + 1] <= span.end);
    const mention = over.find((span) => span.mention)?.mention;
    const node = mention ? mentionOf(source, mention, piece, known) : piece;
    return over.some((span) => span.quote) ? h("mark", {}, node) : node;
  });
}

function mentionOf(source, mention, piece, known) {
  const reference = known.get(mention.reference_id);
  if (!reference) return h("span", { class: "mention missing", title: "Not in the bibliography" }, piece);
  const href = placeOf(source.id, mention.scope_start, mention.scope_end, [mention.reference_id]);
  return h("a", { class: "mention", href, title: reference.formatted }, piece);
}
