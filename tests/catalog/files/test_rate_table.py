"""The shared token buckets: one count for threads and processes, a fixed size, and no address to read in the file."""

import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from catalog.files.rate_table import MAX_CALLERS, TABLE_BYTES, WAYS, RateTable

TAKE = """
import sys
from pathlib import Path
from catalog.files.rate_table import RateTable
table = RateTable(Path(sys.argv[1]))
print(sum(table.take("a", 10.0, 500.0, 1_000.0) == 0 for _ in range(400)))
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rate-limits.bin"


def test_tables_of_one_file_count_together(path):
    first, second = RateTable(path), RateTable(path)
    assert [first.take("a", 1.0, 2.0, 100.0), second.take("a", 1.0, 2.0, 100.0)] == [0.0, 0.0]
    assert [first.take("a", 1.0, 2.0, 100.0), second.take("a", 1.0, 2.0, 100.25)] == [1.0, 0.75]
    assert second.take("b", 1.0, 2.0, 100.0) == 0.0
    assert first.take("a", 1.0, 2.0, 101.0) == 0.0


def test_processes_and_threads_at_once_take_no_token_twice(path):
    processes = [
        subprocess.Popen([sys.executable, "-c", TAKE, path], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    table, taken = RateTable(path), []
    threads = [
        threading.Thread(
            target=lambda: taken.append(sum(not table.take("a", 10.0, 500.0, 1_000.0) for _ in range(200)))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) + sum(int(process.communicate()[0]) for process in processes) == 500


def test_a_caller_that_was_not_seen_for_longest_gives_way(path):
    table = RateTable(path)
    for number in range(2 * MAX_CALLERS // WAYS):
        assert table.take(f"caller {number}", 1.0, 1.0, 100.0 + number) == 0.0
    assert path.stat().st_size < TABLE_BYTES + 4096
    assert table.take(f"caller {number}", 1.0, 1.0, 100.0 + number) == 1.0


def test_a_clock_that_was_set_back_locks_nobody_out(path):
    table = RateTable(path)
    assert [table.take("a", 60.0, 2.0, 5_000.0) for _ in range(3)] == [0.0, 0.0, 60.0]
    assert table.take("a", 60.0, 2.0, 1_000.0) == 0.0


def test_no_caller_can_be_read_in_the_file_and_each_file_has_a_key_of_its_own(tmp_path):
    contents = []
    for name in ("one", "two"):
        table = RateTable(tmp_path / name)
        table.take("198.51.100.7", 1.0, 1.0, 100.0)
        contents.append((tmp_path / name).read_bytes()[:TABLE_BYTES])
    assert contents[0] != contents[1]
    assert b"198.51" not in contents[0]
    assert oct((tmp_path / "one").stat().st_mode)[-3:] == "600"


def test_a_file_that_cannot_be_used_is_replaced_by_memory_and_the_log_says_so(tmp_path, caplog):
    table = RateTable(tmp_path)
    assert [table.take("a", 1.0, 1.0, 100.0), table.take("a", 1.0, 1.0, 100.0)] == [0.0, 1.0]
    assert "counted by this process alone" in caplog.text


def test_a_table_that_nobody_uses_frees_its_file(path):
    def opened():
        return sum(links_to(file, path) for file in Path("/proc/self/fd").iterdir())

    table = RateTable(path)
    assert opened() > 0
    del table
    gc.collect(1)  # what was made just now
    assert opened() == 0


def links_to(file, path):
    try:
        return file.readlink() == path
    except OSError:  # closed meanwhile by another thread of the tests
        return False
