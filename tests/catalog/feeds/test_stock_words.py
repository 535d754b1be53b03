"""One reader knows whether a product is in stock, from the words, counts and addresses of shops in any language."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.feeds import stock_words
from catalog.feeds.stock_words import parse_availability
from tests.catalog.feed_writer import read, write

TABLE = [
    (row["kind"], row["language"], phrase)
    for row in csv.DictReader(Path(stock_words.__file__).with_suffix(".csv").read_text(encoding="utf-8").splitlines())
    for phrase in row["phrases"].split("|")
]
NEGATED = {
    "English": "not {}",
    "German": "nicht {}",
    "French": "pas {}",
    "Spanish": "no {}",
    "Italian": "non {}",
    "Portuguese": "não {}",
    "Dutch": "niet {}",
    "Polish": "nie {}",
    "Czech and Slovak": "není {}",
    "Russian": "не {}",
    "Ukrainian": "не {}",
    "Swedish": "inte {}",
    "Danish and Norwegian": "ikke {}",
    "Finnish": "ei {}",
    "Turkish": "{} değil",
    "Greek": "μη {}",
    "Hungarian": "nem {}",
    "Romanian": "nu {}",
    "Chinese": "不{}",
    "Korean": "{} 없음",
    "Arabic": "غير {}",
    "Hebrew": "לא {}",
    "Hindi": "{} नहीं",
    "Thai": "ไม่{}",
    "Vietnamese": "không {}",
    "Indonesian and Malay": "tidak {}",
}

IN_STOCK = """
in stock|In_Stock|IN-STOCK|InStock|instock|https://schema.org/InStock|http://schema.org/InStock/|schema.org/InStock
schema:InStock|//schema.org/InStoreOnly|OnlineOnly|LimitedAvailability|https://schema.org/MadeToOrder|in_stock
available|available for order|limited stock|low stock|only a few left|plenty|true|Yes|y|1|5|12|999999|∞|✓
5.0|100.0000|1,000|1.000,00|1 000|1'000|10+|>10|> 10|≥ 3|~5|+3|0.5|１２|٥|5 pcs|5pcs|3 Stk.|2 St.|4 szt.|3 шт.
5 db|2x|3 kpl|in stock (5)|In stock: 12|5 in stock|5 available|5 left|only 2 left|Only 1 left - order soon|20+ in stock
More than 20 available|Qty: 3|stock=7|5 in stock, 2 reserved|last 3 items|10 - 50|12 vnt.
ships in 3 days|Usually ships within 2-3 days|ships in 24h|3-5 business days|In stock, ships tomorrow|Back in stock
Made to order (2 weeks)|"in stock"|In Stock.|in stock!
WAHR|VRAI|VERDADERO|ИСТИНА|Disp.|one left
auf Lager|lieferbar|sofort lieferbar|5 auf Lager|nur noch 2 Stück auf Lager|Auf Lager, Lieferzeit: 1-3 Werktage
Versandfertig in 1 - 2 Werktagen|vorrätig|mehr als 10 verfügbar
en stock|disponible|disponible sous 48h|plus que 2 en stock|plus de 10 disponibles|sur commande|dernières pièces
hay stock|últimas unidades|quedan 3 unidades|disponibile|3 pezzi disponibili|ultimi 2 pezzi|em estoque|disponível
op voorraad|leverbaar|nog 3 op voorraad|nog maar 2 stuks|dostępny|w magazynie|powyżej 10 szt|skladem|Skladem (>5 ks)
i lager|5 st i lager|på lager|3 stk på lager|varastossa|saatavilla|stokta|stokta 5 adet var|mevcut
в наличии|есть в наличии|В наличии: 10 шт.|Осталось 3 шт.|под заказ|в наявності|є в наявності|Залишилось 2 шт
διαθέσιμο|σε απόθεμα|raktáron|készleten|în stoc|in stoc|peste 10 bucăți
有货|有貨|现货|現貨|有库存|库存：20|库存5件|还剩3件|仅剩5件
3天内发货|在庫あり|在庫有り|在庫 5|残り3点|24時間以内に発送|お取り寄せ
재고 있음|재고있음|5개 남음|재고: 5개|판매중|متوفر|في المخزون|متوفر 5 قطع|במלאי|זמין|स्टॉक में|उपलब्ध|มีสินค้า|พร้อมส่ง|เหลือ 3 ชิ้น
còn hàng|Còn 5 sản phẩm|tersedia|ready stock|stok 10|laos|ir pieejams|yra sandėlyje|á lager
"""

OUT_OF_STOCK = """
out of stock|out_of_stock|OutOfStock|outofstock|https://schema.org/OutOfStock|http://schema.org/SoldOut|PreOrder|PreSale
BackOrder|schema:Discontinued|https://schema.org/Reserved|onbackorder|on backorder|Available on backorder|preorder
pre-order|backordered|sold out|Sold Out - back soon|temporarily out of stock|coming soon|currently unavailable
not available|not in stock|not currently in stock|no longer available|discontinued|item has been discontinued|no stock
unavailable|expected in March|Available from 12.03.2026|in stock from 2026-05-01|awaiting delivery|available: no
stock: 0|0|0.00|0,00|0.0000|-1|-5.0|0 pcs|0 Stk.|0 шт|0 in stock|in stock (0)|qty=0|false|No|n|none left|< 1|0 vnt.
FALSCH|FAUX|FALSO|ЛОЖЬ|insufficient stock|em falta
ausverkauft|nicht auf Lager|nicht lieferbar|nicht mehr lieferbar|derzeit nicht verfügbar|leider nicht mehr verfügbar
vergriffen|vorbestellbar|en rupture de stock|épuisé|plus en stock|ce produit n'est plus disponible|indisponible
pas en stock|bientôt disponible|agotado|sin stock|no disponible por ahora|ya no está disponible|esaurito
non disponibile|non più disponibile|in arrivo|esgotado|sem estoque|indisponível|uitverkocht|niet op voorraad
niet meer leverbaar|niedostępny|brak|chwilowo niedostępny|nie jest dostępny|vyprodáno|není skladem|slut i lager
ej i lager|inte i lager|udsolgt|ikke på lager|ikke tilgjengelig akkurat nå|utsolgt|loppu|ei varastossa|ei ole saatavilla
tükendi|stokta yok|stokta değil|нет в наличии|не в наличии|распродано|ожидается|на складе нет|немає в наявності|немає
εξαντλημένο|μη διαθέσιμο|nincs raktáron|elfogyott|nem elérhető|stoc epuizat|nu este disponibil|indisponibil
缺货|缺貨|無庫存|无货|沒有現貨|不可用|目前缺货|暂时无货|已售罄|预售|補貨中|在庫なし|在庫切れ（入荷未定）|売り切れ|予約受付中|購入できません
품절|품절(재입고 예정)|일시품절|재고 없음|재고 0개|غير متوفر|نفد من المخزون|אזל המלאי|לא במלאי|अनुपलब्ध|स्टॉक में नहीं
สินค้าหมด|ไม่มีสินค้า|hết hàng|tạm hết hàng|không có hàng|habis|tidak tersedia|ei ole laos|nav pieejams|uppselt
"""

UNKNOWN = [
    "perhaps",
    "banana",
    "50%",
    "n/a",
    "-",
    "?",
    "2026-03-01",
    "not sold out",
    "不缺货",
    "sold out: no",
    "x" * 300,
]


def words(text):
    return [word for line in text.strip().splitlines() for word in line.split("|")]


@pytest.mark.parametrize("text", words(IN_STOCK))
def test_what_says_in_stock(text):
    assert parse_availability(text) is True


@pytest.mark.parametrize("text", words(OUT_OF_STOCK))
def test_what_says_out_of_stock(text):
    assert parse_availability(text) is False


@pytest.mark.parametrize("text", UNKNOWN, ids=lambda text: ascii(text[:20]))
def test_what_says_neither(text):
    assert parse_availability(text) is None


def written_out(phrase):
    """A phrase of the table with a time and a date in the place of their signs."""
    return phrase.replace("@", "3日" if "日" in phrase or not phrase.isascii() else "3 days").replace("=", "12.05.2026")


def test_every_phrase_of_the_table_is_read_as_the_table_says():
    for kind, _, phrase in TABLE:
        if kind in ("yes", "no"):
            text = written_out(phrase)
            for spelling in (text, text.upper(), f" {text}! ", text.replace(" ", "_")):
                assert parse_availability(spelling) is (kind == "yes"), spelling


def test_no_phrase_says_both():
    yes, no = ({stock_words._key(word) for word in stock_words._table()[kind]} for kind in ("yes", "no"))
    assert yes & no == set()


@pytest.mark.parametrize("language", NEGATED)
def test_a_negated_phrase_never_says_what_is_negated(language):
    phrases = [written_out(phrase) for kind, spoken, phrase in TABLE if (kind, spoken) == ("yes", language)]
    assert len(phrases) > 5
    assert [phrase for phrase in phrases if parse_availability(NEGATED[language].format(phrase))] == []


@given(
    st.integers(-(10**9), 10**9),
    st.sampled_from(["{}", "{}.0", " {} ", "{} pcs", "{} Stück", "qty: {}", "{} 件", "{} left"]),
)
def test_a_count_decides_by_its_sign(count, form):
    assert parse_availability(form.format(count)) is (count > 0)


@settings(max_examples=300)
@given(st.text(max_size=220))
def test_any_text_is_read_or_unknown(text):
    assert parse_availability(text) in (True, False, None)


@given(st.lists(st.sampled_from([*"0123456789.,'- +<>()@#=§年", "in stock", "not", "无"]), max_size=60).map("".join))
def test_any_figures_are_read_or_unknown(text):
    assert parse_availability(text) in (True, False, None)


def test_an_unknown_word_is_noted_and_its_product_is_in_stock(shop):
    """It once lost the product; but the shop lists it, and does not say that it is gone."""
    rows = "".join(
        f"{n},Shirt,images/1.png,{word}\n" for n, word in enumerate(["perhaps", "in stock", "perhaps", "no"])
    )
    feed = write(shop, f"id,title,image,availability\n{rows}")
    products, rejected = read(feed)
    assert [product.in_stock for product in products] == [True, True, True, False]
    assert not rejected and not any(product.attributes for product in products)


def test_a_second_column_is_read_where_the_first_is_not_understood(shop):
    feed = write(shop, "id,title,image,availability,in_stock\n7,Shirt,images/1.png,perhaps,0\n")
    assert [product.in_stock for product in read(feed)[0]] == [False]
