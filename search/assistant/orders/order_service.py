"""Orders of the shop's own service: a signed request with the number and the hash of the address, and a JSON answer."""

from __future__ import annotations

import json
import logging
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.errors import OrdersUnavailable
from search.assistant.orders.order import MAX_FIELD, MAX_ITEMS, OrderStatus, order_number
from search.assistant.services.signed_post import Service, ServiceFailed

log = logging.getLogger(__name__)
Text = Annotated[str, Field(max_length=2_000)]


class _Answer(BaseModel):
    """What the service answers of an order; further fields are left aside."""

    model_config = ConfigDict(extra="ignore", strict=True)

    number: Text
    status: Annotated[str, Field(min_length=1, max_length=MAX_FIELD)]
    carrier: Text = ""
    tracking: Text = ""
    tracking_url: Text = ""
    shipped_at: Text = ""
    expected_at: Text = ""
    items: Annotated[list[Text], Field(max_length=MAX_ITEMS)] = []


class OrderService:
    """The orders that a service of the shop knows. Threads may share it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def available(self) -> bool:
        """Whether there is a service: always."""
        return True

    def find(self, number: str, email_sha256: str) -> OrderStatus | None:
        """Return the order, see OrderConnector; None where the service answers 404.

        Raises OrdersUnavailable for every other answer but an order of that number.
        """
        body = json.dumps({"number": number, "email_sha256": email_sha256}).encode()
        try:
            answer = self._service.post(body)
        except ServiceFailed as error:
            raise _unavailable(str(error)) from error
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise _unavailable(f"It answered {answer.status}.")
        try:
            order = _Answer.model_validate_json(answer.body)
        except (ValidationError, ValueError) as error:
            raise _unavailable("Its answer is not the JSON of an order.") from error
        if order_number(order.number) != number:
            raise _unavailable("Its answer is of another order.")
        fields = order.model_dump(exclude={"number", "items"})
        return OrderStatus.read(number, fields | {"items": "\n".join(order.items)})


def _unavailable(reason: str) -> OrdersUnavailable:
    log.warning("The service of orders cannot be used: %s", reason)
    return OrdersUnavailable("The service of orders cannot be used at the moment.", reason)
