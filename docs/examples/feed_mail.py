"""Turn an answer of GET /api/v1/feed into an e-mail: an HTML part and a text part, in the answer's language.

    curl -s 'https://search.shop.example/api/v1/feed?surface=home&k=6&lang=de&visitor=ID' |
        python feed_mail.py --lang de --shop 'Kiln & Oak' --unsubscribe https://shop.example/unsubscribe > mail.eml

The HTML has no script, no style attribute and no tracking; pictures and links are those of the answer. Send `purchase`
events from your shop, and the mail recommends by them.
"""

from __future__ import annotations

import argparse
import json
import sys
from email.message import EmailMessage
from html import escape
from typing import Any

# The subject, the link to a product, why the mail came, and the link that ends it.
WORDS = {
    "en": (
        "For you from {shop}",
        "View in shop",
        "You get this because you asked {shop} for recommendations.",
        "Unsubscribe",
    ),
    "zh": ("{shop} 为您推荐", "前往店铺查看", "您订阅了 {shop} 的推荐，因此收到此邮件。", "退订"),
    "de": (
        "Für Sie von {shop}",
        "Im Shop ansehen",
        "Sie erhalten diese E-Mail, weil Sie Empfehlungen von {shop} abonniert haben.",
        "Abbestellen",
    ),
    "fr": (
        "Pour vous chez {shop}",
        "Voir dans la boutique",
        "Vous recevez ce message car vous avez demandé les recommandations de {shop}.",
        "Se désabonner",
    ),
    "es": (
        "Para usted de {shop}",
        "Ver en la tienda",
        "Recibe este mensaje porque pidió las recomendaciones de {shop}.",
        "Darse de baja",
    ),
}
STYLE = """
  body { margin: 0; background: #ffffff; color: #17191c; font-family: sans-serif; }
  table { width: 100%; max-width: 600px; margin: 0 auto; border-collapse: collapse; }
  td { padding: 8px; vertical-align: top; }
  img { display: block; width: 120px; height: auto; border: 0; }
  .why, .foot { color: #62666d; font-size: 14px; }
"""


def shelves_of(feed: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the shelves of an answer that have products; an answer of one surface is one shelf."""
    return [shelf for shelf in feed.get("shelves", [feed]) if shelf["items"]]


def title_of(item: dict[str, Any], language: str) -> str:
    """Return the product's title in a language, where the shop's feed has it."""
    return str(item["attributes"].get(f"title_{language}") or item["title"])


def price_of(item: dict[str, Any]) -> str:
    """Return the price with its currency: "12.90 EUR"; empty without one."""
    return f"{item['price']} {item['currency']}".strip() if item["price"] else ""


def link_of(item: dict[str, Any]) -> str:
    """Return the address of the product's page: in the merchant's own shop, if the feed has it."""
    return str(item["link"] or item["url"])


def as_html(feed: dict[str, Any], shop: str, language: str, unsubscribe: str) -> str:
    """Return the mail as HTML."""
    subject, view, because, end = (words.format(shop=shop) for words in WORDS[language])
    rows = []
    for shelf in shelves_of(feed):
        rows.append(f'<tr><td colspan="2"><h2>{escape(shelf["title"])}</h2></td></tr>')
        for item in shelf["items"]:
            title, link = escape(title_of(item, language)), escape(link_of(item))
            picture = f'<img src="{escape(item["picture_url"])}" width="120" alt="">' if item["picture_url"] else ""
            rows.append(
                f'<tr><td width="136"><a href="{link}">{picture}</a></td><td><h3><a href="{link}">{title}</a></h3>'
                f'<p>{escape(price_of(item))}</p><p class="why">{escape(item["reason"]["text"])}</p>'
                f'<p><a href="{link}">{view}</a></p></td></tr>'
            )
    foot = f'{escape(because)} <a href="{escape(unsubscribe)}">{end}</a>'
    head = f'<meta charset="utf-8"><title>{escape(subject)}</title><style>{STYLE}</style>'
    rows.insert(0, f'<tr><td colspan="2"><h1>{escape(subject)}</h1></td></tr>')
    rows.append(f'<tr><td colspan="2" class="foot">{foot}</td></tr>')
    table = "\n".join(('<table role="presentation">', *rows, "</table>"))
    return f'<!doctype html>\n<html lang="{language}">\n<head>{head}</head>\n<body>{table}</body>\n</html>\n'


def as_text(feed: dict[str, Any], shop: str, language: str, unsubscribe: str) -> str:
    """Return the mail as plain text."""
    _, _, because, end = (words.format(shop=shop) for words in WORDS[language])
    lines = []
    for shelf in shelves_of(feed):
        lines += [shelf["title"], ""]
        for item in shelf["items"]:
            facts = " · ".join(filter(None, (title_of(item, language), price_of(item))))
            lines += [facts, item["reason"]["text"], link_of(item), ""]
    return "\n".join([*lines, because, f"{end}: {unsubscribe}", ""])


def mail_of(feed: dict[str, Any], shop: str, language: str, unsubscribe: str) -> EmailMessage:
    """Return the mail, without sender and receiver, which the program that sends it adds."""
    mail = EmailMessage()
    mail["Subject"] = WORDS[language][0].format(shop=shop)
    mail["List-Unsubscribe"] = f"<{unsubscribe}>"
    mail.set_content(as_text(feed, shop, language, unsubscribe))
    mail.add_alternative(as_html(feed, shop, language, unsubscribe), subtype="html")
    return mail


def main() -> None:
    """Read an answer from standard input and write the mail; exit with 1 when there is nothing to recommend."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--shop", required=True, help="the shop's name")
    parser.add_argument("--unsubscribe", required=True, help="the address that ends these mails")
    parser.add_argument("--lang", default="en", choices=WORDS, help="the language that the answer was asked in")
    options = parser.parse_args()
    feed = json.load(sys.stdin)
    if not all(link_of(item).startswith("http") for shelf in shelves_of(feed) for item in shelf["items"]):
        raise SystemExit("The answer has addresses without a host. Set WINDOWSHOP_PUBLIC_URL on the server.")
    if not shelves_of(feed):
        raise SystemExit("There is nothing to recommend, so there is no mail.")
    sys.stdout.buffer.write(bytes(mail_of(feed, options.shop, options.lang, options.unsubscribe)))


if __name__ == "__main__":
    main()
