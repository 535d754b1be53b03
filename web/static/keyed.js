// What the pages behind a key share. A classic script: the page's module comes after it, and an import could not name
// the address with this file's digest.
"use strict";

globalThis.keyed = (() => {
  const find = (selector, within = document) => within.querySelector(selector);
  const W = JSON.parse(document.body.dataset.words);
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function make(tag, props = {}, ...children) {
    const { data, ...rest } = props;
    const made = Object.assign(document.createElement(tag), rest);
    Object.assign(made.dataset, data);
    made.append(...children.filter((one) => one !== null && one !== undefined && one !== false));
    return made;
  }

  class Left extends Error {}   // the key was forgotten, or changed, while its request was under way

  // The form #door and the button #leave; the key is kept in this tab alone, as `name`, and sent as a header. `unlock` shows
  // the page and calls keep() once the key is known to fit, `lock` hides and clears it; `refused` says what is wrong with a
  // key by the status of the answer, `say(text, bad)` says anything.
  function door({ name, unlock, lock, refused, say, entered = () => {} }) {
    let key = sessionStorage.getItem(name) ?? "";

    function leave() {
      key = "";
      sessionStorage.removeItem(name);
      find("#door").hidden = false;
      lock();
    }

    async function fetched(address, options = {}) {
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
        if (answer.ok) return answer;
        if (answer.status === 401 || answer.status === 403) {
          leave();
          throw new Error(refused(answer.status));
        }
        const told = await answer.json().catch(() => null);
        const own = told?.error ? `${told.error.message} ${told.error.hint}`.trim() : "";
        throw new Error([W[`error_${answer.status}`], own].filter(Boolean).join(" ") || W.unreachable);
      }
    }

    async function told(path, options) {
      const mine = key, value = await (await fetched(`/api/v1/${path}`, options)).json();
      if (key !== mine) throw new Left();
      return value;
    }

    const send = (path, value, method = "POST") => told(path, { method, body: JSON.stringify(value), headers: { "Content-Type": "application/json" } });

    // Under the name that the server gives the file: whole where it says so, else in plain characters.
    async function download(path) {
      const answer = await fetched(`/api/v1/${path}`), said = answer.headers.get("Content-Disposition") ?? "";
      const [, plain = ""] = /filename="([^"]*)"/.exec(said) ?? [], [, whole = ""] = /filename\*=UTF-8''([^;]+)/.exec(said) ?? [];
      const link = make("a", { href: URL.createObjectURL(await answer.blob()), download: decodeURIComponent(whole) || plain });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }

    // Do something, once at a time for its button, and say what went wrong.
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

    // Called last: by then all of the page's script is there.
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

    return { fetched, told, send, download, attempt, keep, open };
  }

  return { find, W, filled, make, door };
})();
