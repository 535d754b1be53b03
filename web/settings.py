"""The server's settings: names, defaults, bounds and descriptions. A test compares docs/settings.md with them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from catalog.fetching.http_download import FetchRules, rules_for
from web.assistant_settings import AssistantSettings
from web.price_alert_settings import PriceAlertSettings

KIB = 1024
MIB = 1024 * KIB


class Settings(AssistantSettings, PriceAlertSettings):
    """Settings from the environment: WINDOWSHOP_HOME=/srv/shop sets `home`, and so on for each field."""

    model_config = SettingsConfigDict(env_prefix="WINDOWSHOP_", frozen=True, extra="forbid")

    home: Path = Field(
        default=Path("var/shop"), description="The shop's folder, with its catalogue, index and thumbnails."
    )
    host: str = Field(
        default="127.0.0.1", description="Address to listen on; 0.0.0.0 accepts connections from other machines."
    )
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 lets the system choose one.")
    threads: int = Field(default=8, ge=1, le=256, description="Requests served concurrently.")
    queue: int = Field(
        default=64,
        ge=0,
        le=1_024,
        description="Requests that wait for their turn while others are served; "
        "any more, and those that would be late, get 503 with Retry-After.",
    )
    runtime: Literal["auto", "torch", "onnx"] = Field(default="auto", description="What runs the encoder.")
    shop_name: str = Field(default="Windowshop", min_length=1, max_length=60, description="Name shown on every page.")
    try_photos: Path | None = Field(
        default=None,
        description="CSV file with the columns photo and shows: photos to try, offered on the front page.",
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#\s@]+/?$",
        description="Address of the shop on the web, such as https://shop.example, with which the links for other sites"
        " begin; by default the address that each request was sent to.",
    )
    search_pages_indexed: bool = Field(
        default=False,
        description="Whether search engines may list pages of results, as they may product pages.",
    )
    show_scores: bool = Field(
        default=False, description="Whether pages show match scores and search times, which help a shop's owner."
    )
    shown_attributes: str | None = Field(
        default=None,
        description="Attributes that pages show although they are for programs, such as gtin or condition, separated by"
        " commas.",
    )
    page_hits: int = Field(default=24, ge=1, le=200, description="Products per page of results.")
    feed_repeat_share: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Largest share of the products in “For you” that a visitor bought before; “Buy again” has only"
        " such.",
    )
    timeout_ms: int = Field(
        default=500,
        ge=10,
        le=60_000,
        description="Time limit of a search in milliseconds, unless the request sets its own; a late step is left out.",
    )
    upload_limit: int = Field(default=64 * MIB, ge=KIB, description="Largest form in bytes, pictures included.")
    body_limit: int = Field(default=10 * MIB, ge=KIB, description="Largest request in bytes that is not a form.")
    form_memory_limit: int = Field(default=64 * KIB, ge=KIB, description="Largest form field in bytes, pictures aside.")
    form_parts_limit: int = Field(default=16, ge=1, description="Most fields in one form.")
    reopen_seconds: float = Field(
        default=5.0, gt=0, description="Seconds before the server retries to open a shop that could not be opened."
    )
    follow_seconds: float = Field(
        default=1.0,
        gt=0,
        description="Seconds between checks for a new index and for products that other processes changed.",
    )
    live_rows: int = Field(
        default=5_000, ge=1, description="Most pictures of changed products held in memory until the next index."
    )
    keys: Path | None = Field(
        default=None, description="File of API keys; by default `keys.json` in the shop's folder."
    )
    public_read: bool = Field(default=True, description="Whether anybody may search; if not, searching requires a key.")
    reads_per_minute: int = Field(
        default=600,
        ge=0,
        description="Requests per minute of one key or address that read or search, and as many for suggestions;"
        " 0 for no limit.",
    )
    writes_per_minute: int = Field(
        default=1_200, ge=0, description="Requests per minute of one key that change the shop; 0 for no limit."
    )
    uploads_per_minute: int = Field(
        default=120, ge=0, description="Requests per minute of one key or address that carry a picture; 0 for no limit."
    )
    search_key_per_minute: int = Field(
        default=6_000,
        ge=0,
        description="Requests per minute of one public search key, of all visitors together; 0 for no limit.",
    )
    picture_servers: str | None = Field(
        default=None,
        description="IP addresses of the shop's own picture servers, which pictures may be fetched from although they"
        " are not on the public internet, separated by commas; `10.0.0.5:8080` also allows that port."
        " The other commands read it too.",
    )
    vectors: str | None = Field(
        default=None,
        description="Where new indexes put the vectors of rows: `embedded`, in the shop's folder, or a Milvus server"
        " such as milvus://user:password@host:19530/database; milvuss:// is over TLS. The other commands read it too.",
    )
    shop_url: str | None = Field(
        default=None,
        description="Where the shop itself is, such as https://www.shop.example: Shopify's webhooks do not say it.",
    )
    shop_currency: str | None = Field(
        default=None, description="Currency of prices that name none, such as EUR: those of Shopify and WooCommerce."
    )
    shopify_domain: str | None = Field(
        default=None, description="The shop's name at Shopify, such as corner-shop.myshopify.com."
    )
    shopify_secret: SecretStr | None = Field(
        default=None,
        description="The app's client secret, with which Shopify signs webhooks; without it, none is taken.",
    )
    woocommerce_secret: SecretStr | None = Field(
        default=None, description="The secret with which WooCommerce signs webhooks; without it, none is taken."
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=8,
        description="Number of proxies in front of the server whose X-Forwarded-For is trusted; 0 trusts no header.",
    )
    trusted_hosts: str | None = Field(
        default=None,
        description="Host names to answer to, separated by commas; `.shop.example` includes its subdomains.",
    )
    cors_origins: str | None = Field(
        default=None,
        description="Origins of other sites whose pages may use the API and the embedded search, such as"
        " https://www.shop.example, separated by commas.",
    )
    kept_questions: int = Field(
        default=200,
        ge=0,
        le=10_000,
        description="Text queries that found nothing or were slow, logged for the operator's page, and twenty times as"
        " many that found something, for suggestions; 0 logs none.",
    )
    record_events: bool = Field(
        default=True,
        description="Whether views, clicks, carts and purchases are stored, under keyed hashes of visitors' ids; if"
        " not, nothing is learnt from shoppers.",
    )
    event_days: float = Field(
        default=400,
        ge=0,
        description="Days after which events are removed, those of an imported file counted from the import; 0 for no"
        " limit.",
    )
    event_rows: int = Field(
        default=20_000_000, ge=0, description="Most events that are stored; the oldest are removed. 0 for no limit."
    )
    ratings_rank: bool = Field(
        default=True,
        description="Whether the stars of reviews order a little what answers a search alike.",
    )
    personalise: bool = Field(
        default=True,
        description="Whether what a visitor did shapes what the visitor is shown; if not, everybody gets the same"
        " recommendations.",
    )
    least_visitors: int = Field(
        default=5,
        ge=1,
        le=1_000,
        description="Visitors from which a number or a text that stems from them is shown to anybody, the owner"
        " included.",
    )
    log_queries: bool = Field(
        default=False, description="Whether logs hold the text of queries; if not, its length and a hash."
    )
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto",
        description="Lines of the log: text to read, json for programs; auto is text where stderr is a terminal."
        " The other commands read it too.",
    )
    reviews_approve: Literal["none", "clean"] = Field(
        default="none",
        description="Which reviews of visitors are shown at once: none, so that all wait for you; or clean, those"
        " without photos in which nothing is noticed.",
    )
    analyse_reviews: bool = Field(
        default=True,
        description="Whether the server reads reviews by a model: for spam when they are sent, and for what they say in"
        " the background; if not, rules alone screen them, and `windowshop reviews analyse` does the rest.",
    )
    reviews_per_day: int = Field(
        default=10, ge=0, description="Most reviews that one visitor may send in a day; 0 for no limit."
    )
    reviews_sent_per_minute: int = Field(
        default=30, ge=0, description="Reviews and votes on them per minute of one key or address; 0 for no limit."
    )
    learn_missing_heads: bool = Field(
        default=False,
        description="Whether the server learns the label heads for merchants' suggestions itself, after it has opened"
        " a shop that has none.",
    )

    voice: Literal["auto", "off"] = Field(
        default="auto",
        description="Who recognises spoken questions: auto is this server, where the extra voice is installed; off is"
        " nobody here.",
    )
    voice_browser: bool = Field(
        default=False,
        description="Whether pages may use the browser's own speech recogniser where this server has none; it sends"
        " what is spoken to the browser's maker.",
    )

    lowest_prices: bool = Field(
        default=True,
        description="Whether each announced discount has the lowest price of the 30 days before it, as EU directive"
        " 98/6/EC Art. 6a requires; without earlier prices on record it has none.",
    )

    @model_validator(mode="after")
    def _check_servers(self) -> Settings:
        self.fetch_rules  # noqa: B018 - raises ValueError for an address that cannot be
        return self

    @property
    def origins(self) -> tuple[str, ...]:
        """Return the origins whose pages may use the API, as browsers write them: in small letters, no slash behind."""
        return tuple(origin.rstrip("/").lower() for origin in _split(self.cors_origins))

    @property
    def fetch_rules(self) -> FetchRules:
        """Return the limits of downloads of pictures. Raises ValueError for an address that is no IP address."""
        return rules_for(self.picture_servers)

    @property
    def attributes_shown(self) -> frozenset[str]:
        """Return the names of the technical attributes that pages show, in small letters."""
        return frozenset(name.casefold() for name in _split(self.shown_attributes))

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the host names that the server answers to; empty when it answers to any."""
        return _split(self.trusted_hosts)


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(name for part in (text or "").split(",") if (name := part.strip()))
