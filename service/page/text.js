// Small facts about text: code points and UTF-16, names and years of references, dates.

// The service counts Unicode code points, JavaScript counts UTF-16 units: a function from one to the other.
export function unitsOf(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (offset) => offset;
  const units = [0];
  for (const character of text) units.push(units[units.length - 1] + character.length);
  return (offset) => units[Math.min(offset, units.length - 1)];
}

export function slice(text, start, end) {
  const at = unitsOf(text);
  return text.slice(at(start), at(end));
}

export function shorten(text, length) {
  if (text.length <= length) return text;
  const cut = text.slice(0, length);
  return cut.slice(0, Math.max(cut.lastIndexOf(" "), length - 20)).trimEnd() + "…";
}

// "Deng (2024)", "Tho and Gan (2023)", "Huang et al. (2023)", as a text would name the work.
export function shortName(csl) {
  const people = csl.author ?? csl.editor ?? [];
  const names = people.map((p) => p.literal ?? [p["non-dropping-particle"], p.family].filter(Boolean).join(" ") ?? p.given);
  const who =
    names.length === 0 ? (csl.title ? `“${shorten(csl.title, 40)}”` : "Unnamed work")
    : names.length === 1 ? names[0]
    : names.length === 2 ? `${names[0]} and ${names[1]}`
    : `${names[0]} et al.`;
  return `${who} (${yearOf(csl)})`;
}

export function yearOf(csl) {
  const year = csl.issued?.["date-parts"]?.[0]?.[0] ?? csl.issued?.literal ?? csl.issued?.raw;
  return year === undefined || year === null ? "n.d." : `${year}${csl["year-suffix"] ?? ""}`;
}

// "Pietro Damiani (2024)", else the title: who says what a document says.
export function bylineOf(document) {
  const names = (document?.authors ?? []).map((author) => author.name);
  if (!names.length) return document?.title ?? document?.source ?? "the document";
  const who = names.length > 3 ? `${names[0]} et al.` : names.join(names.length === 2 ? " and " : ", ");
  return document.date ? `${who} (${document.date.slice(0, 4)})` : who;
}

export function when(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(date);
}

export const count = (n, one, many = `${one}s`) => `${n.toLocaleString()} ${n === 1 ? one : many}`;
