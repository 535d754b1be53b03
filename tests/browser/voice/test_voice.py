"""Search by voice in a real browser, whose microphone plays `spoken.wav`.

In it a synthetic voice says "I am looking for a table lamp".
"""

import io
import json
import wave

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, SPOKEN, axe, listening, settle
from tests.web.shop_fixtures import fake_app

pytestmark = [pytest.mark.weights, pytest.mark.timeout(1200)]
hears = pytest.mark.usefixtures("microphone")

ALLOWED = {"permissions": ["microphone"]}
ANSWER = {"text": "red mug", "recognised": "Red muck.", "confidence": 0.9, "alternatives": ["red jug"], "reason": None}
# A shop that is asked often by others, and one that answers: what a real one cannot be brought to at will.
ANSWERS = """answers => {
    const real = window.fetch;
    window.fetch = (address, options) => {
        if (!String(address).includes("/api/v1/speech")) return real(address, options);
        window.sent = options.body.get("audio");
        const [status, body] = answers.shift();
        return Promise.resolve(new Response(JSON.stringify(body), { status, headers: { "Retry-After": "0.01" } }));
    };
}"""
# What is recorded is noted; `clean` goes to the shop instead, as a busy machine loses parts of what it records.
COPY = """clean => {
    const real = window.fetch;
    window.fetch = async (address, options) => {
        if (String(address).includes("/api/v1/speech")) {
            const bytes = await options.body.get("audio").arrayBuffer();
            sessionStorage.copy = JSON.stringify([...new Uint8Array(bytes)]);
            if (clean) options.body.set("audio", new Blob([new Uint8Array(clean)], { type: "audio/wav" }), "a.wav");
        }
        return real(address, options);
    };
}"""
# A microphone whose sound comes when a test calls `feed`, and a recording that no clock ends. `feed` returns how many
# samples it gave, and how many there are in a second: over a second of a tone, and one too high for a recording.
FED = """() => {
    const later = window.setTimeout;
    window.setTimeout = (call, wait, ...rest) => (wait > 10_000 ? 0 : later(call, wait, ...rest));
    window.AudioWorkletNode = function (context) {
        const rate = context.sampleRate, blocks = Math.ceil(rate / 1024);
        const node = Object.assign(context.createGain(), { port: {} });
        node.gain.value = 0;
        const tone = (at, pitch) => Math.sin(2 * Math.PI * pitch * at / rate);
        window.feed = () => {
            for (let block = 0; block < blocks; block++) {
                const sample = (_, at) => 0.5 * tone(1024 * block + at, 440) + 0.3 * tone(1024 * block + at, 12_000);
                node.port.onmessage({ data: Float32Array.from({ length: 1024 }, sample) });
            }
            return [1024 * blocks, rate];
        };
        return node;
    };
}"""
# What the panel says comes and goes, and so may the page: what was seen is noted.
WATCH = """() => {
    const seen = new Set();
    new MutationObserver(() => {
        const shown = document.querySelector(".voice-panel")?.textContent ?? "";
        for (const text of ["Listening …", "Recognising …"]) if (shown.includes(text)) seen.add(text);
        if (document.querySelector("#announce").textContent === "Listening …") seen.add("announced");
        if (document.querySelector(".voice-level .on")) seen.add("sound");
        sessionStorage.seen = JSON.stringify([...seen].sort());
    }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}"""
READER = """window.said = [];
speechSynthesis.speak = (utterance) => window.said.push([utterance.lang, utterance.text]);
speechSynthesis.cancel = () => window.said.push("stopped");
Object.defineProperty(speechSynthesis, "speaking", { get: () => window.said.at(-1)?.length === 2 });"""
RECOGNISER = """window.SpeechRecognition = window.webkitSpeechRecognition = class {
    start() {
        const reading = (transcript) => ({ transcript, confidence: 0.9 });
        const part = (isFinal, ...words) => Object.assign(words.map(reading), { isFinal });
        setTimeout(() => this.onstart(), 10);
        setTimeout(() => this.onresult({ results: [part(false, "red")] }), 30);
        window.finish = () => {
            this.onresult({ results: [part(true, "red jumper", "bread jumper")] });
            this.onend();
        };
    }
    stop() { window.finish(); }
    abort() { this.onerror({ error: "aborted" }); }
};"""


def button(page):
    return page.get_by_role("button", name="Search by voice")


