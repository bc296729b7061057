// A job as one line: how far it is, what came of it, and a way to stop it.

import { remove } from "./api.js";
import { h, replace } from "./dom.js";
import { count } from "./text.js";

const STAGES = { fetching: "fetching", reading: "reading", embedding: "embedding", indexing: "indexing", checking: "checking", publishing: "publishing" };

export function jobLine(line, name, job) {
  const { progress } = job;
  if (job.status === "queued" || job.status === "running") {
    const label = progress ? `${STAGES[progress.stage] ?? progress.stage} ${progress.done} of ${progress.total}` : job.status;
    replace(line, h("span", {}, `${name}: ${label} `),
      h("progress", { max: progress?.total || 1, value: progress ? progress.done : null, "aria-label": label }),
      h("button", { type: "button", class: "quiet", onclick: () => remove(`/v1/jobs/${encodeURIComponent(job.id)}`) }, "Stop"));
    return;
  }
  const left = [
    ...(job.report?.stale ?? []).map((one) => `${one.source} is kept as it was read before: ${one.reason}`),
    ...(job.report?.skipped ?? []).map((one) => `${one.source} was skipped: ${one.reason}`),
  ];
  replace(line, h("span", { class: job.status === "failed" ? "error" : "" }, `${name}: ${outcome(job)}`),
    left.length ? h("ul", {}, left.map((said) => h("li", { dir: "auto" }, said))) : null);
}

function outcome(job) {
  if (job.status === "failed") return job.problem?.detail ?? "failed";
  if (job.status === "cancelled") return "stopped; the live generation stays as it was";
  const { report } = job;
  if (report.unchanged) return "nothing had changed, nothing was embedded";
  return `done in ${report.seconds.toFixed(1)} s: ${count(report.documents, "document")}, ${count(report.embedded, "text")} embedded, ${report.reused} reused`;
}
