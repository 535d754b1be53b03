"""A configuration that is open to more people than it should be is not started, and the reason is one line."""

import logging

import pytest
from click.testing import CliRunner

from tests.web.shop_fixtures import write_keys
from web.__main__ import main
from web.cli.startup_checks import check_safe, is_reachable_from_outside
from web.errors import UnsafeConfiguration
from web.settings import Settings


@pytest.fixture
def shop(tmp_path):
    tmp_path.chmod(0o700)
    write_keys(tmp_path)
    (tmp_path / "current").write_text("1")
    return tmp_path


def test_what_is_safe_starts(shop, caplog):
    caplog.set_level(logging.WARNING)
    check_safe(Settings(home=shop))
    check_safe(Settings(home=shop, host="0.0.0.0", trusted_hosts="shop.example"))
    check_safe(Settings(home=shop, public_read=False))
    (shop / "keys.json").unlink()
    check_safe(Settings(home=shop, host="0.0.0.0", trusted_hosts="shop.example"))
    assert caplog.text == ""


@pytest.mark.promise("S18")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "shop.example"])
def test_debug_is_not_started_where_others_can_reach_it(shop, monkeypatch, host):
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with pytest.raises(UnsafeConfiguration, match="FLASK_DEBUG"):
        check_safe(Settings(home=shop, host=host))
    check_safe(Settings(home=shop, host="127.0.0.1"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o660])
def test_keys_that_others_may_read_or_change(shop, mode):
    (shop / "keys.json").chmod(mode)
    with pytest.raises(UnsafeConfiguration, match="chmod 600"):
        check_safe(Settings(home=shop))


def test_a_shop_that_everybody_may_change(shop):
    shop.chmod(0o777)
    with pytest.raises(UnsafeConfiguration, match="chmod o-w"):
        check_safe(Settings(home=shop))


def test_a_closed_shop_without_a_key(shop):
    (shop / "keys.json").write_text("[]")
    with pytest.raises(UnsafeConfiguration, match=r"key create .* --scope read"):
        check_safe(Settings(home=shop, public_read=False))


def test_what_should_be_looked_at_is_warned_of(shop, caplog):
    check_safe(Settings(home=shop, host="0.0.0.0", reads_per_minute=0, trusted_proxies=1))
    assert [word for word in ("TRUSTED_HOSTS", "not limited", "Proxies") if word in caplog.text] == [
        "TRUSTED_HOSTS",
        "not limited",
        "Proxies",
    ]


@pytest.mark.parametrize("what", ["serve", "demo"])
def test_the_command_says_so_in_one_line(shop, what):
    (shop / "keys.json").chmod(0o644)
    result = CliRunner().invoke(main, [what, "--home", str(shop), "--port", "0"])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("Error: The server does not start: Other users") and "chmod 600" in result.stderr


def test_addresses_that_others_can_reach():
    assert not any(map(is_reachable_from_outside, ("127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost")))
    assert all(map(is_reachable_from_outside, ("0.0.0.0", "::", "10.0.0.1", "192.0.2.1", "shop.example", "")))
