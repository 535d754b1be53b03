// The staff's page of conversations: which wait, one of them with what the assistant understood, and an answer to it.
// Everything that customers write is set as text, never as markup.

const { find, W, filled, make } = globalThis.keyed;
const PAGE = 50;                // conversations shown at once
const LOOK = 20_000;            // milliseconds between looks for what is new
const SAID = 6000;              // milliseconds that good news stays
const LANGUAGE = document.documentElement.lang;
const PRIORITIES = ["normal", "high", "urgent"];
let listed = [], total = 0, shown = null, looking = 0, hushed = 0;

function say(text, bad = false) {
  const status = find("#said");
  clearTimeout(hushed);
  status.textContent = text;
  status.className = bad ? "bad" : "";
  if (text && !bad) hushed = setTimeout(() => { status.textContent = ""; }, SAID);
}

const { getJson, send, fetched, download, attempt, keep, open } = globalThis.keyed.door({
  name: "windowshop.key", unlock, lock, say,
  refused: () => { find("#key").focus(); return W.bad_key; },
  entered: () => (shown ? find("#thread-name") : find("#threads button") ?? find("#state")).focus(),
});

function lock() {
  clearTimeout(looking);
  [listed, total, shown] = [[], 0, null];
  for (const each of ["#threads", "#messages", "#facts", "#deliveries", "#thread-name", "#total"]) find(each).replaceChildren();
  find("#text").value = "";
  find("#desk").hidden = find("#leave").hidden = true;
  find("#reading").hidden = true;
}

async function unlock() {
  await list();
  keep();
  find("#desk").hidden = find("#leave").hidden = false;
  say("");
  const linked = decodeURIComponent(location.hash.slice(1));
  if (linked) await read(linked);
  watch();
}

// Look for new conversations and answers now and then, while nobody is typing a correction.
function watch() {
  clearTimeout(looking);
  looking = setTimeout(async () => {
    if (find("#desk").hidden) return;
    if (!document.hidden) {
      await attempt(async () => {
        await list(listed.length || PAGE);
        if (shown && !find("#reading").contains(document.activeElement)) await reread();
      });
    }
    watch();
  }, LOOK);
}

// ---- words

const name = (kind, value) => W[`${kind}_${value}`] ?? value;
const percent = (share) => new Intl.NumberFormat(LANGUAGE, { style: "percent" }).format(share);
const moment = (text) => new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));

const languages = new Intl.DisplayNames(LANGUAGE, { type: "language" });

function age(text) {
  const minutes = Math.max(0, Math.round((Date.now() - new Date(text)) / 60_000));
  const [n, unit] = minutes < 60 ? [minutes, "minute"] : minutes < 2880 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
  return new Intl.RelativeTimeFormat(LANGUAGE, { style: "short" }).format(-n, unit);
}

// ---- the list

async function list(k = PAGE) {
  const query = new URLSearchParams({ k: Math.min(k, 200) });
  for (const each of ["state", "queue", "priority"]) if (find(`#${each}`).value) query.set(each, find(`#${each}`).value);
  const page = await getJson(`threads?${query}`);
  [listed, total] = [page.threads, page.total];
  queues(page.counts);
  draw();
}

async function more() {
  const at = listed.length;
  await list(at + PAGE);
  find("#threads").children[at]?.querySelector("button").focus();
}

// The queues to choose from, each with the number of conversations that wait in it.
function queues(counts) {
  const chosen = find("#queue").value, waiting = new Map();
  for (const { queue, state, threads } of counts) waiting.set(queue, (waiting.get(queue) ?? 0) + (state === "waiting" ? threads : 0));
  const options = [...waiting].filter(([queue]) => queue).map(([queue, n]) => make("option", { value: queue, textContent: filled(W.queue_waiting, { name: name("queue", queue), n }) }));
  if (chosen && !waiting.has(chosen)) options.push(make("option", { value: chosen, textContent: name("queue", chosen) }));
  find("#queue").replaceChildren(make("option", { value: "", textContent: W.any }), ...options);
  find("#queue").value = chosen;
}

const tag = (text, kind = "") => make("span", { className: `tag ${kind}`, textContent: text });

function draw() {
  const focused = document.activeElement?.dataset?.id;
  find("#total").textContent = total ? filled(W.shown, { n: listed.length, all: total }) : W.none;
  find("#more").hidden = listed.length >= total || listed.length >= 200;
  find("#threads").replaceChildren(...listed.map((thread) => {
    const priority = PRIORITIES[thread.priority];
    const button = make("button", { type: "button", data: { id: thread.id } },
      make("span", { textContent: thread.excerpt || W.no_text }),
      make("span", { className: "marks" },
        tag(name("state", thread.state), thread.state),
        thread.priority > 0 && tag(name("priority", priority), priority),
        thread.delivery === "failed" && tag(W.not_sent, "failed"),
        thread.queue && make("span", { textContent: name("queue", thread.queue) }),
        make("span", { textContent: age(thread.changed) })));
    if (thread.id === shown?.id) button.ariaCurrent = "true";
    button.addEventListener("click", () => attempt(() => read(thread.id)));
    return make("li", {}, button);
  }));
  if (focused) find(`#threads button[data-id="${CSS.escape(focused)}"]`)?.focus();
}

// ---- one conversation

async function read(id) {
  if (shown && shown.id !== id) find("#text").value = "";
  show(await getJson(`threads/${encodeURIComponent(id)}`));
  history.replaceState(null, "", `#${encodeURIComponent(id)}`);
  draw();
  find("#thread-name").focus();
  find("#reading").scrollIntoView({ block: "nearest" });
}

const reread = async () => show(await getJson(`threads/${encodeURIComponent(shown.id)}`));

