// A search client for Algolia's InstantSearch that asks a Windowshop shop:
//
//   import { windowshopClient } from "https://search.shop.example/embed/instantsearch.js";
//   const search = instantsearch({ indexName: "products", searchClient: windowshopClient({ shop: "https://search.shop.example" }) });
//
// Facets: category, brand, base_colour, in_stock, on_sale, price, and attributes.NAME. An index name that ends in ":price", ":-price" or
// ":newest" sorts. With `client.setPhoto(file)`, and `null` to end it, every search is by that photo too.

const SORTS = ["price", "-price", "newest"];
const FIELDS = ["category", "brand", "base_colour", "colour"];
const FLAGS = ["in_stock", "on_sale"];
const BOUND = /^([\w. -]+?)\s*(<=|>=|<|>|=)\s*(-?[\d.]+)$/;
const MAX_CACHED = 100;         // answers
const MAX_HITS = 200;           // products in one answer

export function windowshopClient({ shop, key = "" }) {
  const answers = new Map();
  let photo = null;

  async function ask(fields) {
    const body = photo ? new FormData() : new URLSearchParams();
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    if (photo) body.set("image", photo, "photo");
    const headers = key ? { Authorization: `Bearer ${key}` } : {};
    const answer = await fetch(new URL("/api/v1/search", shop), { method: "POST", body, headers, credentials: "omit" });
    const page = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(`${page.error.message} ${page.error.hint}`), { status: answer.status });
    return page;
  }

  function cached(fields) {
    const name = JSON.stringify(fields);
    if (!answers.has(name)) {
      if (answers.size >= MAX_CACHED) answers.delete(answers.keys().next().value);
      answers.set(name, ask(fields).catch((error) => {
        answers.delete(name);
        throw error;
      }));
    }
    return answers.get(name);
  }

  async function result({ indexName, params = {} }) {
    const page = await cached(fieldsOf(indexName, params));
    return resultOf(page, indexName, params);
  }

  return {
    search: async (requests) => ({ results: await Promise.all(requests.map(result)) }),
    searchForFacetValues: (requests) => Promise.all(requests.map(async ({ indexName, params }) => {
      const { facets } = await result({ indexName, params: { ...params, facets: [params.facetName], hitsPerPage: 0 } });
      const typed = (params.facetQuery ?? "").toLowerCase();
      const found = Object.entries(facets[params.facetName] ?? {}).filter(([value]) => value.toLowerCase().includes(typed));
      const facetHits = found.slice(0, params.maxFacetHits ?? 10).map(([value, count]) => ({ value, count, highlighted: marked(value, typed, params) }));
      return { facetHits, exhaustiveFacetsCount: true, processingTimeMS: 0 };
    })),
    clearCache: async () => answers.clear(),
    setPhoto(file) {
      photo = file;
      answers.clear();
    },
  };
}

// ---- the request

function fieldsOf(indexName, { query = "", page = 0, hitsPerPage = 20, facets = [], facetFilters = [], numericFilters = [] }) {
  const k = Math.min(MAX_HITS, Math.max(1, hitsPerPage));
  const fields = { k, offset: page * hitsPerPage };
  if (query.trim()) fields.text = query.trim();
  const filter = filterOf(facetFilters, numericFilters);
  // Without a text and a filter the API has nothing to look for; InstantSearch means all products.
  if (Object.keys(filter).length || !fields.text) fields.filter = JSON.stringify(filter);
  if (facets.length) fields.facets = true;
  const sort = indexName.split(":")[1];
  if (SORTS.includes(sort)) fields.sort = sort;
  return fields;
}

