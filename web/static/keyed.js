// Shared by the pages that need a key. A classic script, loaded before the page's module: an import could not name
// this file's URL, which carries its digest.
"use strict";

globalThis.keyed = (() => {
  const find = (selector, within = document) => within.querySelector(selector);
  const W = JSON.parse(document.body.dataset.words);
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // Words of a shop or a merchant may be Arabic or Hebrew: each of these elements runs the way that its own words do.
  const WORDED = new Set(["a", "button", "dd", "dt", "h3", "input", "label", "option", "p", "small", "span", "strong", "summary", "td", "th"]);

  function make(tag, props = {}, ...children) {
    const { data, ...rest } = props;
    const made = Object.assign(document.createElement(tag), WORDED.has(tag) ? { dir: "auto" } : {}, rest);
    Object.assign(made.dataset, data);
    made.append(...children.filter((one) => one !== null && one !== undefined && one !== false));
    return made;
  }

  class Left extends Error {}   // the key was removed, or changed, during its request

  // The form #door and the button #leave. The key is stored in this tab alone, as `name`, and sent as a header. `unlock`
  // shows the page and calls keep() once the key is accepted; `lock` hides and clears it; `refused` returns the message for
  // a status of 401 or 403; `say(text, bad)` shows a message.
  function door({ name, unlock, lock, refused, say, entered = () => {} }) {
    let key = sessionStorage.getItem(name) ?? "";

    function leave() {
      key = "";
      sessionStorage.removeItem(name);
      find("#door").hidden = false;
      lock();
    }

    // `refusals` are statuses that the caller answers itself.
    async function fetched(address, { refusals = [], ...options } = {}) {
      const mine = key;
      for (;;) {
        let answer;
        try {
          answer = await fetch(address, { ...options, headers: { ...options.headers, Authorization: `Bearer ${key}`, "Accept-Language": document.documentElement.lang }, credentials: "omit", cache: options.cache ?? "no-store" });
        } catch {
          throw new Error(W.unreachable);
        }
        if (key !== mine) throw new Left();
        if (answer.status === 429) {
          await new Promise((done) => setTimeout(done, 1000 * (Number(answer.headers.get("Retry-After")) || 1)));
          continue;
        }
        if (answer.ok || refusals.includes(answer.status)) return answer;
        if (answer.status === 401 || answer.status === 403) {
          leave();
          throw new Error(refused(answer.status));
        }
        const body = await answer.json().catch(() => null);
        const own = body?.error ? `${body.error.message} ${body.error.hint}`.trim() : "";
        throw new Error([W[`error_${answer.status}`], own].filter(Boolean).join(" ") || W.unreachable);
      }
    }

    async function getJson(path, options) {
      const mine = key, value = await (await fetched(`/api/v1/${path}`, options)).json();
      if (key !== mine) throw new Left();
      return value;
    }

    const send = (path, value, method = "POST") => getJson(path, { method, body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

    // Use the server's name of the file: the encoded one if it is there, else the ASCII one.
    async function download(path) {
      const answer = await fetched(`/api/v1/${path}`), disposition = answer.headers.get("Content-Disposition") ?? "";
      const [, plain = ""] = /filename="([^"]*)"/.exec(disposition) ?? [], [, whole = ""] = /filename\*=UTF-8''([^;]+)/.exec(disposition) ?? [];
      const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: decodeURIComponent(whole) || plain });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }

    // Run `work` with its button disabled, and show its error.
    async function attempt(work, button = null) {
      if (button) button.disabled = true;
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Left)) say(error.message, true);
        return null;
      } finally {
        if (button) button.disabled = false;
      }
    }

    function keep() {
      sessionStorage.setItem(name, key);
      find("#door").hidden = true;
    }

    // Call it last, when all of the page's scripts have loaded.
    function open() {
      find("#door").addEventListener("submit", (event) => {
        event.preventDefault();
        key = find("#key").value.trim();
        find("#key").value = "";
        attempt(unlock, event.submitter).then(() => { if (key) entered(); });
      });
      find("#leave").addEventListener("click", () => { leave(); say(""); find("#key").focus(); });
      if (key) attempt(unlock);
    }

    return { fetched, getJson, send, download, attempt, keep, open };
  }

  return { find, W, filled, make, door };
})();