function show(answer) {
  const { thread, intents } = answer, { handover } = thread;
  shown = thread;
  find("#reading").hidden = false;
  find("#thread-name").textContent = handover ? filled(W.conversation_of, { reference: handover.reference }) : W.conversation;
  find("#close-thread").textContent = thread.state === "closed" ? W.reopen : W.close;
  find("#send-again").textContent = handover ? W.send_again : W.take_over;
  find("#send-again").hidden = Boolean(handover) && !handover.deliveries.some((each) => each.state !== "sent");
  find("#masked").hidden = !thread.masked;
  find("#answer-hint").textContent = handover?.email ? filled(W.answer_hint_mail, { email: handover.email }) : W.answer_hint;
  const facts = [
    [W.state, name("state", thread.state)],
    [W.queue, thread.queue && name("queue", thread.queue)],
    [W.priority, name("priority", PRIORITIES[thread.priority])],
    [W.reason, handover && name("reason", handover.reason)],
    [W.contact, handover && [handover.name, handover.email].filter(Boolean).join(" · ")],
    [W.order, handover?.order_number],
    [W.language, languages.of(thread.language)],
    [W.product, thread.product_id],
    [W.started, moment(thread.started)],
  ];
  find("#facts").replaceChildren(...facts.filter(([, text]) => text).flatMap(([label, text]) => {
    const shownText = label === W.product ? make("a", { href: `/products/${encodeURIComponent(text)}`, textContent: text }) : text;
    return [make("dt", { textContent: label }), make("dd", {}, shownText)];
  }));
  find("#deliveries").replaceChildren(...(handover?.deliveries ?? []).map((each) => make("li", {
    className: each.state, textContent: filled(W[`delivery_${each.state}`], { channel: name("channel", each.channel), at: each.sent_at ? moment(each.sent_at) : "", n: each.attempts, error: each.error ?? "" }),
  })));
  find("#messages").replaceChildren(...thread.messages.map((message) => drawn(message, intents)));
}

function drawn(message, intents) {
  const head = [name("role", message.role), message.author, moment(message.at)].filter(Boolean).join(" · ");
  const sources = (message.sources ?? []).map((source) => [source.title, source.text].filter(Boolean).join(": "));
  return make("li", { className: message.role },
    make("small", { textContent: head }),
    make("p", { className: "text", textContent: message.text ?? "" }),
    sources.length > 0 && make("details", { className: "sources" }, make("summary", { textContent: filled(W.sources, { n: sources.length }) }), make("ul", {}, ...sources.map((text) => make("li", { textContent: text })))),
    message.role === "customer" && correction(message, intents));
}

// What the assistant understood, and a form to set it right.
function correction(message, intents) {
  const fixed = message.corrected, understood = fixed?.intent ?? message.intent;
  const select = make("select", {}, make("option", { value: "", textContent: W.no_intent }), ...intents.map((intent) => make("option", { value: intent, textContent: name("intent", intent) })));
  select.value = intents.includes(understood) ? understood : "";
  const passage = make("input", { type: "text", value: fixed?.passage ?? "", maxLength: 300, placeholder: W.passage_hint });
  const share = message.probability === undefined ? "" : percent(message.probability);
  const form = make("form", { className: "correct" },
    make("span", { textContent: message.intent ? filled(W.understood, { intent: name("intent", message.intent), share }) : W.not_understood }),
    make("label", {}, `${W.right_intent} `, select),
    make("label", {}, `${W.right_passage} `, passage),
    make("button", { textContent: W.correct }),
    fixed && make("span", { className: "done", textContent: W.corrected }));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      const body = { message: message.number, intent: select.value || null, passage: passage.value.trim() };
      show(await send(`threads/${encodeURIComponent(shown.id)}/corrections`, body));
      find(`#messages > li:nth-child(${message.number}) .correct button`)?.focus();
      say(W.corrected_said);
    }, event.submitter);
  });
  return form;
}

// ---- what staff do

async function act(path, body, news) {
  show(await send(`threads/${encodeURIComponent(shown.id)}/${path}`, body));
  await list(listed.length || PAGE);
  say(news);
}

find("#answer").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    await act("messages", { text: find("#text").value }, W.answered);
    find("#text").value = "";
  }, event.submitter);
});
find("#close-thread").addEventListener("click", (event) => attempt(() => {
  const closes = shown.state !== "closed";
  return act("state", { state: closes ? "closed" : "waiting" }, closes ? W.closed : W.reopened);
}, event.target));
find("#send-again").addEventListener("click", (event) => attempt(() => act("handover", {}, shown.handover ? W.sending : W.taken_over), event.target));
find("#export").addEventListener("click", (event) => attempt(() => download(`threads/${encodeURIComponent(shown.id)}/export`), event.target));
find("#erase").addEventListener("click", () => find("#sure").showModal());
find("#sure").addEventListener("close", () => {
  if (find("#sure").returnValue !== "yes") return;
  find("#sure").returnValue = "";
  attempt(async () => {
    await fetched(`/api/v1/threads/${encodeURIComponent(shown.id)}`, { method: "DELETE" });
    shown = null;
    find("#reading").hidden = true;
    history.replaceState(null, "", location.pathname + location.search);
    await list(listed.length || PAGE);
    find("#state").focus();
    say(W.erased);
  });
});
for (const each of ["#state", "#queue", "#priority"]) find(each).addEventListener("change", () => attempt(() => list()));
find("#filter").addEventListener("submit", (event) => event.preventDefault());
find("#refresh").addEventListener("click", (event) => attempt(() => list(listed.length || PAGE), event.target));
find("#more").addEventListener("click", (event) => attempt(more, event.target));

open();
