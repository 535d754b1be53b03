// The conversation of this tab: its token, what was written, and what is being typed. It survives going to another page,
// and the browser removes it with the tab. What is typed into forms is not in it.

const NAME = "windowshop-assistant";
const MOST = 60;                  // entries; earlier ones are no longer shown
const SHOWN = ["id", "title", "price", "currency", "list_price", "lowest_30_days", "on_sale", "in_stock", "picture_url", "url", "link"];

class Thread {
  constructor() {
    const stored = this.#stored();
    this.token = typeof stored.token === "string" ? stored.token : "";
    this.entries = Array.isArray(stored.entries) ? stored.entries.filter((each) => each && typeof each === "object") : [];
    this.draft = typeof stored.draft === "string" ? stored.draft : "";
    this.open = stored.open === true;
    this.shortened = stored.shortened === true;
    this.handedOver = stored.handedOver === true;   // people of the shop have it, so one of them may write
  }

  add(entry) {
    this.entries.push(entry);
    if (this.entries.length > MOST) {
      this.entries.splice(0, this.entries.length - MOST);
      this.shortened = true;
    }
    this.store();
    return entry;
  }

  remove(entry) {
    this.entries = this.entries.filter((each) => each !== entry);
    this.store();
  }

  clear() {
    Object.assign(this, { token: "", entries: [], draft: "", shortened: false, handedOver: false });
    this.store();
  }

  store() {
    const { token, entries, draft, open, shortened, handedOver } = this;
    try {
      sessionStorage.setItem(NAME, JSON.stringify({ token, entries, draft, open, shortened, handedOver }));
    } catch {                     // storage is full or not allowed: the conversation ends with this page
    }
  }

  #stored() {
    try {
      return JSON.parse(sessionStorage.getItem(NAME)) ?? {};
    } catch {
      return {};
    }
  }
}

// An answer of the shop as an entry of the conversation: what is shown of it, and no more.
function entryOf(answer, language) {
  const products = (answer.products ?? []).map((product) => ({
    ...Object.fromEntries(SHOWN.map((name) => [name, product[name]])),
    title: product.attributes?.[`title_${language}`] || product.title,
  }));
  const { text, language: spoken } = answer.reply;
  const { sources, search_url: search, suggestions, expects, handed_over: handedOver } = answer;
  return { role: "assistant", text, language: spoken, sources, products, search, suggestions, expects, handed_over: handedOver };
}
