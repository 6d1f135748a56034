from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devnet.base.errors import DevnetError
from devnet.record import bundle as module
from devnet.record.bundle import BundleAltered, NotABundle, RecordedBlock, open_bundle
from devnet.record.folder import RunFolder, seal
from tests.record.recorded import genesis, repack

HASH = "0x" + "11" * 32
BLOCK = {"number": 1, "timestamp": 720, "hash": HASH, "run": 1, "transactions": []}


@pytest.fixture()
def sealed(tmp_path: Path) -> Path:
    """A run of one block, one event and one step."""
    with RunFolder(tmp_path / "run") as run:
        run.document("genesis.json", genesis())
        run.document("names.json", {"0xAB": "alice"})
        run.line("blocks.jsonl", BLOCK)
        run.line("events.jsonl", {"name": "Staked"})
        run.line("steps.jsonl", {"verb": "stake"})
        run.line("history.jsonl", {"operation": 1})
        run.line("inputs.jsonl", {"to": "gatekeeper-1"})
    return seal(tmp_path / "run", {"verdict": "passed"})


class TestReading:
    @pytest.mark.parametrize("what", ["file", "folder"])
    def test_every_part(self, sealed: Path, what: str) -> None:
        path = sealed if what == "file" else sealed.with_name("run")
        with open_bundle(path) as bundle:
            assert bundle.sealed
            assert bundle.manifest["verdict"] == "passed"
            assert bundle.genesis == genesis()
            assert bundle.names == {"0xab": "alice"}
            assert list(bundle.blocks()) == [RecordedBlock(1, 1, 720, HASH, 1, ())]
            assert list(bundle.events()) == [{"name": "Staked"}]
            assert list(bundle.steps()) == [{"verb": "stake"}]
            assert list(bundle.history()) == [{"operation": 1}]
            assert list(bundle.inputs()) == [{"to": "gatekeeper-1"}]
            assert bundle.notes == []

    def test_a_folder_that_was_never_sealed(self, sealed: Path) -> None:
        folder = sealed.with_name("run")
        (folder / "manifest.json").unlink()
        (folder / "events.jsonl").unlink()
        with open_bundle(folder) as bundle:
            assert not bundle.sealed
            assert list(bundle.events()) == []
            assert len(list(bundle.blocks())) == 1
            assert bundle.notes == [
                "the run was cut short: it has no manifest, nothing vouches for its files"
            ]

    def test_a_last_line_cut_off_is_left_out_and_said(self, sealed: Path) -> None:
        folder = sealed.with_name("run")
        (folder / "manifest.json").unlink()
        with (folder / "blocks.jsonl").open("a") as stream:
            stream.write('{"number":2,')
        with open_bundle(folder) as bundle:
            assert [block.number for block in bundle.blocks()] == [1]
            assert list(bundle.blocks())
            assert bundle.notes[1:] == [
                "blocks.jsonl:2, the last line, was cut off and is left out"
            ]

    def test_a_broken_line_elsewhere_is_named(self, sealed: Path) -> None:
        folder = sealed.with_name("run")
        (folder / "manifest.json").unlink()
        (folder / "blocks.jsonl").write_text("{oops\n" + json.dumps(BLOCK) + "\n")
        with open_bundle(folder) as bundle, pytest.raises(NotABundle, match=r"blocks\.jsonl:1"):
            list(bundle.blocks())

    def test_nesting_without_end_is_named(self, sealed: Path) -> None:
        deep = b"[" * 100_000 + b"\n"
        with open_bundle(repack(sealed, lambda files: files.update({"events.jsonl": deep}))) as b:
            with pytest.raises(NotABundle, match=r"events\.jsonl:1"):
                list(b.events())

    @pytest.mark.parametrize(
        "change",
        [
            {"number": -1},
            {"number": "1"},
            {"number": True},
            {"hash": "0x12"},
            {"hash": None},
            {"run": 0},
            {"transactions": [{"hash": HASH, "raw": "zz"}]},
            {"transactions": [{"hash": HASH}]},
            {"transactions": [{"hash": HASH, "raw": "0x00"}], "run": 2},
            {"transactions": None},
        ],
        ids=str,
    )
    def test_what_is_no_block_is_named(self, sealed: Path, change: dict[str, object]) -> None:
        def edit(files: dict[str, bytes]) -> None:
            files["blocks.jsonl"] = json.dumps({**BLOCK, **change}).encode() + b"\n"

        with open_bundle(repack(sealed, edit)) as bundle:
            with pytest.raises(NotABundle, match=r"blocks\.jsonl:1 is no block"):
                list(bundle.blocks())


