"""Users of a folder share it; a remover has it alone, or not at all."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from catalog.files.locks import exclusive_lock, shared_lock


def test_users_share_and_keep_removers_out(tmp_path):
    with shared_lock(tmp_path), shared_lock(tmp_path), exclusive_lock(tmp_path, 0.05) as free:
        assert not free
    with exclusive_lock(tmp_path, 0.0) as free:
        assert free
        with exclusive_lock(tmp_path, 0.05) as second:
            assert not second


def test_users_wait_for_a_remover(tmp_path):
    order = []

    def use():
        with shared_lock(tmp_path):
            order.append("used")

    with exclusive_lock(tmp_path) as free:
        assert free
        user = threading.Thread(target=use)
        user.start()
        time.sleep(0.1)
        order.append("removed")
    user.join()
    assert order == ["removed", "used"]


def test_a_remover_waits_as_long_as_it_may(tmp_path):
    held = threading.Event()

    def use():
        with shared_lock(tmp_path):
            held.set()
            time.sleep(0.15)

    user = threading.Thread(target=use)
    user.start()
    held.wait()
    with exclusive_lock(tmp_path, 30.0) as free:
        assert free
    user.join()


def test_a_killed_user_lets_go(tmp_path):
    code = "import sys, time, pathlib; from catalog.files.locks import shared_lock\n"
    code += "with shared_lock(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as user:
        assert user.stdout.readline() == b"held\n"
        with exclusive_lock(tmp_path, 0.0) as free:
            assert not free
        os.kill(user.pid, signal.SIGKILL)
        user.wait()
    with exclusive_lock(tmp_path, 0.0) as free:
        assert free


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError), shared_lock(tmp_path / "none"):
        pass
