"""A node that only tries says what a node of a cluster says, or the machine's own words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.errors import ClusterLacks
from cluster.native.provider import NativeCluster
from cluster.native.trial import try_node
from devnet.base.toolchain import Toolchain

REFUSING = "#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2; exit 1\n"


def test_it_says_what_the_nodes_of_a_cluster_say(native: NativeCluster, tools: Path) -> None:
    assert try_node(tools, Toolchain().bubblewrap()) == native.enforcement()


def test_a_machine_that_allows_nothing_is_told_in_its_words(tools: Path, tmp_path: Path) -> None:
    refused = tmp_path / "bwrap"
    refused.write_text(REFUSING)
    refused.chmod(0o755)
    with pytest.raises(ClusterLacks, match="No permissions to create a new namespace"):
        try_node(tools, refused)


def test_doctor_tells_it(tools: Path) -> None:
    told = subprocess.run(
        [Path(sys.executable).with_name("devnet"), "doctor", "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ,
    )
    said = try_node(tools, Toolchain().bubblewrap())
    assert json.loads(told.stdout)["native"] == {
        "enforced": list(said.enforced),
        "narrowed": list(said.narrowed),
    }
