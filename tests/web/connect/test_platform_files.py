"""The files that go into the shops: the plug-in agrees with the server, the theme's block with the embedded search."""

import json
import re
import shutil
import subprocess

import pytest

from tests.web.connect.platform_messages import WOOCOMMERCE
from tests.web.test_main import ROOT
from web.connect.webhooks import WOOCOMMERCE_TOPICS

CONNECT = ROOT / "docs" / "connect"
PLUGIN = CONNECT / "woocommerce" / "windowshop" / "windowshop.php"
BLOCK = CONNECT / "shopify" / "blocks" / "windowshop.liquid"


def test_the_plugin_sends_what_the_server_takes():
    text = PLUGIN.read_text()
    assert re.search(r"WINDOWSHOP_PATH += '([^']+)'", text)[1] == WOOCOMMERCE
    assert set(re.findall(r"'(product\.\w+)'", text)) == set(WOOCOMMERCE_TOPICS)


@pytest.mark.skipif(shutil.which("php") is None, reason="there is no PHP here")
def test_the_plugin_is_valid_php():
    subprocess.run(["php", "-l", PLUGIN], check=True, stdout=subprocess.DEVNULL)


def test_the_themes_block_uses_its_settings_and_the_attributes_of_the_embedded_search():
    liquid, _, rest = BLOCK.read_text().partition("{% schema %}")
    schema = json.loads(rest.partition("{% endschema %}")[0])
    assert set(re.findall(r"block\.settings\.(\w+)", liquid)) == {setting["id"] for setting in schema["settings"]}
    kinds = {option["value"] for option in schema["settings"][0]["options"]} - {"search"}
    documented = (ROOT / "docs" / "embed.md").read_text()
    used = [*kinds, *re.findall(r" (data-\w+)=", liquid), *re.findall(r"(--windowshop-[\w-]+):", liquid)]
    used += [name for tag in re.findall(r"<windowshop-\w+ [^<]*?></", liquid) for name in re.findall(r" (\w+)=\"", tag)]
    assert len(used) >= 11 and [name for name in used if f"`{name}`" not in documented] == []
