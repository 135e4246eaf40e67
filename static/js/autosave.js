// <form data-autosave[="address"]> is sent as you type, a moment after you pause. Until the server says it has the
// text, a copy stays in this browser. The server answers 2xx with JSON {saved_at: "14:05", fields: {name: value}}
// ("fields" renews hidden fields such as the version), 409 stale, 422 refused, 401/403 signed out.
import { markSaved } from "./forms.js";

const PAUSE = 1200;                       // ms after the last key
const RETRY = [3000, 8000, 20000, 60000]; // ms between attempts while the network is away

const started = new WeakSet();

export function startAutosave(root) {
  for (const form of root.querySelectorAll("form[data-autosave]")) {
    if (!started.has(form)) { started.add(form); new Autosave(form); }
  }
}

class Autosave {
  constructor(form) {
    this.form = form;
    this.status = form.querySelector("[data-saved-status]");
    this.key = `wujian:${location.pathname}#${form.id || form.getAttribute("name") || "form"}`;
    this.timer = 0; this.failures = 0; this.edits = 0; this.busy = false; this.stopped = false;
    form.addEventListener("input", () => this.typed());
    form.addEventListener("change", () => this.typed());
    form.addEventListener("submit", () => { clearTimeout(this.timer); this.stopped = true; });
    window.addEventListener("online", () => this.pending() && this.send());
    window.addEventListener("pageshow", () => { this.stopped = false; });
    document.addEventListener("visibilitychange", () => document.hidden && this.pending() && this.send());
    this.offerOld();
  }

  values() {
    const kept = [];
    for (const field of this.form.elements) {
      if (!field.name || ["password", "file", "submit", "button", "hidden"].includes(field.type)) continue;
      if ("noAutosave" in field.dataset) continue;
      if (field.type === "checkbox" || field.type === "radio") kept.push([field.name, field.value, field.checked]);
      else if (field.multiple) kept.push([field.name, [...field.selectedOptions].map((o) => o.value), null]);
      else kept.push([field.name, field.value, null]);
    }
    return kept;
  }

  pending() { return this.edits > 0 && !this.stopped; }

  keep() { try { localStorage.setItem(this.key, JSON.stringify(this.values())); } catch { /* a full or forbidden store costs only the copy */ } }
  forget() { try { localStorage.removeItem(this.key); } catch { /* as above */ } }
  kept() { try { return JSON.parse(localStorage.getItem(this.key)); } catch { return null; } }

  say(state, fill = {}) {
    if (!this.status) return;
    const words = { typing: "typing", saving: "saving", saved: "saved", failed: "failed", refused: "refused", stale: "stale", out: "signedOut" }[state];
    this.status.dataset.state = ["typing", "saving", "saved"].includes(state) ? state : "failed";
    this.status.textContent = (this.status.dataset[words] || "").replace("{time}", fill.time || "");
  }

  typed() {
    this.edits += 1;
    this.keep();
    this.say("typing");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), PAUSE);
  }

  async send() {
    clearTimeout(this.timer);
    if (this.busy || this.stopped) return;
    this.busy = true;
    const edits = this.edits;
    this.say("saving");
    const body = new FormData(this.form);
    for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
    let answer = null;
    try {
      answer = await fetch(this.form.dataset.autosave || this.form.action, {
        method: "POST", body, credentials: "same-origin", redirect: "manual",
        headers: { "X-Autosave": "1", Accept: "application/json", "X-CSRFToken": body.get("csrf_token") || "" },
      });
    } catch { /* no network: handled below as no answer */ }
    this.busy = false;
    if (answer?.ok) await this.saved(answer, edits);
    else if (answer && (answer.status === 401 || answer.status === 403 || answer.type === "opaqueredirect")) this.say("out");
    else if (answer?.status === 409) { this.stopped = true; this.say("stale"); }
    else if (answer?.status === 422 || answer?.status === 400) this.say("refused");
    else {
      this.say("failed");
      this.timer = setTimeout(() => this.send(), RETRY[Math.min(this.failures, RETRY.length - 1)]);
      this.failures += 1;
    }
  }

  async saved(answer, edits) {
    this.failures = 0;
    const told = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
    for (const [name, value] of Object.entries(told.fields || {})) {
      const field = this.form.elements.namedItem(name);
      if (field && field.type === "hidden") field.value = value;
    }
    if (edits !== this.edits) { this.timer = setTimeout(() => this.send(), PAUSE); return; }
    this.edits = 0;
    this.forget();
    markSaved(this.form);
    const now = new Date();
    this.say("saved", { time: told.saved_at || now.toTimeString().slice(0, 5) });
  }

  // Text of an earlier visit that never arrived: offered, never forced.
  offerOld() {
    const old = this.kept();
    const bar = this.form.querySelector("[data-restore]");
    // An empty cell says nothing: a table typed by hand offers other empty lines after each save.
    const told = (kept) => JSON.stringify(kept.filter(([, value]) => value !== ""));
    if (!old || told(old) === told(this.values())) { this.forget(); return; }
    if (!bar) return;
    bar.hidden = false;
    bar.querySelector("[data-restore-yes]").addEventListener("click", () => { this.put(old); bar.hidden = true; this.typed(); });
    bar.querySelector("[data-restore-no]").addEventListener("click", () => { this.forget(); bar.hidden = true; });
  }

  put(values) {
    const seen = {};
    for (const [name, value, checked] of values) {
      const all = [...this.form.elements].filter((field) => field.name === name && field.type !== "hidden");
      if (checked !== null) {
        const box = all.find((field) => field.value === value);
        if (box) box.checked = checked;
        continue;
      }
      const field = all[seen[name] || 0];
      seen[name] = (seen[name] || 0) + 1;
      if (!field) continue;
      if (Array.isArray(value)) for (const option of field.options) option.selected = value.includes(option.value);
      else field.value = value;
    }
  }
}
