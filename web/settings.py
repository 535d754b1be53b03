"""Every setting of the server in one table: name, default and what it does. docs/settings.md repeats it, tested."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

KIB = 1024
MIB = 1024 * KIB


class Settings(BaseSettings):
    """Read from the environment: WINDOWSHOP_HOME=/srv/shop sets `home`, and so on for each field."""

    model_config = SettingsConfigDict(env_prefix="WINDOWSHOP_", frozen=True, extra="forbid")

    home: Path = Field(
        default=Path("var/shop"), description="Folder of the shop: its catalogue, its index, its thumbnails."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 lets other machines in.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    threads: int = Field(default=8, ge=1, le=256, description="Requests answered at the same time.")
    runtime: Literal["auto", "torch", "onnx"] = Field(default="auto", description="What runs the encoder.")
    shop_name: str = Field(default="Windowshop", min_length=1, max_length=60, description="Name shown on every page.")
    try_photos: Path | None = Field(
        default=None,
        description="CSV file with the columns photo and shows: pictures offered on the front page to search with.",
    )
    page_hits: int = Field(default=24, ge=1, le=200, description="Products on one page of results.")
    timeout_ms: int = Field(
        default=500,
        ge=10,
        le=60_000,
        description="Milliseconds a search may take, unless it asks for another limit; what is late is left out.",
    )
    upload_limit: int = Field(default=10 * MIB, ge=KIB, description="Bytes of one request, picture included.")
    form_memory_limit: int = Field(
        default=64 * KIB, ge=KIB, description="Bytes of one form field other than the picture."
    )
    form_parts_limit: int = Field(default=16, ge=1, description="Fields of one form.")
    reopen_seconds: float = Field(
        default=5.0, gt=0, description="Wait before a shop that could not be opened is tried again."
    )
    follow_seconds: float = Field(
        default=1.0, gt=0, description="How often to look for a new index, and for products that others changed."
    )
    live_rows: int = Field(
        default=5_000, ge=1, description="Pictures of changed products kept beside the index until the next one."
    )
    keys: Path | None = Field(
        default=None, description="File of the keys that may write; by default `keys.json` in the shop's folder."
    )
    public_read: bool = Field(
        default=True, description="Whether anybody may search; if not, that takes a key with the scope read."
    )
    reads_per_minute: int = Field(
        default=600, ge=0, description="Requests a minute by one key or address that read or search; 0 for no limit."
    )
    writes_per_minute: int = Field(
        default=1_200, ge=0, description="Requests a minute by one key that change the shop; 0 for no limit."
    )
    uploads_per_minute: int = Field(
        default=120, ge=0, description="Requests a minute by one key or address that carry a picture; 0 for no limit."
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=8,
        description="Proxies in front of the server, whose word on who is asking is taken; 0 believes no header.",
    )
    trusted_hosts: str | None = Field(
        default=None,
        description="Names that the shop answers to, separated by commas; `.shop.example` includes those below it.",
    )
    cors_origins: str | None = Field(
        default=None, description="Origins of other sites' pages that may use the API, separated by commas."
    )
    kept_questions: int = Field(
        default=200,
        ge=0,
        le=10_000,
        description="Questions in words that found nothing, and slow ones, kept for the operator's page; 0 keeps none.",
    )
    log_queries: bool = Field(
        default=False, description="Whether logs hold the words of questions; otherwise their length and a hash."
    )

    @property
    def origins(self) -> tuple[str, ...]:
        """The sites whose pages may use the API."""
        return _listed(self.cors_origins)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that the shop answers to; any when there are none."""
        return _listed(self.trusted_hosts)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part for each in (text or "").split(",") if (part := each.strip()))
