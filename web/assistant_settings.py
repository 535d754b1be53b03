"""The settings of the assistant and of the services that it reaches: orders, hand-overs, a language model."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class AssistantSettings(BaseSettings):
    """Those of the server's settings that are about the assistant; see `Settings`."""

    assistant: bool = Field(
        default=True,
        description="Whether the shop has the assistant, which answers customers' questions and searches for them.",
    )
    assistant_per_minute: int = Field(
        default=60,
        ge=0,
        description="Messages to the assistant per minute of one key or address; 0 for no limit.",
    )
    thread_days: float = Field(
        default=90, ge=0, description="Days after its last message when a conversation is removed; 0 for no limit."
    )
    orders_url: str | None = Field(
        default=None,
        description="Service of the shop that knows orders, such as https://shop.example/orders; without it, orders are"
        " read from `orders.csv` in the shop's folder.",
    )
    orders_secret: SecretStr | None = Field(
        default=None, description="The secret with which requests to the service of orders are signed."
    )
    handover_mail: str | None = Field(
        default=None,
        description="Addresses of e-mail that conversations are handed over to, separated by commas.",
    )
    handover_from: str | None = Field(
        default=None, description="Address of e-mail that hand-overs are sent from; by default the first of those."
    )
    smtp_url: SecretStr | None = Field(
        default=None,
        description="Mail server for hand-overs, such as smtps://user:password@mail.example.com:465.",
    )
    handover_url: str | None = Field(
        default=None, description="Service of the shop that conversations are handed over to, as signed JSON."
    )
    handover_secret: SecretStr | None = Field(
        default=None, description="The secret with which hand-overs to the service are signed."
    )
    assistant_llm_url: str | None = Field(
        default=None,
        description="Address of an OpenAI-compatible language model that words answers from policies, such as"
        " https://models.example/v1; without it, the passage itself is shown.",
    )
    assistant_llm_key: SecretStr | None = Field(
        default=None, description="The key of the language model, if it needs one."
    )
    assistant_llm_model: str | None = Field(
        default=None, description="The name of the language model, such as small-chat; needed with its address."
    )
