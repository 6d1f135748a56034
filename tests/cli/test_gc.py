"""`gc` and `down` as processes, where the kernel does not let go of what a killed devnet left."""

from __future__ import annotations

from devnet.base.folder import DevnetFolder
from tests.cli.conftest import Shell
from tests.cluster.grouped import frozen, sleeper_in


def test_what_could_not_be_ended_is_named_with_exit_1(devnet: Shell) -> None:
    folder = DevnetFolder.open(start=devnet.folder)
    with sleeper_in(folder.id, "one") as process, frozen(process.pid):
        why = f"control groups are left 5 s after SIGKILL: sleep (pid {process.pid}, D)"
        told = devnet("gc")
        assert (told.code, told.err) == (1, "")
        assert told.out == f"default: cleared\n  could not end {why}\n"
        as_json = devnet("gc", "--json")
        assert as_json.code == 1
        assert [each["left"] for each in as_json.json()["devnets"]] == [[why]]
        down = devnet("down", "--json")
        assert (down.code, down.json()["left"]) == (1, [why])
    cleared = devnet("gc")
    assert cleared.code == 0
    assert cleared.out.startswith("default: cleared\n  removed cgroup /sys/fs/cgroup/")
    assert devnet("gc").out == "default: clean\n"
