"""What customers write is understood, in short and long messages, and what is not is not certain."""

import numpy as np
import pytest

from catalog.errors import BadFeed, BadInput, StoreError
from catalog.home import ShopHome
from search.assistant.intents.classifier import SHIPPED_HEADS, IntentClassifier
from search.assistant.intents.examples import IntentExample, examples_digest, read_examples, shipped_examples
from search.assistant.intents.heads import IntentHeads, fit_intents
from search.assistant.intents.names import FIND_PRODUCT, HUMAN_AGENT, INTENTS, OUT_OF_SCOPE
from search.language.detection import language_of

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def classifier(text_vectors):
    return IntentClassifier.open(None, text_vectors)


def test_the_shipped_heads_belong_to_the_shipped_examples(text_vectors):
    heads = IntentHeads.load(SHIPPED_HEADS)
    assert heads.examples == examples_digest(shipped_examples()), "run `python -m search assistant fit`"
    assert heads.vectors == text_vectors.fingerprint
    assert heads.labels == tuple(sorted(INTENTS))


MESSAGES = [
    (
        "Hello! I bought a lamp from you eleven days ago and I still have not got it. Can you look? Thanks",
        "order_status",
    ),
    ("Good morning, how would I go about returning the two cushions? They are lovely. Best wishes", "return_refund"),
    ("Does posting to Portugal cost extra?", "shipping_info"),
    ("oh no, I put in my old street. Can you correct it before the parcel goes out?", "cancel_change_order"),
    ("Your page refuses my Mastercard!!!", "payment"),
    ("My feet are 26 cm long. Which shoe size is that?", "size_advice"),
    ("May the wooden bowl go into the dish washer?", "product_question"),
    ("Will you have the green jug again?", "stock_availability"),
    ("The bowl came in three pieces, I am really annoyed.", "complaint_damaged"),
    ("I'd like to speak with a human being now", "human_agent"),
    ("Could you show me some yellow cups for less than ten pounds", "find_product"),
    ("hi!", "small_talk"),
    ("order 10482, anna@example.com - has it shipped?", "order_status"),
    ("What does this cup cost?", "product_question"),
    ("what's the tallest tower in the world", OUT_OF_SCOPE),
    ("你好,我两周前买的台灯还没有收到,麻烦查一下", "order_status"),
    ("这条裙子买大了,怎么退?", "return_refund"),
    ("盘子收到的时候已经碎成几块了", "complaint_damaged"),
    ("帮我转人工客服", "human_agent"),
    ("Wann kommt meine Lieferung endlich an?", "order_status"),
    ("Le bol est arrivé en morceaux", "complaint_damaged"),
    ("¿Cuánto cuesta mandar el paquete a Canarias?", "shipping_info"),
]


@pytest.mark.parametrize(("text", "intent"), MESSAGES, ids=[f"{i}-{m[1]}" for i, m in enumerate(MESSAGES)])
def test_a_message_is_understood(classifier, text, intent):
    assert classifier.classify(text, language_of(text)).intent == intent


def test_probabilities_sum_to_one_and_fall(classifier):
    found = classifier.classify("where is my parcel", "en")
    shares = [rank.probability for rank in found.ranked]
    assert sum(shares) == pytest.approx(1, abs=1e-4) and shares == sorted(shares, reverse=True)
    assert found.certain and found.in_scope > 0.9


@pytest.mark.parametrize("text", ["anna@example.com", "10482", " 10482, anna@example.com "])
def test_a_number_or_an_address_alone_wants_nothing(classifier, text):
    assert not classifier.classify(text, "en").certain


@pytest.mark.parametrize("text", ["qwrt zplm", "the", "???", "", "42"])
def test_nothing_is_certain_about_nonsense(classifier, text):
    found = classifier.classify(text, "en")
    assert not found.certain or found.intent in ("oos", "small_talk")


def test_a_message_with_two_wishes_has_both(classifier):
    found = classifier.classify("Where is my order? And how do I return the other lamp?", "en")
    assert {found.intent, *found.others} == {"order_status", "return_refund"}


def test_who_wants_a_person_anywhere_in_a_message_gets_one(classifier):
    found = classifier.classify("My parcel is late and the mug is broken. Let me talk to a human, please.", "en")
    assert found.intent == HUMAN_AGENT and found.certain


def test_a_very_long_message_is_read_in_bounded_work(classifier):
    assert classifier.classify("where is my order? " * 5_000, "en").intent == "order_status"


def test_own_heads_of_a_shop_are_used_once_they_are_there(text_vectors, tmp_path):
    classifier = IntentClassifier.open(tmp_path, text_vectors)
    assert classifier.classify("is the gramophone wound up", "en").intent != "gramophone"
    own = [IntentExample(f"{word} gramophone", "gramophone") for word in ("my", "the", "is the", "wind up the", "a")]
    fit_intents([*own, *_some()], text_vectors).save(ShopHome(tmp_path).intents)
    assert classifier.classify("is the gramophone wound up", "en").intent == "gramophone"
    ShopHome(tmp_path).intents.write_bytes(b"damaged")
    assert classifier.classify("where is my parcel", "en").intent == "order_status"  # the shipped ones serve


def test_a_fit_of_english_alone_reads_chinese(text_vectors):
    means = IntentHeads.load(SHIPPED_HEADS).means
    heads = fit_intents(_some(), text_vectors, means)
    shares = heads.probabilities(["我的包裹在哪里", "推荐一个花瓶"], ["zh", "zh"], text_vectors)
    assert [heads.labels[place] for place in shares.argmax(axis=1)] == ["order_status", FIND_PRODUCT]


def test_one_intent_is_refused(text_vectors):
    with pytest.raises(BadInput, match="two intents"):
        fit_intents([IntentExample("a", "x"), IntentExample("b", "x")], text_vectors)


def test_examples_are_read_with_either_name_of_the_language(tmp_path):
    for header in ("text,intent,lang", "text,intent,language"):
        (tmp_path / "q.csv").write_text(f"{header}\nwo ist mein paket,order_status,de\n", encoding="utf-8")
        assert read_examples(tmp_path / "q.csv") == (IntentExample("wo ist mein paket", "order_status", "de"),)
    (tmp_path / "q.csv").write_text("text,intent\n怎么退货,return_refund\n", encoding="utf-8")
    assert read_examples(tmp_path / "q.csv")[0].language == "zh"
    (tmp_path / "q.csv").write_text("text,intent\nhello,\n", encoding="utf-8")
    with pytest.raises(BadFeed, match="line 2"):
        read_examples(tmp_path / "q.csv")


def test_a_head_file_without_its_arrays_is_refused(tmp_path):
    from search.text_heads.linear_head import fit_head, save_heads

    head = fit_head(np.eye(3, dtype=np.float32), ["a", "b", "a"])
    save_heads(tmp_path / "x.safetensors", {"english": head, "multilingual": head})
    with pytest.raises(StoreError, match="lacks"):
        IntentHeads.load(tmp_path / "x.safetensors")


def _some():
    """A few English examples of each intent, to fit in a moment."""
    counts: dict[str, int] = {}
    few = []
    for example in shipped_examples():
        counts[example.intent] = counts.get(example.intent, 0) + 1
        if example.language == "en" and counts[example.intent] <= 8:
            few.append(example)
    return few
