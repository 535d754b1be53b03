"""python -m search rules: the same table out and in, and who did it."""

import json

import pytest
from click.testing import CliRunner

from search.__main__ import main
from search.merchandising.rule_store import RuleStore

TABLE = "action,question,target,number\npin,red mug,m1,2\nhide,,brand=Acme,\n"


@pytest.fixture
def run(tmp_path):
    def ran(*words, exit_code=0):
        done = CliRunner().invoke(main, ["rules", words[0], "--home", str(tmp_path), *words[1:]])
        assert done.exit_code == exit_code, done.output
        return done

    return ran


def test_import_export_list_remove_and_log(run, tmp_path):
    table, copy = tmp_path / "rules.csv", tmp_path / "copy.csv"
    table.write_text(TABLE)
    assert json.loads(run("import", str(table), "--dry-run", "--json").stdout)["added"] == 2
    assert RuleStore(tmp_path).all() == ()
    run("import", str(table))
    run("export", str(copy))
    assert run("export").stdout.splitlines() == copy.read_text().splitlines()
    assert json.loads(run("import", str(copy), "--only", "--json").stdout)["unchanged"] == 2
    assert "red mug" in run("list").stdout
    listed = json.loads(run("list", "--json").stdout)["rules"]
    assert [rule["match"] for rule in listed] == ["exact", "every"]
    run("remove", str(listed[1]["id"]))
    run("remove", "99", exit_code=1)
    assert len(RuleStore(tmp_path).all()) == 1
    changes = json.loads(run("log", "--json").stdout)["changes"]
    assert [change["kind"] for change in changes] == ["removed", "added", "added"]
    assert all(change["by"].startswith("command line") for change in changes)
    assert len(run("log", "--limit", "1").stdout.splitlines()) == 1


def test_a_bad_table_changes_nothing(run, tmp_path):
    table = tmp_path / "rules.csv"
    table.write_text(TABLE + "pin,,m2,\n")
    assert "line 4" in run("import", str(table), exit_code=1).stderr
    assert RuleStore(tmp_path).all() == ()
