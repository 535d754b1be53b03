"""The Atom feed (RFC 4287) of one visitor's price alerts that fired."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence

from flask import current_app

from catalog.times import utc_text
from search.pricing.alerts.price_alert import FiredAlert
from web.engine import get_engine
from web.i18n.language import language, title_of
from web.i18n.languages import language_tag
from web.i18n.money import money
from web.prices.alert_views import alert_text, fired_text
from web.urls import absolute_url, price_feed_url, product_url

MAX_ENTRIES = 50
ATOM = "http://www.w3.org/2005/Atom"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2 Characters
NO_TIME = 0  # of a feed in which nothing has happened yet


def write_feed(fired: Sequence[FiredAlert], token: str) -> bytes:
    """Return the feed in the page's language as XML in UTF-8; its own address has the token of the visitor."""
    shown = fired[:MAX_ENTRIES]
    ElementTree.register_namespace("", ATOM)
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {LANG: language_tag(language())})
    address = absolute_url(price_feed_url(token, lang=language()))
    _add(feed, "title", f"{alert_text('my_alerts')} – {current_app.config['SHOP_NAME']}")
    _add(feed, "id", absolute_url(price_feed_url(token)))
    _add(feed, "link", rel="self", type="application/atom+xml", href=address)
    _add(feed, "updated", utc_text(max((item.at for item in shown), default=NO_TIME)))
    _add(_add(feed, "author"), "name", current_app.config["SHOP_NAME"])
    products = get_engine().find([item.alert.product_id for item in shown]) if shown else {}
    for item in shown:
        product = products.get(item.alert.product_id)
        title = item.alert.title if product is None else title_of(product)
        entry = _add(feed, "entry")
        _add(entry, "id", f"urn:uuid:{item.alert.id}")
        _add(entry, "title", alert_text("entry_title", product=title, price=money(item.price, item.alert.currency)))
        _add(entry, "updated", utc_text(item.at))
        _add(entry, "link", rel="alternate", type="text/html", href=absolute_url(product_url(item.alert.product_id)))
        before = alert_text("entry_before", price=money(item.alert.price, item.alert.currency))
        _add(entry, "content", f"{fired_text(item)} {before} {alert_text('entry_look')}", type="text")
    document: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return document


def _add(parent: ElementTree.Element, tag: str, text: str = "", **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, f"{{{ATOM}}}{tag}", attributes)
    child.text = _NOT_XML.sub("", text) or None
    return child
