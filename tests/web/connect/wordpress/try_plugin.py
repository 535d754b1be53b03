"""Try the plug-in in a real WordPress: python -m tests.web.connect.wordpress.try_plugin

Needs Debian's packages wordpress, php-cli, php-mysql and mariadb-server. WordPress runs in a copy of its own with a
database of its own, and WooCommerce is the stand-in beside this file. Not part of `make test`: it needs those packages.
"""

import base64
import http.client
import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from html import unescape
from pathlib import Path

from tests.catalog.picture_server import reply
from tests.catalog.picture_server import serving as serving_pictures
from tests.web.connect.platform_messages import WOOCOMMERCE_SECRET
from tests.web.shop_fixtures import BLUE, GREEN, RED, picture_bytes
from tests.web.test_main import ROOT, ask, serving, wait_until_ready

HERE = Path(__file__).parent
WORDPRESS, PLUGIN = Path("/usr/share/wordpress"), ROOT / "docs" / "connect" / "woocommerce" / "windowshop"
WITHIN = 5.0  # seconds in which a change is to be found
CONFIG = """<?php
define('DB_NAME', 'trial'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_CHARSET', 'utf8mb4');
define('DB_HOST', 'localhost:{socket}'); define('DB_COLLATE', '');
define('WP_HOME', '{site}'); define('WP_SITEURL', '{site}');
define('DISABLE_WP_CRON', true); define('WP_HTTP_BLOCK_EXTERNAL', true); define('WP_ACCESSIBLE_HOSTS', '127.0.0.1');
$table_prefix = 'wp_';
defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""
INSTALL = """define('WP_INSTALLING', true); $_SERVER['HTTP_HOST'] = '127.0.0.1'; require 'wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Trial', 'owner', 'owner@shop.example', true, '', 'owner-password');
update_option('permalink_structure', '/%postname%/'); switch_theme('trial'); echo get_bloginfo('version');"""


@contextmanager
def database(folder):
    """A MariaDB of its own without a port; gives its socket."""
    data, sock = folder / "database", folder / "database.sock"
    made = ["mariadb-install-db", f"--datadir={data}", "--auth-root-authentication-method=normal", "--user=root"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    command = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={sock}", "--skip-networking", "--user=root"]
    server = subprocess.Popen([*command, f"--pid-file={folder}/pid"], stderr=(folder / "database.log").open("w"))
    try:
        client = ["mariadb", "--no-defaults", f"--socket={sock}", "--user=root", "-e", "CREATE DATABASE trial"]
        until(lambda: subprocess.run(client, stderr=subprocess.DEVNULL, check=False).returncode == 0, 120)
        yield sock
    finally:
        server.terminate()
        server.wait(60)


@contextmanager
def wordpress(folder, sock):
    """A WordPress with the plug-in, not yet active, and the stand-in; gives its port."""
    root = folder / "wordpress"
    shutil.copytree(WORDPRESS, root, ignore_dangling_symlinks=True, dirs_exist_ok=True)
    content = root / "wp-content"
    for name in ("plugins", "themes", "mu-plugins"):
        (content / name).mkdir(exist_ok=True)
    shutil.copytree(PLUGIN, content / "plugins" / "windowshop")
    shutil.copytree(HERE / "theme", content / "themes" / "trial")
    shutil.copy(HERE / "woocommerce_stand_in.php", content / "mu-plugins")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (root / "wp-config.php").unlink(missing_ok=True)
    (root / "wp-config.php").write_text(CONFIG.format(socket=sock, site=f"http://127.0.0.1:{port}"))
    installed = subprocess.run(["php", "-r", INSTALL], cwd=root, check=True, capture_output=True, text=True)
    print("WordPress", installed.stdout[-10:])
    log = (folder / "php.log").open("w")
    command = ["php", "-d", "display_errors=0", "-d", "log_errors=1", "-S", f"127.0.0.1:{port}", "-t", str(root)]
    server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PHP_CLI_SERVER_WORKERS": "4"})
    try:
        until(lambda: answers(port), 60)
        yield port
    finally:
        server.terminate()
        server.wait(60)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def until(true, seconds):
    """Wait, and return how long it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, "it did not come"
        time.sleep(0.02)
    return time.monotonic() - began


