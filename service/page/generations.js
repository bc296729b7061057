// The state of the index: the live generation, how it was made, the earlier ones, and rebuilding.

import { follow, get, post } from "./api.js";
import { announce, byId, h, notice, replace } from "./dom.js";
import { jobLine } from "./jobs.js";
import { count, when } from "./text.js";

export async function showIndex(changed = () => {}) {
  const view = byId("view-index");
  const title = h("h1", { id: "index-title" }, "Index");
  let index;
  try {
    index = await get("/v1/index");
  } catch (problem) {
    replace(view, title, notice("error", problem.message));
    return;
  }
  const line = h("p", { class: "jobs", role: "status" });
  const again = async () => {
    await changed();
    await showIndex(changed);
  };
  const rebuild = h("button", { type: "button", onclick: async () => {
    rebuild.disabled = true;
    try {
      const last = await follow(await post("/v1/index/rebuild", {}), (job) => jobLine(line, "Rebuild", job));
      announce(`Rebuild ${last.status}`);
      if (last.status === "succeeded") {
        await again();
        jobLine(byId("view-index").querySelector(".jobs"), "Rebuild", last);
      }
    } catch (problem) {
      replace(line, h("span", { class: "error" }, problem.message));
    } finally {
      rebuild.disabled = false;
    }
  } }, "Rebuild");
  const live = index.generations.find((generation) => generation.current);
  replace(view, title,
    live ? state(index, live) : notice("caution", "Nothing has been indexed yet."),
    h("div", { class: "bar" }, rebuild, h("span", { class: "muted" }, "Questions are answered from the live generation until the new one is ready.")),
    line,
    h("h2", {}, "Generations"),
    h("ol", { class: "generations", reversed: true }, index.generations.map((generation) => row(generation, line, again))));
}

function state(index, live) {
  const { manifest } = index;
  const encoder = manifest?.encoder;
  const counts = manifest?.counts ?? {};
  const rows = [
    ["Collection", index.collection],
    ["Generation", live.id],
    ["Built", when(live.built_at)],
    ["Holds", [count(live.documents, "document"), count(counts.references ?? 0, "reference"), count(counts.mentions ?? 0, "citation in the text", "citations in the text"), count(live.chunks, "passage")].join(", ")],
    ["Encoder", encoder ? `${encoder.name} (${encoder.dimension} dimensions)` : null],
    ["Manifest", h("code", { title: live.manifest_sha256 }, live.manifest_sha256.slice(0, 16))],
  ].filter(([, value]) => value);
  return h("dl", { class: "about" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function row(generation, line, again) {
  const back = async () => {
    try {
      await post("/v1/index/rollback", { generation: generation.id });
      announce(`Generation ${generation.id} is live again`);
      await again();
    } catch (problem) {
      replace(line, h("span", { class: "error" }, problem.message));
    }
  };
  return h("li", { class: generation.current ? "current" : null },
    h("span", {}, h("code", {}, generation.id), h("span", { class: "muted" }, ` ${when(generation.built_at)}, ${count(generation.chunks, "passage")}`)),
    generation.current ? h("strong", {}, "live") : h("button", { type: "button", class: "quiet", onclick: back }, "Make live"));
}
