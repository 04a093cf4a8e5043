# SPDX-License-Identifier: GPL-3.0-or-later
"""witnessctl blackbox: the last log lines, in a file."""
import os
import signal
import stat
import subprocess

import pytest

DUMPS = 10


@pytest.fixture
def start(start_daemon, tmp_path):
    """Daemons that log errors only; their folder for the files."""
    folder = tmp_path / "state"

    def factory(options=()):
        return start_daemon({"global.log_level": "err", "global.blackbox_dir": folder, **dict(options)}), folder

    return factory


def lines(path):
    """What qb-blackbox shows, without what it says of itself."""
    done = subprocess.run(["qb-blackbox", path], capture_output=True, text=True, timeout=30, check=True)
    return [line for line in done.stdout.splitlines() if line.split(" ")[0] in ("notice", "info", "debug", "warning", "error")]


def test_what_the_log_leaves_out_is_kept(start):
    daemon, folder = start()
    with daemon.ntlm() as conn:
        daemon.register(conn)
        path = daemon.ctl("blackbox").stdout.strip()
    assert os.path.dirname(path) == str(folder)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600 and stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    kept = lines(path)
    assert any("witnessd serves FS" in line and line.startswith("notice") for line in kept), kept
    assert any("registration " in line and line.endswith(": made") and line.startswith("info") for line in kept), kept
    assert not any(line.startswith("debug") for line in kept)
    assert "registration " not in daemon.text()
    # Logging goes on after a dump, and after the log was opened anew.
    daemon.process.send_signal(signal.SIGHUP)
    daemon.ctl("log-level", "warning")
    after = lines(daemon.json("blackbox")["file"])
    assert len(after) > len(kept) and any("Log level is warning now" in line for line in after)


def test_there_are_ten_files_and_the_oldest_goes(start):
    daemon, folder = start({"global.blackbox": "debug"})
    first = daemon.ctl("blackbox").stdout.strip()
    assert any(line.startswith("debug") for line in lines(first))
    paths = {first} | {daemon.ctl("blackbox").stdout.strip() for _ in range(DUMPS - 1)}
    assert len(paths) == DUMPS and {str(p) for p in folder.iterdir()} == paths
    assert daemon.ctl("blackbox").stdout.strip() == first
    assert {str(p) for p in folder.iterdir()} == paths


def test_a_link_in_the_way_is_not_followed(start, tmp_path):
    daemon, folder = start()
    target = tmp_path / "precious"
    target.write_text("precious")
    folder.mkdir(0o700)
    for i in range(DUMPS):
        (folder / f"blackbox.{i}").symlink_to(target)
    path = daemon.ctl("blackbox").stdout.strip()
    assert not os.path.islink(path) and target.read_text() == "precious"


def test_a_folder_of_others_is_refused(start, tmp_path):
    daemon, folder = start()
    folder.mkdir()
    for mode in (0o770, 0o1777):
        folder.chmod(mode)
        done = daemon.ctl("blackbox", check=False)
        assert done.returncode == 1 and "nobody else may write there" in done.stderr and str(folder) in done.stderr
    folder.chmod(0o700)
    os.chown(folder, 12345, -1)
    assert daemon.ctl("blackbox", check=False).returncode == 1
    folder.rmdir()
    folder.symlink_to(tmp_path)
    assert "global.blackbox_dir: cannot use" in daemon.ctl("blackbox", check=False).stderr
    folder.unlink()
    folder.write_text("a file")
    assert "Not a directory" in daemon.ctl("blackbox", check=False).stderr
    assert list(tmp_path.glob("blackbox*")) == [] and daemon.ctl("ping").returncode == 0


def test_it_can_be_turned_off(start):
    daemon, folder = start({"global.blackbox": "no"})
    done = daemon.ctl("blackbox", check=False)
    assert done.returncode == 1 and "global.blackbox is no" in done.stderr and not folder.exists()


def test_nothing_stays_in_shared_memory(start):
    daemon, _ = start()
    pid = daemon.process.pid
    assert not [name for name in os.listdir("/dev/shm") if f"witnessd-{pid}-blackbox" in name]
