// The answer: its sentences with numbered citations and quiet verdicts, and the sources they lead to.

import { exported, get } from "./api.js";
import { byId, download, h, link, notice, replace, webAddress } from "./dom.js";
import { chosenStyle, setStyle, STYLES } from "./citestyle.js";
import { bylineOf, count, shortName, shorten, slice, unitsOf, when } from "./text.js";
import { hideTip, showTip } from "./tip.js";

const VERDICTS = {
  supported: ["✓", "supported by the passage"],
  partial: ["◐", "supported in part"],
  unsupported: ["○", "not supported by the passage"],
  contradicted: ["✕", "contradicted by the passage"],
  unchecked: ["–", "not checked: it states nothing"],
};

export const placeOf = (documentId, start, end, referenceIds = []) =>
  `#document/${encodeURIComponent(documentId)}/${start}-${end}` +
  (referenceIds.length ? `/${referenceIds.map(encodeURIComponent).join(",")}` : "");

const placeOfCitation = (citation) =>
  placeOf(
    citation.document_id,
    citation.location.start_char_index,
    citation.location.end_char_index,
    citation.reference_ids,
  );

// Draw what is known of an answer; called again with each event of the stream. `onAsTyped` asks again without what the
// questions before have lent to this one.
let askAsTyped = () => {};
export const onAsTyped = (handler) => { askAsTyped = handler; };

export function renderAnswer(answer, documents, { complete }) {
  const title = h("h2", { id: "answer-title", class: "asked-question", dir: "auto" }, answer.asked ?? answer.question);
  const parts = [title];
  if (answer.asked) {
    parts.push(h("p", { class: "understood muted" }, "Understood as ", h("q", { dir: "auto" }, answer.question), ". ",
      h("button", { type: "button", class: "quiet", onclick: () => askAsTyped(answer.asked) }, "Ask it as typed")));
  }
  if (answer.status === "abstained" && !answer.sentences.length) parts.push(...abstention(answer, documents));
  else {
    if (answer.status === "found") parts.push(notice("caution", "No passage answers this directly. These come closest."));
    if (answer.status === "partial") parts.push(notice("caution", "The sources answer this only in part."));
    parts.push(prose(answer, documents));
    if (answer.corroboration?.length) parts.push(elsewhere(answer, documents));
    if (answer.citations.length) parts.push(sources(answer, documents));
  }
  for (const text of complete ? (answer.notices ?? []) : []) parts.push(notice("plain", text));
  if (complete) parts.push(colophon(answer, documents));
  const article = byId("answer");
  article.hidden = false;
  article.setAttribute("aria-busy", String(!complete));
  replace(article, parts);
}

export function prose(answer, documents) {
  const at = unitsOf(answer.answer);
  const body = h("p", { class: "prose", dir: "auto" });
  let drawn = 0;
  for (const sentence of answer.sentences) {
    const [start, end] = [at(sentence.start), at(sentence.end)];
    if (start < drawn) continue;
    body.append(answer.answer.slice(drawn, start), sentenceOf(answer, sentence, answer.answer.slice(start, end), documents));
    drawn = end;
  }
  body.append(answer.answer.slice(drawn));
  return body;
}

// What other documents say to the same claim, for and against it apart.
function elsewhere(answer, documents) {
  const marks = (indices) => indices.map((index) => answer.citations.find((citation) => citation.index === index)).filter(Boolean)
    .map((citation) => citeButton(citation, documents, answer));
  const lines = answer.corroboration.map((one) => {
    const sentence = answer.sentences[one.sentence];
    const claim = sentence ? shorten(slice(answer.answer, sentence.start, sentence.end), 90) : "";
    return h("li", { class: one.contradicting.length ? "disputed" : null }, h("q", { dir: "auto" }, claim),
      one.supporting.length ? [" is also said in ", marks(one.supporting)] : null,
      one.supporting.length && one.contradicting.length ? ", and" : null,
      one.contradicting.length ? [" is said otherwise in ", marks(one.contradicting)] : null);
  });
  return h("section", { class: "elsewhere", "aria-labelledby": "elsewhere-title" },
    h("h3", { id: "elsewhere-title" }, "What other documents say"), h("ul", {}, lines));
}

