"""Questions in any language find the passage that answers them, and what no policy says is not answered."""

import shutil
from pathlib import Path

import pytest

from catalog import sample
from search.assistant.policies.answer_model import AnswerModel
from search.assistant.policies.examples import shipped_policy_examples
from search.assistant.policies.passage import ANSWERED, NOT_STATED, UNSURE
from search.assistant.policies.policy_search import PolicySearch
from search.assistant.policies.spoken_language import spoken_language

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("shop")
    shutil.copytree(Path(sample.SAMPLE_FOLDER) / "policies", home / "policies")
    return home


@pytest.fixture(scope="module")
def policies(home, text_vectors):
    return PolicySearch.open(home, text_vectors)


def test_the_shipped_model_belongs_to_the_shipped_examples(text_vectors):
    model = AnswerModel.load()
    about = model.topics.about
    assert about["examples"] == shipped_policy_examples().digest, "run `python -m search assistant policies fit`"
    assert about["vectors"] == text_vectors.fingerprint
    assert 0.2 < model.unsure < model.answered < 0.95


QUESTIONS = {
    "can I send it back after three weeks": "returns.md#how-long-you-have",
    "Wer zahlt die Rücksendung?": "returns.md#what-a-return-costs",
    "Combien coûte la livraison ?": "delivery.md#cost",
    "¿Puedo pagar con tarjeta?": "payment.md#how-you-can-pay",
    "几天能收到货": "delivery.zh.md#时间",
    "我想取消订单": "orders.zh.md#修改或取消订单",
    "where do I type in my coupon": "payment.md#codes-and-vouchers",
    "the plate was shattered when I opened the box": "returns.md#broken-or-wrong-items",
}


@pytest.mark.parametrize("question", QUESTIONS, ids=range(len(QUESTIONS)))
def test_a_question_in_any_language_finds_its_passage(policies, question):
    assert QUESTIONS[question] in [hit.passage.id for hit in policies.find(question)]


def test_an_answer_has_its_source_and_the_words_of_the_owner(policies):
    answer = policies.answer("how many days do I have to return something")
    assert answer.status == ANSWERED
    assert answer.hits[0].passage.id == "returns.md#how-long-you-have"
    assert "within 30 days" in answer.hits[0].passage.text


@pytest.mark.parametrize(
    "question", ["do you have job openings", "你们老板是谁", "what is the weather today", "Erzähl einen Witz"]
)
def test_what_no_policy_says_is_not_stated(policies, question):
    answer = policies.answer(question)
    assert answer.status == NOT_STATED and answer.hits == ()


@pytest.mark.parametrize(
    "question",
    [
        "can I return a sale item",
        "打折商品可以退吗",
        "do you match prices of others",
        "is there parking near the store",
    ],
)
def test_what_the_policies_leave_open_is_never_answered(policies, question):
    assert policies.answer(question).status in (UNSURE, NOT_STATED)


def test_a_chinese_question_finds_an_english_passage(tmp_path, text_vectors):
    shutil.copytree(Path(sample.SAMPLE_FOLDER) / "policies", tmp_path / "policies", ignore=lambda _, names: [
        name for name in names if name.endswith(".zh.md")
    ])  # fmt: skip
    found = PolicySearch.open(tmp_path, text_vectors)
    assert found.find("退款多久到")[0].passage.id == "returns.md#refunds"


def test_a_change_of_a_file_is_answered_from_at_once(tmp_path, text_vectors):
    policies = PolicySearch.open(tmp_path, text_vectors)
    assert policies.answer("how long is the warranty").status == NOT_STATED and policies.find("warranty") == ()
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.md").write_text("All clocks have a guarantee of 4 years.")
    assert policies.find("how long is the warranty")[0].passage.text == "All clocks have a guarantee of 4 years."


def test_odd_questions(policies):
    assert policies.find("") == () and policies.find("?!") == () and policies.answer(" ").status == NOT_STATED
    assert len(policies.find("refund " * 5_000)) == 3
    assert all(0 <= hit.probability <= 1 for hit in policies.find("🙂 refund \ud800", k=50))


LANGUAGES = [
    ("退款", "en", "zh"),
    ("refund", "zh", "en"),
    ("Rückgabefrist", "", "de"),
    ("Versandkosten", "en", "de"),
    ("combien de temps prend la livraison", "", "fr"),
    ("mi paquete se ha perdido", "en", "es"),
    ("how long does a refund take", "de", "en"),
]


@pytest.mark.parametrize(("text", "stated", "language"), LANGUAGES, ids=range(len(LANGUAGES)))
def test_the_language_of_a_question(text, stated, language, text_vectors):
    assert spoken_language(text, stated, AnswerModel.load().languages, text_vectors) == language
