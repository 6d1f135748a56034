"""Which files are the contracts."""

from __future__ import annotations

from pathlib import Path

from analysis.compiler import own_texts


def test_mocks_and_ape_s_hidden_copy_of_the_libraries_are_not_ours(tmp_path: Path) -> None:
    for name in ("token/Kompute.sol", "mocks/Evil.sol", ".cache/openzeppelin/5.7.0/ERC20.sol"):
        path = tmp_path / "contracts" / name
        path.parent.mkdir(parents=True)
        path.write_text(f"// {name}")

    assert own_texts(tmp_path) == {"contracts/token/Kompute.sol": "// token/Kompute.sol"}
