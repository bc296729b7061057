// The quote that appears beside a citation while the pointer or the focus is on it.

import { byId, h, replace } from "./dom.js";

export function showTip(anchor, quote, who) {
  const tip = replace(byId("tip"), h("span", { class: "quote", dir: "auto" }, `“${quote}”`), h("span", { class: "muted" }, who));
  tip.hidden = false;
  anchor.setAttribute("aria-describedby", "tip");
  const at = anchor.getBoundingClientRect();
  const width = tip.offsetWidth;
  const left = Math.min(Math.max(8, at.left - width / 3), document.documentElement.clientWidth - width - 8);
  const below = at.bottom + 8 + tip.offsetHeight < innerHeight;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${below ? at.bottom + 8 : Math.max(8, at.top - tip.offsetHeight - 8)}px`;
}

export function hideTip() {
  byId("tip").hidden = true;
  for (const anchor of document.querySelectorAll("[aria-describedby=tip]")) anchor.removeAttribute("aria-describedby");
}