function sentenceOf(answer, sentence, text, documents) {
  const [mark, meaning] = VERDICTS[sentence.verdict] ?? VERDICTS.unsupported;
  const marks = sentence.citations
    .map((index) => answer.citations.find((citation) => citation.index === index))
    .filter(Boolean)
    .map((citation) => citeButton(citation, documents, answer));
  const lacking = sentence.missing?.length ? `; not there: ${sentence.missing.join(", ")}` : "";
  const label = `${meaning} (${Math.round(sentence.score * 100)} %)${lacking}`;
  return h("span", { class: `sentence ${sentence.verdict}` }, text, h("span", { class: "marks" }, marks,
    h("span", { class: "verdict", role: "img", "aria-label": label, title: label }, mark)));
}

function citeButton(citation, documents, answer) {
  const quote = shorten(citation.cited_text, 320);
  const anchor = h(
    "a",
    {
      class: `cite ${citation.attribution}`,
      href: placeOfCitation(citation),
      "aria-label": `Citation ${citation.index + 1}, ${attributionOf(citation, documents, answer)}`,
      onmouseenter: () => showTip(anchor, quote, attributionOf(citation, documents, answer)),
      onmouseleave: hideTip,
      onfocus: () => showTip(anchor, quote, attributionOf(citation, documents, answer)),
      onblur: hideTip,
    },
    String(citation.index + 1),
  );
  return anchor;
}

// "Deng (2024), as reported by Pietro Damiani (2024)": who says what the citation says.
function attributionOf(citation, documents, answer) {
  const document = documents.get(citation.document_id);
  if (!document) return citation.relation || citation.document_id; // a passage that was given is no document
  const reporter = bylineOf(document);
  if (citation.attribution !== "relayed" && !citation.reference_ids.length) return reporter;
  const names = citation.reference_ids
    .map((id) => answer.references.find((reference) => reference.id === id))
    .filter(Boolean)
    .map((reference) => shortName(reference.csl));
  const how = citation.attribution === "relayed" ? "reported" : "listed";
  return names.length ? `${names.join("; ")}, as ${how} by ${reporter}` : `a work cited by ${reporter}`;
}

export function sources(answer, documents) {
  const said = new Set(answer.sentences.map((sentence) => slice(answer.answer, sentence.start, sentence.end).trim()));
  const items = answer.citations.map((citation) => {
    const document = documents.get(citation.document_id);
    const { section, page } = citation.location;
    const place = [document?.title, section && `“${section}”`, page && `p. ${page}`].filter(Boolean).join(", ");
    const entries = citation.reference_ids
      .map((id) => answer.references.find((reference) => reference.id === id))
      .filter(Boolean);
    const verbatim = said.has(citation.cited_text.trim()); // an extracted sentence need not be quoted below itself
    return h("li", { class: citation.attribution, value: citation.index + 1 },
      h("p", { class: "who" }, attributionOf(citation, documents, answer)),
      verbatim ? null : h("blockquote", { dir: "auto" }, h("a", { href: placeOfCitation(citation) }, citation.cited_text)),
      h("p", { class: "where muted", dir: "auto" }, h("a", { href: placeOfCitation(citation) }, place)),
      entries.map((entry) => entryOf(entry)));
  });
  return h("section", { class: "sources", "aria-labelledby": "sources-title" },
    h("h3", { id: "sources-title" }, "Sources"), h("ol", {}, items));
}

// A bibliography entry as it is shown everywhere: formatted, with its addresses and what is wrong with it.
export function entryOf(reference) {
  const { DOI: doi, URL: url } = reference.csl;
  const formatted = reference.formatted;
  const extra = [doi && `https://doi.org/${doi}`, url].filter((one) => one && webAddress(one) && !formatted.includes(doi && one.endsWith(doi) ? doi : one));
  return h("div", { class: "entry" },
    h("p", { class: "formatted", dir: "auto" }, withLinks(formatted), extra.map((one) => [" ", addressLink(one)])),
    problemsOf(reference.problems, reference.resolution));
}

// Addresses within a text become links, shown short where they are long.
function withLinks(text) {
  const parts = text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:)\]’”])/);
  if (parts.length > 1 && parts.at(-1) === ".") parts.pop(); // the full stop would seem to be part of the address
  return parts.map((part, i) => (i % 2 && webAddress(part) ? addressLink(part) : part));
}

function addressLink(address) {
  const bare = address.replace(/^https?:\/\/(www\.)?/, "");
  return link(webAddress(address), bare.length > 48 ? `${bare.slice(0, 40)}…` : bare, { title: address });
}

const RESOLUTIONS = {
  "year-mismatch": "the year cited and the year listed differ",
  "author-variant": "the author is cited under another name than listed",
  ambiguous: "the citation may mean more than one entry",
  missing: "the citation leads to no entry",
};

