// Signing in with an API key, where the service asks for one, and signing out.

import { byId, h, replace } from "./dom.js";

// Ask for a key until one is taken; then the page begins anew. Never returns, else whatever waits would go on without.
export function signIn() {
  return new Promise(() => {
    const key = h("input", { id: "key", type: "password", required: true, autocomplete: "current-password", spellcheck: "false" });
    const told = h("p", { role: "alert", class: "error" });
    const form = h("form", {},
      h("p", {}, h("label", { for: "key" }, "This service asks for an API key. Whoever runs it makes one with "), h("code", {}, "adfontes keys add"), "."),
      key, told, h("div", { class: "actions" }, h("button", { class: "primary" }, "Sign in")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await fetch("/v1/session", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ key: key.value }),
      });
      if (answer.ok) location.reload();
      else told.textContent = (await answer.json().catch(() => ({}))).detail ?? "The key was not taken.";
    });
    const dialog = h("dialog", { "aria-labelledby": "sign-in-title", class: "sign-in" }, h("h2", { id: "sign-in-title" }, "Sign in"), form);
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
  });
}

// Whose key the page uses, with a way out; nothing where no key is needed.
export async function showSession() {
  const session = await fetch("/v1/session").then((answer) => answer.json()).catch(() => ({}));
  const place = byId("session");
  place.hidden = !session.name;
  if (!session.name) return;
  const out = h("button", { type: "button", class: "quiet", onclick: async () => {
    await fetch("/v1/session", { method: "DELETE" });
    location.href = "/";
  } }, "Sign out");
  replace(place, h("span", { class: "muted", dir: "auto" }, session.name), " ", out);
}