def panel(page):
    return page.locator(".voice-panel")


def result(page):
    return page.locator(".voice-result")


def violations(page):
    page.evaluate(axe())
    found = page.evaluate("axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] })")
    return [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]]


def speak(page):
    """Say something, and let the recording end by itself: one that is stopped at once may hold too little to send."""
    button(page).click()


def samples_of(numbers):
    """The samples of a WAV file as the recorder makes it, from a list of its bytes: float64, (n,), from -1 to 1."""
    with wave.open(io.BytesIO(bytes(numbers))) as recording:
        assert recording.getparams()[:3] == (1, 2, 16_000)
        return np.frombuffer(recording.readframes(recording.getnframes()), "<i2") / 32_767


@pytest.fixture(scope="module")
def recogniser_shop(tmp_path_factory):
    """The address of a shop that recognises nothing itself, and lets the browser do it."""
    home = tmp_path_factory.mktemp("recogniser")
    with fake_app(home, voice="off", voice_browser=True, timeout_ms=20_000) as app, listening(app) as address:
        yield address


@hears
@pytest.mark.parametrize("recorded", [False, pytest.param(True, marks=pytest.mark.torture)])
def test_speak_see_correct_and_search(visit, recorded):
    page = visit("/", **ALLOWED)
    page.evaluate(COPY, None if recorded else list(SPOKEN.read_bytes()))
    page.evaluate(WATCH)
    speak(page)
    page.wait_for_url("**/?q=*table+lamp*", timeout=120_000)  # other work may share this machine
    assert json.loads(page.evaluate("sessionStorage.seen")) == ["Listening …", "Recognising …", "announced", "sound"]
    samples = samples_of(json.loads(page.evaluate("sessionStorage.copy")))
    assert len(samples) >= 0.3 * 16_000
    assert np.abs(samples).max() > 0.001  # the meter showed sound, which starts at three times that
    assert not recorded or 2 < len(samples) / 16_000 < 7  # it ended when the voice did
    expect(result(page)).to_contain_text("table lamp")
    expect(page.locator("#results .grid h3").first).to_contain_text("table lamp")
    box = page.get_by_role("combobox", name="Search words")
    box.fill("green lamp")
    box.press("Enter")
    page.wait_for_url("**/?q=green+lamp")
    expect(result(page)).to_be_hidden()
    page.go_back()
    expect(result(page)).to_contain_text("table lamp")


@hears
def test_another_reading_is_one_click_away_and_the_answer_is_read_aloud(visit):
    page = visit("/", **ALLOWED, color_scheme="dark")
    page.context.add_init_script(READER)
    unsure = ANSWER | {"confidence": 0.1, "alternatives": ["red jug", "<b>red</b> rug"]}
    page.evaluate(ANSWERS, [[503, {}], [200, unsure]])  # a busy shop is asked again
    speak(page)
    page.wait_for_url("**/?q=red+mug", timeout=120_000)
    expect(result(page)).to_contain_text("We heard “red mug”. Is that right?")
    readings = page.get_by_role("group", name="Did you say").get_by_role("button")
    expect(readings).to_have_text(["red jug", "<b>red</b> rug", "red muck"])
    assert violations(page) == []
    page.get_by_role("checkbox", name="Read results aloud").check()
    (language, text) = page.evaluate("window.said.at(-1)")
    assert language == "en" and text.startswith("No red mugs. Other mugs: The first is ") and "€" in text
    page.keyboard.press("Shift")
    assert page.evaluate("window.said.at(-1)") == "stopped"
    readings.first.click()
    page.wait_for_url("**/?q=red+jug", timeout=120_000)
    expect(result(page)).to_contain_text("You said: “red jug”")
    expect(readings).to_have_text(["red mug", "<b>red</b> rug", "red muck"])
    assert "The first is" in page.evaluate("window.said.at(-1)")[1]
    page.reload()
    expect(result(page)).to_be_visible()
    assert page.evaluate("window.said") == []  # only an answer that is new


