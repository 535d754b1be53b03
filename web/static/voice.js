// Search by voice: the button, the panel while somebody speaks, what was heard, and answers read aloud. Shared by the pages,
// which load it with recorder.js when somebody wants to speak, and by the embedded search, which contains both.
"use strict";

const voice = (() => {
  const SURE = 0.5;             // a confidence below asks whether the words are right
  const BARS = 5;               // of the level meter
  const QUIET = -50, LOUD = -14;   // decibels of its ends
  const CALM = 400;             // milliseconds between its changes for somebody who wants little motion
  const TRIES = 3;              // of a recording that the shop is too busy for
  const SETTLED = 400;          // milliseconds after which a screen reader follows a page that is new
  const AGREED = "windowshop-voice", ALOUD = "windowshop-aloud";   // what the browser remembers

  function make(tag, props = {}, ...children) {
    const { attributes = {}, ...rest } = props;
    const made = Object.assign(document.createElement(tag), rest);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children.filter(Boolean));
    return made;
  }

  function remembered(name) {
    try {
      return localStorage.getItem(name) === "yes";
    } catch {                   // storage is not allowed
      return false;
    }
  }

  function remember(name, yes) {
    try {
      if (yes) localStorage.setItem(name, "yes");
      else localStorage.removeItem(name);
    } catch {
    }
  }

  const REFUSALS = { 413: "voice_too_long", 429: "voice_busy", 501: "voice_unavailable", 503: "voice_busy" };

  // `host` has: mode and language; `unproved`, whether nobody has measured how well that language is recognised; `worklet`,
  // `address`, `headers`: where the shop is; `button`; t(key, values), announce(text), fail(text), accept(result) and
  // answer(), which returns the text to read aloud. `panel` and `result` are elements for the host to place.
  class Voice {
    constructor(host) {
      Object.assign(this, { host, state: "idle", running: null, taking: null, drawn: 0 });
      const t = host.t;
      this.text = make("p", { className: "voice-state" });
      this.bars = Array.from({ length: BARS }, () => make("span"));
      this.meter = make("span", { className: "voice-level", attributes: { "aria-hidden": "true" } }, ...this.bars);
      this.interim = make("p", { className: "voice-interim", dir: "auto" });
      this.hint = make("p", { className: "voice-hint" });
      this.go = make("button", { type: "button", className: "pill primary" });
      this.stop = make("button", { type: "button", className: "pill", textContent: t("voice_cancel"), title: "Esc" });
      this.panel = make("div", { className: "voice-panel", hidden: true, attributes: { role: "group", "aria-label": t("voice") } }, make("div", { className: "voice-line" }, this.meter, this.text), this.interim, this.hint, make("p", { className: "voice-buttons" }, this.go, this.stop));
      this.result = make("section", { className: "voice-result", hidden: true, attributes: { "aria-label": t("voice") } });
      this.name("voice");
      host.button.hidden = false;
      host.button.addEventListener("click", () => this.press());
      this.go.addEventListener("click", () => this.press());
      this.stop.addEventListener("click", () => this.cancel());
      document.addEventListener("keydown", (event) => this.key(event), true);
      document.addEventListener("visibilitychange", () => { if (document.hidden) this.cancel(); });
      addEventListener("pagehide", () => {
        this.cancel();
        globalThis.speechSynthesis?.cancel();
      });
    }

    // ---- the states: idle, notice, asking (for permission), listening, recognising

    press() {
      if (this.state === "idle" && this.host.mode === "browser" && !remembered(AGREED)) this.enter("notice");
      else if (this.state === "idle" || this.state === "notice") this.begin();
      else if (this.state === "listening") this.taking.stop();
      else this.cancel();
    }

    enter(state) {
      const t = this.host.t, browser = this.host.mode === "browser";
      const texts = { notice: t("voice_browser"), asking: t("voice_asking"), listening: t("voice_listening"), recognising: t("voice_recognising") };
      this.state = state;
      this.text.textContent = texts[state];
      this.interim.textContent = "";
      for (const bar of this.bars) bar.classList.remove("on");
      this.meter.hidden = state !== "listening" || browser;
      this.hint.hidden = state === "recognising" || state === "notice";
      this.hint.textContent = [t("voice_hint"), !browser && t("voice_privacy"), this.host.unproved && t("voice_unproved")].filter(Boolean).join(/^(zh|ja)/.test(this.host.language) ? "" : " ");
      this.go.textContent = t(state === "notice" ? "voice_continue" : "voice_stop");
      this.go.hidden = state !== "listening" && state !== "notice";
      this.panel.dataset.state = state;
      this.panel.hidden = false;
      this.host.button.classList.add("active");
      this.name(state === "listening" ? "voice_stop" : "voice_cancel");
      this.host.announce(texts[state]);
      if (state === "notice") this.go.focus();
      else if (state === "asking") this.host.button.focus();
    }

    leave() {
      Object.assign(this, { state: "idle", running: null, taking: null });
      this.panel.hidden = true;
      this.host.button.classList.remove("active");
      this.name("voice");
    }

    name(key) {
      this.host.button.title = this.host.t(key);
      this.host.button.setAttribute("aria-label", this.host.t(key));
    }

    async begin() {
      if (this.state === "notice") remember(AGREED, true);
      globalThis.speechSynthesis?.cancel();
      this.host.fail("");
      const mine = this.running = new AbortController();
      this.enter("asking");
      try {
        const answer = await (this.host.mode === "browser" ? this.dictated() : this.recorded(mine));
        if (this.running !== mine) return;
        if (!answer?.text) throw new recorder.Failure("voice_nothing");
        this.leave();
        this.host.accept(resultOf(answer));
      } catch (error) {
        if (this.running !== mine) return;
        this.leave();
        this.host.fail(this.host.t(error.word ?? "voice_failed"));
        this.host.button.focus();
      }
    }

    cancel() {
      if (this.state === "idle") return;
      const { running, taking } = this;
      this.leave();
      running?.abort();
      taking?.cancel();
      this.host.announce(this.host.t("voice_cancelled"));
      this.host.button.focus();
    }

    key(event) {
      if (globalThis.speechSynthesis?.speaking) speechSynthesis.cancel();
      if (this.state === "idle") return;
      const pressed = event.composedPath()[0];
      if (event.key === "Escape") this.cancel();
      else if (this.state === "listening" && ["Enter", " "].includes(event.key) && !pressed.closest?.("a, button, input, select, textarea")) this.taking.stop();
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    // ---- words from the shop, or from the browser

    started() {
      if (this.state === "asking") this.enter("listening");
    }

    async recorded(mine) {
      this.taking = recorder.record({ worklet: this.host.worklet, started: () => this.started(), level: (loudness) => this.level(loudness) });
      const file = await this.taking.finished;
      if (this.running !== mine || !file) return null;
      this.enter("recognising");
      const fields = new FormData();
      for (const [name, value] of Object.entries({ language: this.host.language, k: "0" })) fields.set(name, value);
      fields.set("audio", file, "speech.wav");
      for (let left = TRIES; ; left--) {
        const answer = await fetch(this.host.address, { method: "POST", body: fields, headers: this.host.headers, credentials: "omit", signal: mine.signal });
        if (answer.ok) return answer.json();
        if (answer.status !== 503 || left === 1) throw new recorder.Failure(REFUSALS[answer.status] ?? "voice_failed");
        await new Promise((done) => setTimeout(done, 1000 * (Number(answer.headers.get("Retry-After")) || 2)));
        if (this.running !== mine) return null;
      }
    }

    dictated() {
      this.taking = recorder.recognise({ language: this.host.language, started: () => this.started(), interim: (text) => { this.interim.textContent = text; } });
      return this.taking.finished;
    }

    // Lights the bars of the meter up to the level.
    level(loudness) {
      const now = performance.now();
      if (now - this.drawn < CALM && matchMedia("(prefers-reduced-motion: reduce)").matches) return;
      this.drawn = now;
      const share = (20 * Math.log10(loudness + 1e-9) - QUIET) / (LOUD - QUIET);
      this.bars.forEach((bar, at) => bar.classList.toggle("on", share > at / BARS));
    }

    // ---- what was heard, and the other readings of it

    // `text` is what is searched for now, one of the readings; `choose` searches for another one.
    show(result, text, choose) {
      const t = this.host.t, unsure = result.unsure && text === result.readings[0];
      const others = result.readings.filter((reading) => reading !== text);
      const chips = others.map((reading) => {
        const chip = make("button", { type: "button", className: "pill", textContent: reading, dir: "auto" });
        chip.addEventListener("click", () => choose(reading));
        return chip;
      });
      const said = t(unsure ? "voice_unsure" : "voice_said", { words: text });
      this.result.replaceChildren(...[
        make("p", { className: "voice-said", textContent: said, dir: "auto" }),
        chips.length && make("div", { className: "voice-readings", attributes: { role: "group", "aria-label": t("voice_did_you_say") } }, make("span", { textContent: t("voice_did_you_say") }), ...chips),
        this.host.unproved && make("p", { className: "voice-hint", textContent: t("voice_unproved") }),
        globalThis.speechSynthesis && this.aloud(),
      ].filter(Boolean));
      this.result.hidden = false;
      const spoken = [said, others.length && `${t("voice_did_you_say")} ${others.join(", ")}`].filter(Boolean).join(" ");
      setTimeout(() => this.host.announce(spoken), SETTLED);
    }

    hide() {
      this.result.hidden = true;
    }

    // ---- answers read aloud

    aloud() {
      const box = make("input", { type: "checkbox", checked: remembered(ALOUD) });
      box.addEventListener("change", () => {
        remember(ALOUD, box.checked);
        if (box.checked) this.read();
        else speechSynthesis.cancel();
      });
      return make("label", { className: "voice-aloud" }, box, make("span", { textContent: this.host.t("voice_aloud") }));
    }

    // Reads the answer aloud, where the shopper wants that.
    read() {
      if (!globalThis.speechSynthesis || !remembered(ALOUD)) return;
      const said = new SpeechSynthesisUtterance(this.host.answer());
      said.lang = this.host.language;
      speechSynthesis.cancel();
      speechSynthesis.speak(said);
    }
  }

  // The readings of an answer, best first: the words, others that sound alike, and what was heard before words of the shop
  // took the place of others.
  function resultOf({ text, alternatives = [], recognised = "", confidence }) {
    const plain = recognised.replace(/[.,!?。，！？]+$/u, "").trim().toLowerCase();
    const readings = [];
    for (const reading of [text, ...alternatives, plain]) if (reading && !readings.some((other) => other.toLowerCase() === reading.toLowerCase())) readings.push(reading);
    return { readings, unsure: confidence < SURE };
  }

  return { Voice };
})();
