"""A part of the sample shop behind a real server, and a headless Chromium to visit it with."""

import csv
import fcntl
import os
import shutil
import threading
import wave
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from catalog import sample
from indexer.build.build import build_index
from tests.search.bulk_jobs import ThreadSupervisor
from tests.web.conftest import open_fake_or_real
from tests.web.shop_fixtures import no_text_models
from web import create_app
from web.api import operations
from web.api.jobs import supervisor_of
from web.engine import holder_of
from web.prices.alert_service import alerts_of
from web.settings import Settings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHELL = shutil.which("chromium-headless-shell")  # takes half the processor, but has no microphone
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# Another test gives the machine a network interface for a moment, and the browser ends what it is loading then.
NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
# Complaints about answers that a test provokes, and about requests that it cuts off.
EXPECTED = (
    "404 (NOT FOUND)",
    "415 (UNSUPPORTED MEDIA TYPE)",
    "422 (UNPROCESSABLE ENTITY)",
    "net::ERR_FAILED",
    NETWORK_CHANGED,
)
SPOKEN = Path(__file__).with_name("spoken.wav")  # what the browser's microphone hears, where a page may use it
SILENCE_S = 3  # more than the page waits for before a recording ends
FAMILIES = ("mug", "bowl", "jug", "teapot", "pendant-lamp", "table-lamp")


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


@contextmanager
def listening(app):
    """The address of an app behind a real server."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@cache
def open_once(name, runtime):
    """An encoder for all shops in a browser: opening the starter takes seconds."""
    return open_fake_or_real(name, runtime=runtime)


def open_for_shop(name, runtime, home):
    """The encoder of a shop, whose own one lies in its home."""
    return open_once(name, runtime) if name == "starter" else open_fake_or_real(name, runtime=runtime, home=home)


@contextmanager
def running(settings):
    """The app of a shop, once it is ready; all that it began has ended afterwards.

    Fake shops have no models of texts, and no shop reads its reviews by one: that takes a processor for seconds. Jobs
    are worked on in a thread: tests/web/api has them in a process of their own.
    """
    fake = pytest.MonkeyPatch()
    fake.setattr("search.engine.open_encoder", open_for_shop)
    fake.setattr("search.assistant.answering.opening.TextVectors.of", no_text_models)
    with pytest.MonkeyPatch.context() as beginning:  # and not of apps that other tests make meanwhile
        beginning.setattr("web.api.jobs.WorkerSupervisor", ThreadSupervisor)
        app = create_app(settings.model_copy(update={"analyse_reviews": False}))
    try:
        holder_of(app).wait(300)
        yield app
    finally:
        alerts_of(app).worker.close()
        app.extensions[operations.MAPPER].close()
        supervisor_of(app).close()
        holder_of(app).close()
        fake.undo()


@contextmanager
def served(settings):
    """The address of a shop behind a real server, once it is ready."""
    with running(settings) as app, listening(app) as address:
        yield address


def build_shop(folder):
    """Build a shop of lamps and tableware, in place of what another process began."""
    for part in ("feed", "shop"):
        shutil.rmtree(folder / part, ignore_errors=True)
    with (sample.SAMPLE_FOLDER / "products.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if row["id"].rpartition("-")[0] in FAMILIES]
    (folder / "feed" / "images").mkdir(parents=True)
    for name in {name for row in rows for name in row["images"].split("|")}:
        shutil.copy(sample.SAMPLE_FOLDER / name, folder / "feed" / name)
    feed = folder / "feed" / "products.csv"
    with feed.open("w", encoding="utf-8", newline="") as file:
        # Without groups of variants there are enough results for a second page.
        fields = [name for name in reader.fieldnames if name != "item_group_id"]
        writer = csv.DictWriter(file, fields, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    build_index(folder / "shop", feed, open_once("starter", "onnx"))


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory, shared_models):
    """A home of lamps and tableware; the first process of this run of the tests to need one builds it for all."""
    base = tmp_path_factory.getbasetemp()
    built = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "browser-shop"
    built.mkdir(exist_ok=True)
    with (built / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        if not (built / "complete").exists():
            build_shop(built)
            (built / "complete").touch()
    return shutil.copytree(built / "shop", tmp_path_factory.mktemp("browser") / "shop")


@pytest.fixture(scope="session")
def shop(sample_home):
    """The address of a shop of lamps and tableware."""
    settings = Settings(
        home=sample_home,
        runtime="onnx",
        timeout_ms=20_000,
        page_hits=24,
        try_photos=sample.SAMPLE_FOLDER / "try.csv",
    )
    with served(settings) as address:
        yield address


@pytest.fixture(scope="package")
def launch(tmp_path_factory):
    """Launches a browser, once; all are closed when the tests in a browser are over. A microphone hears a recording."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine; `make browser` installs Debian's, as root")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=120_000)  # other work may share this machine
    said = repeated(SPOKEN, tmp_path_factory.mktemp("said") / "said.wav")
    arguments = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={said}"]
    arguments += ["--no-sandbox"] if os.geteuid() == 0 else []
    browsers = {}
    with sync_playwright() as playwright:

        def launched(program):
            if program not in browsers:
                browsers[program] = playwright.chromium.launch(executable_path=program, args=arguments)
            return browsers[program]

        yield launched
        for browser in browsers.values():
            browser.close()


