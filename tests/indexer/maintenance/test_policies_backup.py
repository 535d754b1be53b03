"""A backup has the shop's policies as they were, whatever is written into the files later."""

from catalog.home import ShopHome
from indexer.build.build import build_index
from indexer.maintenance.backup import backup, restore
from tests.fake_encoder import FakeEncoder
from tests.indexer.shop_fixtures import colour_shop


def test_policies_come_back_as_they_were(tmp_path):
    home = tmp_path / "home"
    build_index(home, colour_shop(tmp_path / "feed"), FakeEncoder())
    policies = ShopHome(home).policies
    policies.mkdir()
    (policies / "returns.md").write_text("You have 30 days.")
    (policies / ".returns.md.swp").write_text("an editor's")
    (policies / "secret.md").symlink_to(home / "current")
    backup(home, tmp_path / "backup")
    with (policies / "returns.md").open("r+") as file:  # as an editor that writes in place
        file.write("We have 10 days.")
    restore(tmp_path / "backup", tmp_path / "restored")
    restored = ShopHome(tmp_path / "restored").policies
    assert {path.name: path.read_text() for path in restored.iterdir()} == {"returns.md": "You have 30 days."}
