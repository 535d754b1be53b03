// The search by voice of the shop's pages: what `voice.js` needs of a page, and what it does there. `voice_page.js` loads it.
"use strict";

const voiceSearch = (() => {
  const find = (selector, within = document) => within.querySelector(selector);

  // `name` is that of what was said in this tab's storage, which `stored` and `spokenHere` read.
  function start({ button, form, box, messages, fail, stored, spokenHere, name }) {
    const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
    const search = new voice.Voice({
      button, accept, fail,
      t: (key, values = {}) => filled(messages[key], values),
      answer: () => answer(messages, filled),
      mode: button.dataset.mode,
      unproved: "unproved" in button.dataset,
      language: document.documentElement.lang === "zh-Hans" ? "zh-CN" : document.documentElement.lang,
      worklet: button.dataset.worklet,
      address: "/api/v1/speech",
      headers: {},
      announce: (text) => { find("#announce").textContent = text; },
    });
    find(".box", form).after(search.panel);
    find("#results").before(search.result);

    let result = null;            // of this page

    function accept(found) {
      searchFor(found, found.readings[0]);
    }

    function searchFor(found, text) {
      result = found;
      store({ ...found, text, fresh: true });
      search.hide();
      box.value = text;
      find(".clear", form).hidden = false;
      form.requestSubmit();
    }

    function show({ text, fresh, ...found }) {
      result = found;
      search.show(found, text, (reading) => searchFor(found, reading));
      if (!fresh) return;
      store({ ...found, text });  // read aloud once, not again when this page is opened again
      search.read();
    }

    function store(found) {
      try {
        sessionStorage.setItem(name, JSON.stringify(found));
      } catch {                     // no storage: the words are searched for, and nothing offers other readings
      }
    }

    // Words that are searched for together with a photo are answered in this page.
    document.addEventListener("replaced", () => {
      const found = stored();
      if (found?.fresh) show(found);
      else if (result && box.value.trim() !== found?.text) search.hide();
    });
    const found = spokenHere();
    if (found) show(found);
  }

  // The answer in short: what kind of answer, or how many products, and the first.
  function answer(messages, filled) {
    const results = find("#results"), card = find(".grid > .card", results);
    const verdict = find(".verdict, .empty h2", results)?.textContent.trim();
    const first = card && filled(messages.voice_first, { title: find("h3", card).textContent.trim().replace(/\s+/g, " "), price: priceOn(card) });
    const count = "total" in results.dataset ? filled(messages.voice_count, { count: Number(results.dataset.total).toLocaleString(document.documentElement.lang) }) : "";
    return [verdict || count, first].filter(Boolean).join(" ");
  }

  // The price without its labels, the price before and the discount, which have elements of their own.
  function priceOn(card) {
    const parts = [...find(".price", card)?.childNodes ?? []].filter((part) => part.nodeType === Node.TEXT_NODE);
    return parts.map((part) => part.textContent).join("").trim();
  }

  return { start };
})();
