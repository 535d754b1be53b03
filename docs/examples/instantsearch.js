// The client alone, without the widgets of InstantSearch: what they ask, and what they get.
import { windowshopClient } from "http://localhost:8000/embed/instantsearch.js";

const client = windowshopClient({ shop: "http://localhost:8000" });
const params = { query: "mug", page: 0, hitsPerPage: 6, facets: ["brand"], numericFilters: ["price<=20"] };
const { results } = await client.search([{ indexName: "products:price", params }]);
document.querySelector("#results").textContent = JSON.stringify(results[0], null, 2);