export function problemsOf(problems, resolution) {
  const lines = problems.map((problem) => h("li", { class: problem.severity, title: problem.kind, dir: "auto" }, problem.message));
  if (!problems.length && RESOLUTIONS[resolution]) lines.push(h("li", { class: "warning" }, RESOLUTIONS[resolution]));
  return lines.length ? h("ul", { class: "problems", "aria-label": "Problems of this entry" }, lines) : null;
}

function abstention(answer, documents) {
  const nearest = answer.passages.filter((passage) => passage.kind !== "about").slice(0, 5).map((passage) => {
    const document = documents.get(passage.document_id);
    return h("li", {},
      h("blockquote", { dir: "auto" },
        h("a", { href: placeOf(passage.document_id, passage.start, passage.end) }, shorten(passage.text, 260))),
      h("p", { class: "where muted", dir: "auto" }, [document?.title, passage.section].filter(Boolean).join(", ")));
  });
  return [
    h("p", { class: "abstained" }, "The sources do not answer this."),
    nearest.length
      ? h("section", { class: "sources nearest", "aria-labelledby": "nearest-title" },
          h("h3", { id: "nearest-title" }, "The nearest passages, so that you can judge for yourself"), h("ul", {}, nearest))
      : h("p", { class: "muted" }, "Nothing in them comes near the question."),
  ];
}

// What can be done with an answer: copied and exported with references in a style of one's choice.
function colophon(answer, documents) {
  const told = h("span", { role: "status", class: "muted" });
  const tell = (text) => {
    told.textContent = text;
    setTimeout(() => { told.textContent = ""; }, 2500);
  };
  const take = async (form) => {
    try {
      return await exported(wire(answer), form, chosenStyle());
    } catch (problem) {
      tell(problem.message);
      return null;
    }
  };
  const copy = async () => {
    const text = await take("text");
    if (!text) return;
    await navigator.clipboard.writeText(await text.text());
    tell("Copied");
  };
  const save = (form, name, suffix) =>
    h("button", { type: "button", class: "quiet", onclick: async () => {
      const file = await take(form);
      if (file) download(`answer.${suffix}`, file);
    } }, name);
  const style = h("select", { "aria-label": "Style of the references", onchange: async (event) => {
    setStyle(event.target.value);
    await restyle(answer);
    renderAnswer(answer, documents, { complete: true });
    byId("answer").querySelector(".colophon select")?.focus();
  } }, STYLES.map(([name, label]) => h("option", { value: name, selected: name === chosenStyle() }, label)));
  const total = Object.values(answer.timings_ms ?? {}).reduce((sum, ms) => sum + ms, 0);
  return h("footer", { class: "colophon" },
    h("div", { class: "actions" },
      h("button", { type: "button", class: "quiet", onclick: copy }, "Copy with references"),
      answer.references.length ? style : null,
      h("span", { class: "take" }, save("markdown", "Markdown", "md"), save("docx", "Word", "docx"),
        answer.references.length ? save("bibtex", "BibTeX", "bib") : null),
      told),
    h("p", { class: "muted" },
      ["abstained", "found"].includes(answer.status) ? "" : `${supported(answer)} · `,
      `${answer.generator} · ${count(answer.passages.length, "passage")} read`,
      total ? ` in ${Math.round(total)} ms` : "", " · index ",
      h("a", { href: "#index", title: `manifest ${answer.index.manifest_sha256}` }, `${answer.index.collection}, ${when(answer.index.built_at)}`)));
}

// The answer as the service gave it, without what the page has added.
const wire = ({ typed, ...answer }) => answer;

// The entries of an answer in the style chosen now.
async function restyle(answer) {
  const ids = answer.references.map((reference) => reference.id);
  if (!ids.length) return;
  const { references } = await get("/v1/references", { id: ids, style: chosenStyle(), collection: answer.index.collection });
  const formatted = new Map(references.map((reference) => [reference.id, reference.formatted]));
  for (const reference of answer.references) reference.formatted = formatted.get(reference.id) ?? reference.formatted;
}

function supported(answer) {
  const good = answer.sentences.filter((sentence) => sentence.verdict === "supported").length;
  const all = answer.sentences.length;
  if (good === all) return all === 1 ? "The sentence is supported by its source" : `All ${all} sentences are supported by their sources`;
  return `${good} of ${count(all, "sentence")} supported in full`;
}
