// The documents of a collection: what there is, adding by dropping files, removing.

import { fetchAddress, follow, get, remove, upload } from "./api.js";
import { announce, byId, h, notice, replace } from "./dom.js";
import { jobLine } from "./jobs.js";
import { bylineOf, count } from "./text.js";

// The names the service takes: one folder's, that can be no path.
export const COLLECTION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export async function showDocuments(changed = () => {}) {
  const view = byId("view-documents");
  const title = h("h1", { id: "documents-title" }, "Documents");
  let list = { documents: [] };
  let index = null;
  let trouble = null;
  try {
    [list, index] = await Promise.all([get("/v1/documents"), get("/v1/index")]);
  } catch (problem) {
    trouble = notice("error", problem.message);
  }
  const jobs = h("ul", { class: "jobs", "aria-label": "Work in progress" });
  const again = async () => {
    await changed();
    const lines = [...jobs.children];
    await showDocuments(changed);
    byId("view-documents").querySelector(".jobs").append(...lines);
  };
  replace(view, title,
    h("p", { class: "muted" }, count(list.documents.length, "document")),
    trouble,
    h("ul", { class: "documents" }, list.documents.map((source) => item(source, jobs, again))),
    leftOut(index),
    dropZone(jobs, again), byAddress(jobs, again), jobs,
    h("p", {}, h("button", { type: "button", class: "quiet", onclick: begin }, "Begin a new collection")));
}

// What lies in the folder and is not in the index, each with its reason.
function leftOut(index) {
  const skipped = index?.manifest?.skipped ?? [];
  return skipped.length ? h("section", { class: "left-out", "aria-labelledby": "left-out-title" },
    h("h2", { id: "left-out-title" }, "Left out"),
    h("ul", {}, skipped.map((one) => h("li", { dir: "auto" }, h("span", { class: "title" }, one.source), h("span", { class: "muted" }, ` ${one.reason}`))))) : null;
}

// A page or a file of the web, fetched by the service.
function byAddress(jobs, again) {
  const box = h("input", { id: "address", type: "url", required: true, placeholder: "https://", inputmode: "url", autocomplete: "off" });
  return h("form", { class: "by-address", onsubmit: (event) => {
    event.preventDefault();
    const address = box.value.trim();
    box.value = "";
    work(address, jobs, () => fetchAddress(address), again);
  } }, h("label", { for: "address" }, "Or fetch one from the web"), h("span", { class: "field" }, box, h("button", {}, "Fetch")));
}

// A collection begins with its first file: the page only goes to its name.
function begin() {
  const name = h("input", { id: "collection-name", name: "name", required: true, pattern: "[A-Za-z0-9][A-Za-z0-9._\\-]{0,99}", autocomplete: "off" });
  const dialog = h("dialog", { "aria-labelledby": "begin-title" },
    h("h2", { id: "begin-title" }, "Begin a new collection"),
    h("form", { method: "dialog", onsubmit: () => { if (COLLECTION.test(name.value)) location.href = `/?collection=${encodeURIComponent(name.value)}#documents`; } },
      h("p", {}, h("label", { for: "collection-name" }, "Its name, in letters, digits, dots and dashes "), name),
      h("div", { class: "actions" },
        h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), h("button", {}, "Begin"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function item(source, jobs, again) {
  return h("li", {},
    h("div", {},
      h("a", { class: "title", href: `#document/${encodeURIComponent(source.id)}`, dir: "auto" }, source.title ?? source.source),
      h("p", { class: "muted", dir: "auto" },
        [source.state === "stale" ? "as it was read before" : null, bylineOf({ ...source, title: null }), source.source, source.language, source.problems.length ? count(source.problems.length, "problem") : null]
          .filter(Boolean).filter((value, i, all) => all.indexOf(value) === i).join(" · "))),
    h("button", { type: "button", class: "quiet", "aria-label": `Remove ${source.title ?? source.source}`, onclick: () => ask(source, jobs, again) }, "Remove"));
}

// Removing deletes a file: the page asks first, in its own dialog.
function ask(source, jobs, again) {
  const dialog = h("dialog", { "aria-labelledby": "remove-title" },
    h("h2", { id: "remove-title" }, "Remove this document?"),
    h("p", { dir: "auto" }, `“${source.title ?? source.source}” and its file ${source.source} will be deleted from the collection.`),
    h("form", { method: "dialog", class: "actions" },
      h("button", { value: "keep" }, "Keep it"),
      h("button", { value: "remove", class: "danger" }, "Remove")));
  dialog.addEventListener("close", async () => {
    dialog.remove();
    if (dialog.returnValue === "remove") await work(source.title ?? source.source, jobs, () => remove(`/v1/documents/${encodeURIComponent(source.id)}`), again);
  });
  document.body.append(dialog);
  dialog.showModal();
}

async function work(name, jobs, start, again) {
  const line = h("li", { dir: "auto" }, `${name}: sending…`);
  jobs.append(line);
  try {
    const last = await follow(await start(), (job) => jobLine(line, name, job));
    announce(`${name}: ${last.status}`);
    if (last.status === "succeeded") await again();
  } catch (problem) {
    replace(line, h("span", { class: "error" }, `${name}: ${problem.message}`));
    announce(`${name}: ${problem.message}`);
  }
}

function dropZone(jobs, again) {
  const add = async (files) => {
    for (const file of files) await work(file.name, jobs, () => upload(file), again);
  };
  const input = h("input", { type: "file", id: "files", multiple: true, onchange: () => add([...input.files]) });
  const zone = h("div", { class: "drop" },
    h("label", { for: "files" }, "Add documents or bibliographies: drop files here, or choose them"), input);
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    add([...event.dataTransfer.files]);
  });
  return zone;
}