@pytest.fixture
def microphone():
    """Asks for a browser with a microphone, which hears SPOKEN again and again."""


@pytest.fixture
def chromium(request, launch):
    """The browser. What a test leaves open in it is closed: it would go on painting."""
    browser = launch(CHROMIUM if SHELL is None or "microphone" in request.fixturenames else SHELL)
    yield browser
    for context in browser.contexts:
        context.close()


def repeated(recording, target):
    """Write a recording with silence behind it: played again and again, it is heard however late a page listens."""
    with wave.open(str(recording)) as source, wave.open(str(target), "wb") as out:
        out.setparams(source.getparams())
        out.writeframes(source.readframes(source.getnframes()))
        out.writeframes(bytes(SILENCE_S * source.getframerate() * source.getsampwidth() * source.getnchannels()))
    return target


@pytest.fixture
def visit(request, shop, chromium):
    """Opens pages of the shop, each in a browser of its own: `visit("/", locale="zh-CN")`.

    Whatever a page complains of in the console, the policy's refusals among it, fails the test; but for EXPECTED, and
    for what a module lists as PROVOKED.
    """
    contexts, complaints = [], []

    def open_page(address="/", **options):
        context = chromium.new_context(base_url=shop, **{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        page.on("request", lambda asked: complaints.append(asked.url) if not ours(asked.url) else None)
        page.goto(address)
        return page

    def ours(address):
        return address.startswith((shop, "data:", "blob:"))

    yield open_page
    for context in contexts:
        context.close()
    expected = (*EXPECTED, *getattr(request.module, "PROVOKED", ()))
    assert [each for each in complaints if not each.endswith(expected)] == []


@pytest.fixture(scope="session")
def photos():
    """The shoppers' photos of the sample shop."""
    return sample.SAMPLE_FOLDER / "photos"


def axe():
    """The source of axe-core, which a package of the set-up carries."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def settle(page):
    """Wait until a page has what it and its scripts asked for.

    A browser may never say that a request has ended which a page sent as it was left (seen once in hundreds of visits),
    so the wait ends after a while.
    """
    from playwright.sync_api import TimeoutError as Late  # here, because Playwright may be missing

    with suppress(Late):
        page.wait_for_load_state("networkidle", timeout=30_000)


def let_scripts_run(page):
    """Wait until the scripts of a page have sent the requests that they send while it loads."""
    page.evaluate("() => new Promise((done) => requestIdleCallback(done))")
