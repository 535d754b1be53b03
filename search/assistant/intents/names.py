"""The intents of customers' messages."""

from __future__ import annotations

ORDER_STATUS = "order_status"
RETURN_REFUND = "return_refund"
SHIPPING_INFO = "shipping_info"
CANCEL_CHANGE_ORDER = "cancel_change_order"
PAYMENT = "payment"
SIZE_ADVICE = "size_advice"
PRODUCT_QUESTION = "product_question"
STOCK_AVAILABILITY = "stock_availability"
COMPLAINT_DAMAGED = "complaint_damaged"
HUMAN_AGENT = "human_agent"
FIND_PRODUCT = "find_product"
SMALL_TALK = "small_talk"
OUT_OF_SCOPE = "oos"  # nothing that a shop can answer

INTENTS = (
    ORDER_STATUS,
    RETURN_REFUND,
    SHIPPING_INFO,
    CANCEL_CHANGE_ORDER,
    PAYMENT,
    SIZE_ADVICE,
    PRODUCT_QUESTION,
    STOCK_AVAILABILITY,
    COMPLAINT_DAMAGED,
    HUMAN_AGENT,
    FIND_PRODUCT,
    SMALL_TALK,
    OUT_OF_SCOPE,
)
POLICY_INTENTS = (RETURN_REFUND, SHIPPING_INFO, CANCEL_CHANGE_ORDER, PAYMENT)  # what a shop's policies answer
PRODUCT_INTENTS = (SIZE_ADVICE, PRODUCT_QUESTION, STOCK_AVAILABILITY)  # what a product's facts answer
SERVICE_INTENTS = (ORDER_STATUS, *POLICY_INTENTS, COMPLAINT_DAMAGED, HUMAN_AGENT)  # never a search for products
