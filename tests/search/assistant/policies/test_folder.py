"""The files of the folder are read as they are now; what cannot be read is reported and harms nothing."""

import os

from search.assistant.policies.folder import MAX_BYTES, PolicyFolder, file_language


def write(folder, name, text):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def found(folder):
    return [(passage.id, passage.language) for passage in folder.current().passages]


def test_a_shop_without_policies(tmp_path):
    folder = PolicyFolder.of_shop(tmp_path)
    assert folder.current().passages == () and folder.current().problems == ()


def test_passages_have_file_anchor_and_language(tmp_path):
    policies = tmp_path / "policies"
    write(policies, "returns.md", "# Time\nYou have 30 days to return it.\n\nSale items as well.")
    write(policies, "returns.zh.md", "# 时间\n三十天内可以退货。")
    write(policies, "versand.md", "Der Versand kostet 5 Euro und dauert zwei Tage.")
    assert found(PolicyFolder.of_shop(tmp_path)) == [
        ("returns.md#time", "en"),
        ("returns.md#time-2", "en"),
        ("returns.zh.md#时间", "zh"),
        ("versand.md", "de"),
    ]


def test_changes_are_seen_without_a_restart(tmp_path):
    folder = PolicyFolder(tmp_path / "policies")
    assert found(folder) == []
    path = write(tmp_path / "policies", "a.md", "One text.")
    first = folder.current()
    assert len(first.passages) == 1 and folder.current() is first
    path.write_text("Another text, and longer.")
    assert folder.current().passages[0].text == "Another text, and longer."
    path.unlink()
    assert found(folder) == []


def test_what_cannot_be_read_is_reported_and_the_rest_is_served(tmp_path):
    policies = tmp_path / "policies"
    write(policies, "good.md", "A good text.")
    write(policies, "huge.md", "x" * (MAX_BYTES + 1))
    write(policies, "notes.txt", "No policy.")
    write(policies, ".hidden.md", "No policy.")
    (policies / "latin.md").write_bytes("Rückgabe".encode("latin-1"))
    (policies / "folder.md").mkdir()
    secret = write(tmp_path / "elsewhere", "secret.md", "A secret.")
    (policies / "link.md").symlink_to(secret)
    texts = PolicyFolder(policies).current()
    assert [passage.text for passage in texts.passages] == ["A good text."]
    assert {(problem.file, problem.reason) for problem in texts.problems} == {
        ("huge.md", "too_large"),
        ("latin.md", "not_text"),
        ("link.md", "outside"),
    }


def test_a_pipe_in_the_folder_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    assert PolicyFolder(tmp_path).current().passages == ()


def test_the_language_in_a_name():
    assert file_language("returns.zh.md") == ("returns", "zh")
    assert file_language("returns_de.md") == ("returns", "de")
    assert file_language("returns.zh-CN.md") == ("returns", "zh")
    assert file_language("contact-us.md") == ("contact-us", "")
    assert file_language("delivery.md") == ("delivery", "")