class Owner:
    """The shop's owner in a browser, and what the shop's own pages do to products."""

    def __init__(self, port):
        self.site = f"http://127.0.0.1:{port}"
        self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

    def page(self, path, form=None):
        data = None if form is None else urllib.parse.urlencode(form).encode()
        with self._browser.open(self.site + path, data, timeout=120) as answer:
            return answer.read().decode()

    def log_in(self):
        self.page("/wp-login.php")
        assert "wp-admin-bar" in self.page(
            "/wp-login.php", {"log": "owner", "pwd": "owner-password", "testcookie": "1"}
        )

    def follow(self, page, plugin_action):
        """Activate or deactivate the plug-in by its link on the page of plug-ins."""
        links = map(unescape, re.findall(r'href="(plugins\.php\?[^"]+)"', self.page(page)))
        self.page("/wp-admin/" + next(link for link in links if f"action={plugin_action}&plugin=windowshop" in link))

    def save_settings(self, **settings):
        page = self.page("/wp-admin/options-general.php?page=windowshop")
        hidden = dict(re.findall(r"""name=["'](option_page|action|_wpnonce)["'] value=["']([^"']+)""", page))
        form = hidden | {"_wp_http_referer": "/wp-admin/options-general.php?page=windowshop"}
        return self.page(
            "/wp-admin/options.php", form | {f"windowshop[{name}]": text for name, text in settings.items()}
        )

    def change(self, **change):
        token = base64.b64encode(b"ck_try:cs_try").decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {token}"}
        data = json.dumps(change).encode()
        request = urllib.request.Request(self.site + "/wp-json/wc/v3/trial", data, headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def put(self, title, categories=(), post_id=0, parent=0, **meta):
        kind = "product_variation" if parent else "product"
        post = {"ID": post_id, "post_title": title, "post_type": kind, "post_status": "publish", "post_parent": parent}
        return self.change(post=post, meta=meta, categories=list(categories))


def product(port, product_id):
    status, body = ask(port, "GET", f"/api/v1/products/{product_id}")
    return json.loads(body) if status == 200 else {}


def found(port, words):
    body = json.dumps({"text": words, "k": 5})
    status, answer = ask(port, "POST", "/api/v1/search", body, {"Content-Type": "application/json"})
    return [hit["id"] for hit in json.loads(answer)["hits"]] if status == 200 else []


def reconcile(home, site):
    key = {"WINDOWSHOP_WOOCOMMERCE_KEY": "ck_try", "WINDOWSHOP_WOOCOMMERCE_KEY_SECRET": "cs_try"}
    command = [
        sys.executable,
        "-m",
        "search",
        "reconcile",
        "woocommerce",
        "--site",
        site,
        "--home",
        str(home),
        "--json",
    ]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | key, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def changes(owner, port, image):
    """Changes of the shop, each found by the search within WITHIN seconds."""
    seconds = {}
    mug = str(
        owner.put("Speckled mug", ["Kitchen", "Cups & mugs"], price="120", regular_price="150", image=image("mug"))
    )
    seconds["a new product"] = until(lambda: product(port, mug), WITHIN)
    seconds["the server's first question"] = until(lambda: mug in found(port, "speckled mug"), 20)
    made = product(port, mug)
    assert (made["price"], made["list_price"], made["currency"]) == ("120", "150", "SEK"), made
    assert made["category"] == "Kitchen > Cups & mugs" and made["link"] == f"{owner.site}/product/speckled-mug/", made
    owner.put("Speckled mug", post_id=int(mug), price="99", regular_price="150", stock_status="outofstock")
    seconds["a price and its stock"] = until(lambda: product(port, mug)["price"] == "99", WITHIN)
    assert product(port, mug)["in_stock"] is False

    chair = owner.put("Oak chair", ["Chairs"], image=image("chair"))
    until(lambda: product(port, chair), WITHIN)
    red = owner.put("Oak chair - red", parent=chair, price="500", colour="red", image=image("red"))
    blue = owner.put("Oak chair - blue", parent=chair, price="550", colour="blue", image=image("blue"))
    owner.put("Oak chair", post_id=chair)
    seconds["two variations"] = until(lambda: product(port, red) and product(port, blue), WITHIN)
    assert product(port, blue)["item_group_id"] == str(chair) and product(port, blue)["attributes"]["colour"] == "blue"
    until(lambda: not product(port, chair), WITHIN)  # it is its variations now

    owner.change(trash=int(mug))
    seconds["a product put into the bin"] = until(lambda: not product(port, mug), WITHIN)
    time.sleep(1)  # WordPress knows only seconds
    owner.change(untrash=int(mug))
    seconds["a product taken out of it"] = until(lambda: product(port, mug), WITHIN)
    return mug, chair, seconds


def pages(owner, server, mug, chair):
    """What visitors get: one script, the elements, and nothing that a setting or an author could break out with."""
    shown = owner.page("/product/speckled-mug/")
    assert f'<windowshop-similar product="{mug}"></windowshop-similar>' in shown, shown[-3000:]
    assert f'<windowshop-similar product="{chair + 1}">' in owner.page("/product/oak-chair/"), "its first variation"
    post = {"post_title": "Find", "post_type": "page", "post_status": "publish"}
    post["post_content"] = (
        """[windowshop_search placeholder="Tea & cake"] [windowshop_search hits='"onfocus="alert(1)']"""
    )
    owner.change(post=post)
    shown = owner.page("/find/")
    script = re.findall(r"<script[^>]*embed\.js[^>]*>", shown)
    assert len(script) == 1 and "defer" in script[0] and f'data-shop="{server}"' in script[0], script
    assert f'src="{server}/embed.js"' in script[0].replace("'", '"') and 'data-key="ws_public"' in script[0], script
    assert re.search('<windowshop-search placeholder="Tea &(amp|#0?38); cake"></windowshop-search>', shown)
    assert '<windowshop-search hits="' in shown and '"onfocus' not in shown
    assert "embed.js" not in owner.page("/"), "a page without the search does not load it"


def settings(owner, server):
    owner.follow("/wp-admin/plugins.php", "activate")
    refused = owner.save_settings(server="http://search.example", secret=WOOCOMMERCE_SECRET, similar="1")
    assert "must begin with https://" in refused
    hostile = '"><script>alert(2)</script>'
    shown = owner.save_settings(server=server, secret=WOOCOMMERCE_SECRET, key=hostile + "x", similar="1")
    assert "<script>alert(2)" not in shown
    owner.save_settings(server=server, secret=WOOCOMMERCE_SECRET, key="ws_public", similar="1")
    for form in ({"option_page": "windowshop", "action": "update", "windowshop[server]": "https://evil.example"},):
        try:
            owner.page("/wp-admin/options.php", form)
        except urllib.error.HTTPError as error:
            assert error.code == 403, error
        else:
            raise AssertionError("settings were saved without the page's own token")


def main():
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        images = opened.enter_context(serving_pictures())
        for name, colour in {"mug": RED, "chair": GREEN, "red": RED, "blue": BLUE, "vase": BLUE}.items():
            images.answers[f"/{name}.jpg"] = reply(picture_bytes(colour, (90, 70 + len(name))))
        os.environ |= {
            "WINDOWSHOP_PICTURE_SERVERS": f"127.0.0.1:{images.port}",
            "WINDOWSHOP_WOOCOMMERCE_SECRET": WOOCOMMERCE_SECRET,
        }
        owner = Owner(opened.enter_context(wordpress(folder, opened.enter_context(database(folder)))))
        owner.log_in()

        def image(name):
            return f"http://127.0.0.1:{images.port}/{name}.jpg"

        home = folder / "shop"
        vase = owner.put("Blue vase", ["Vases"], price="80", image=image("vase"))
        print("first reconciliation", reconcile(home, owner.site))
        with serving(home) as (_, port):
            server = f"http://127.0.0.1:{port}"
            wait_until_ready(port)
            assert product(port, vase)["title"] == "Blue vase"
            settings(owner, server)
            mug, chair, seconds = changes(owner, port, image)
            print("found after", {name: round(taken, 2) for name, taken in seconds.items()}, "seconds")
            pages(owner, server, mug, chair)
            print("a night without missed messages", reconcile(home, owner.site)["changes"])
        began = time.monotonic()
        owner.put("Blue vase", post_id=vase, price="70")
        print(f"a change while the server is down holds the shop up for {time.monotonic() - began:.1f} s")
        print("the night after it", reconcile(home, owner.site))
        owner.follow("/wp-admin/plugins.php", "deactivate")
        print(*re.findall(r"webhook .*", (folder / "php.log").read_text()), sep="\n")
        with serving(home) as (_, port):
            wait_until_ready(port)
            assert product(port, vase)["price"] == "70"


if __name__ == "__main__":
    main()