@hears
def test_by_keyboard(visit):
    page = visit("/", **ALLOWED)
    page.evaluate(FED)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/speech" in request.url else None)
    page.get_by_role("combobox").focus()
    page.keyboard.press("Tab")
    expect(button(page)).to_be_focused()
    assert min(button(page).bounding_box()[side] for side in ("width", "height")) >= 44
    page.keyboard.press("Enter")
    expect(panel(page)).to_contain_text("Listening …")
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(button(page)).to_be_focused()
    assert sent == []
    silence = ANSWER | {"text": "", "recognised": "", "confidence": 0, "reason": "silence"}
    page.evaluate(ANSWERS, [[200, silence], [200, ANSWER]])
    page.keyboard.press("Space")
    expect(panel(page)).to_contain_text("Listening …")
    given, rate = page.evaluate("feed()")
    page.keyboard.press("Space")  # stops it
    expect(page.locator("#message")).to_contain_text("No words were heard")
    expect(button(page)).to_be_focused()
    samples = samples_of(page.evaluate("sent.arrayBuffer().then((bytes) => [...new Uint8Array(bytes)])"))
    assert len(samples) == pytest.approx(given / rate * 16_000, abs=1)
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(samples)) / 16_000)
    assert np.abs(samples - tone)[40:-40].max() < 0.001  # at its ends a filter has too little to go by
    page.keyboard.press("Space")
    expect(panel(page)).to_contain_text("Listening …")
    page.evaluate("feed()")
    panel(page).get_by_role("button", name="Stop and search").click()
    page.wait_for_url("**/?q=red+mug")
    expect(result(page)).to_contain_text("You said: “red mug”")


@hears
def test_without_permission_or_microphone_a_message_says_what_to_do(visit):
    page = visit("/")
    button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("The microphone is blocked for this site.")
    expect(panel(page)).to_be_hidden()
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); }; }"
    )
    button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("No microphone was found")


@hears
@pytest.mark.torture
def test_a_refusal_has_a_message(visit):
    page = visit("/", **ALLOWED)
    page.evaluate(ANSWERS, [[503, {}], [503, {}], [503, {}], [413, {}]])
    for message in ("busy at the moment", "too long"):
        speak(page)
        expect(page.get_by_role("alert")).to_contain_text(message)


@hears
@pytest.mark.torture
def test_in_chinese_on_a_phone(visit):
    page = visit("/?like=mug-1a", locale="zh-CN", **PHONE, **ALLOWED)
    page.evaluate(ANSWERS, [[200, ANSWER | {"text": "红色", "recognised": "", "alternatives": []}]])
    page.get_by_role("button", name="语音搜索").tap()
    expect(panel(page)).to_contain_text("录音会发送到本店并转换成文字，不会被保存。中文语音识别尚未用真人语音测试")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(page.get_by_role("button", name="说完了，开始搜索").first).to_be_visible()
    expect(result(page)).to_contain_text("您说的是：“红色”")
    page.wait_for_url("**/?**like=mug-1a**")


def test_the_browsers_own_recogniser_is_used_after_a_warning(recogniser_shop, chromium):
    page = chromium.new_page(base_url=recogniser_shop)
    page.add_init_script(RECOGNISER)
    page.goto("/")
    button(page).click()
    expect(panel(page)).to_contain_text("the maker of your browser receives the recording")
    assert violations(page) == []
    page.get_by_role("button", name="Continue").click()
    expect(panel(page)).to_contain_text("Listening …")
    expect(page.locator(".voice-interim")).to_have_text("red")
    page.get_by_role("button", name="Stop and search").first.click()
    page.wait_for_url("**/?q=red+jumper")
    expect(page.get_by_role("button", name="bread jumper")).to_be_visible()
    page.close()


def test_what_records_comes_with_the_first_click_and_again_where_that_fails(recogniser_shop, chromium):
    page = chromium.new_page(base_url=recogniser_shop)
    page.add_init_script(RECOGNISER)
    asked = []
    page.on("request", lambda request: asked.append(request.url.partition("?")[0].rpartition("/")[2]))
    page.goto("/")
    settle(page)
    expect(button(page)).to_have_attribute("title", "Search by voice")
    assert "voice_page.js" in asked and not {"recorder.js", "voice.js", "voice_search.js", "voice.css"} & set(asked)
    page.route("**/voice.js*", lambda route: route.abort())
    button(page).click()
    expect(page.get_by_role("alert")).to_contain_text("Voice search is not available at the moment.")
    page.unroute("**/voice.js*")
    button(page).click()
    expect(panel(page)).to_contain_text("the maker of your browser receives the recording")
    expect(page.get_by_role("alert")).to_be_hidden()
    assert [asked.count(name) for name in ("recorder.js", "voice.css", "voice.js")] == [1, 1, 2]
    page.close()