class TestRefused:
    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(NotABundle, match="there is no bundle"), open_bundle(tmp_path / "no"):
            pass

    def test_an_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(NotABundle, match="is no bundle"), open_bundle(tmp_path):
            pass

    def test_another_file(self, tmp_path: Path) -> None:
        (tmp_path / "x.zip").write_text("hello")
        with pytest.raises(NotABundle, match="is no bundle"), open_bundle(tmp_path / "x.zip"):
            pass

    def test_a_zip_without_a_manifest(self, sealed: Path) -> None:
        altered = repack(sealed, lambda files: files.pop("manifest.json") and None)
        with pytest.raises(NotABundle, match=r"no manifest\.json") as raised, open_bundle(altered):
            pass
        assert raised.value.exit_code == 2

    def test_an_unknown_version(self, sealed: Path) -> None:
        def edit(files: dict[str, bytes]) -> None:
            files["manifest.json"] = b'{"version": 7, "files": {}}'

        altered = repack(sealed, edit, rehash=False)
        with pytest.raises(NotABundle, match="version 7; this devnet reads 1"):
            with open_bundle(altered):
                pass

    @pytest.mark.parametrize("name", ["../evil", "/etc/evil", "logs/../../evil", "a\\b"])
    def test_a_name_outside(self, sealed: Path, name: str) -> None:
        with zipfile.ZipFile(sealed, "a") as archive:
            archive.writestr(name, b"x")
        with pytest.raises(NotABundle, match="lie outside"), open_bundle(sealed):
            pass

    def test_one_name_twice(self, sealed: Path) -> None:
        with zipfile.ZipFile(sealed, "a") as archive, pytest.warns(UserWarning):
            archive.writestr("genesis.json", b"{}")
        with pytest.raises(NotABundle, match="2 files named"), open_bundle(sealed):
            pass

    def test_more_than_the_limits(self, sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MAX_BYTES", 100)
        with pytest.raises(NotABundle, match="would unpack to"), open_bundle(sealed):
            pass

    def test_a_document_that_unpacks_beyond_its_limit(
        self, sealed: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        altered = repack(sealed, lambda files: files.update({"names.json": b" " * 200_000}))
        monkeypatch.setattr(module, "MAX_DOCUMENT_BYTES", 100_000)
        with open_bundle(altered) as bundle:
            with pytest.raises(NotABundle, match=r"names\.json is larger than 100000 bytes"):
                bundle.names  # noqa: B018

    def test_a_line_without_an_end(self, sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        altered = repack(sealed, lambda files: files.update({"events.jsonl": b"[" * 200_000}))
        monkeypatch.setattr(module, "MAX_LINE_BYTES", 100_000)
        with open_bundle(altered) as bundle, pytest.raises(NotABundle, match="longer than"):
            list(bundle.events())


class TestHashes:
    def test_a_changed_file(self, sealed: Path) -> None:
        altered = repack(sealed, lambda f: f.update({"genesis.json": b"{}"}), rehash=False)
        with pytest.raises(BundleAltered) as raised, open_bundle(altered):
            pass
        assert raised.value.exit_code == 5
        assert raised.value.file == "genesis.json"
        assert raised.value.recorded != raised.value.found
        assert raised.value.recorded in str(raised.value)
        assert raised.value.found in str(raised.value)

    def test_a_missing_file(self, sealed: Path) -> None:
        altered = repack(sealed, lambda f: f.pop("events.jsonl") and None, rehash=False)
        with pytest.raises(BundleAltered, match="no such file"), open_bundle(altered):
            pass

    def test_blocks_the_manifest_keeps_silent_about(self, sealed: Path) -> None:
        def edit(files: dict[str, bytes]) -> None:
            manifest = json.loads(files["manifest.json"])
            del manifest["files"]["blocks.jsonl"]
            files["manifest.json"] = json.dumps(manifest).encode()

        altered = repack(sealed, edit, rehash=False)
        with pytest.raises(BundleAltered, match=r"blocks\.jsonl"), open_bundle(altered):
            pass

    def test_a_changed_folder(self, sealed: Path) -> None:
        (sealed.with_name("run") / "inputs.jsonl").write_text("")
        with pytest.raises(BundleAltered, match=r"inputs\.jsonl"):
            with open_bundle(sealed.with_name("run")):
                pass

    def test_the_report_may_read_without(self, sealed: Path) -> None:
        (sealed.with_name("run") / "inputs.jsonl").write_text("")
        with open_bundle(sealed.with_name("run"), verify=False) as bundle:
            assert list(bundle.inputs()) == []


@settings(deadline=None)
@given(data=st.data())
def test_any_damage_gives_an_error_of_the_family_or_the_same_run(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    buffer = io.BytesIO()
    folder = tmp_path_factory.mktemp("damage")
    with RunFolder(folder / "run") as run:
        run.document("genesis.json", genesis())
        run.line("blocks.jsonl", BLOCK)
    whole = seal(folder / "run", {}).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        buffer.write(whole[:place])
    else:
        buffer.write(whole[:place] + bytes([whole[place] ^ data.draw(st.integers(1, 255))]))
        buffer.write(whole[place + 1 :])
    damaged = folder / "damaged.kompute.zip"
    damaged.write_bytes(buffer.getvalue())
    try:
        with open_bundle(damaged) as bundle:
            blocks = list(bundle.blocks())
    except DevnetError as error:
        assert error.exit_code in (2, 5)
    else:
        assert [block.hash for block in blocks] == [HASH]