// Groups are ANDed, the values of a group ORed: [["brand:Acme", "brand:Dana"], "in_stock:true"].
function filterOf(facetFilters, numericFilters) {
  const filter = {}, not = [];
  // A field has one condition: a second one that must hold too is said as "not without it".
  const add = (condition) => { if (clash(filter, condition)) not.push({ not: condition }); else merge(filter, condition); };
  for (const group of [facetFilters].flat()) {
    const values = new Map();
    for (const text of [group].flat()) {
      const at = text.indexOf(":"), value = text.slice(at + 1);
      if (value.startsWith("-")) not.push(conditionOf(text.slice(0, at), [value.slice(1)]));
      else values.set(text.slice(0, at), [...(values.get(text.slice(0, at)) ?? []), value.replace(/^\\-/, "-")]);
    }
    const conditions = [...values].map(([name, wanted]) => conditionOf(name, wanted));
    if (conditions.includes(null)) continue;
    if (conditions.length) add(conditions.length > 1 ? { any: conditions } : conditions[0]);
  }
  for (const text of [numericFilters].flat(2)) {
    const [, name, sign, number] = BOUND.exec(text) ?? [];
    if (!name) throw new Error(`Windowshop reads no numeric filter such as ${text}.`);
    const bounds = { ...(sign.startsWith("<") ? {} : { min: Number(number) }), ...(sign.startsWith(">") ? {} : { max: Number(number) }) };
    add(name === "price" ? { price: bounds } : { attributes: { [bare(name)]: bounds } });
  }
  if (not.length) filter.not = not.length > 1 ? { any: not } : not[0];
  return filter;
}

const bare = (name) => name.replace(/^attributes\./, "");

// Null where every product passes: yes and no are both wanted.
function conditionOf(name, values) {
  if (FLAGS.includes(name)) return values.includes("true") && values.includes("false") ? null : { [name]: values.includes("true") };
  const value = values.length > 1 ? values : values[0];
  return FIELDS.includes(name) ? { [name]: value } : { attributes: { [bare(name)]: value } };
}

const bothObjects = (...values) => values.every((value) => value?.constructor === Object);

function clash(filter, condition) {
  return Object.entries(condition).some(([name, value]) => name in filter && !(bothObjects(filter[name], value) && !clash(filter[name], value)));
}

function merge(filter, condition) {
  for (const [name, value] of Object.entries(condition)) {
    if (bothObjects(filter[name], value)) merge(filter[name], value);
    else filter[name] = value;
  }
}

// ---- the answer

function resultOf(page, indexName, params) {
  const { query = "", page: number = 0, hitsPerPage = 20 } = params;
  const total = page.total ?? page.hits.length;
  const facets = {}, stats = {};
  for (const { name, values, min, max } of page.facets) {
    facets[name] = {};          // InstantSearch reads the bounds of facets that it finds here
    if (max !== undefined) stats[name] = { min, max, avg: (min + max) / 2, sum: 0 };
    else facets[name] = Object.fromEntries(values.map(({ value, count }) => [String(value), count]));
  }
  return {
    index: indexName, query, params: new URLSearchParams({ query, page: number }).toString(),
    hits: hitsPerPage ? page.hits.map((hit) => hitOf(hit, query, params)) : [],
    nbHits: total, page: number, hitsPerPage, nbPages: hitsPerPage ? Math.ceil(total / hitsPerPage) : 0,
    facets, facets_stats: stats, exhaustiveFacetsCount: true, exhaustiveNbHits: true, processingTimeMS: Math.round(page.took_ms),
    verdict: page.verdict, near: page.near.map((hit) => hitOf(hit, query, params)),
  };
}

function hitOf(hit, query, params) {
  const texts = Object.fromEntries(["title", "brand", "category"].map((name) => [name, hit[name] ?? ""]));
  const results = (extra) => Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, { value: marked(text, query, params), ...extra }]));
  return {
    ...hit, objectID: hit.id, name: hit.title, image: hit.picture_url, price: hit.price === null ? null : Number(hit.price),
    _highlightResult: results({ matchLevel: "none", matchedWords: [] }), _snippetResult: results({ matchLevel: "none" }),
  };
}

// InstantSearch escapes the text, then replaces the tags that it has asked for.
function marked(text, query, { highlightPreTag = "<em>", highlightPostTag = "</em>" }) {
  const words = query.split(/\s+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return words.length ? text.replace(new RegExp(`(^|[^\\p{L}\\p{N}])(${words.join("|")})`, "giu"), `$1${highlightPreTag}$2${highlightPostTag}`) : text;
}
