"""pip's settings under uv's names: file < environment, and uv's own win."""

from pathlib import Path

from devnet.base.registries import pip_settings, uv_environment


def home(tmp_path: Path, text: str) -> dict[str, str]:
    folder = tmp_path / ".config" / "pip"
    folder.mkdir(parents=True)
    (folder / "pip.conf").write_text(text)
    return {"HOME": str(tmp_path)}


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    environment = home(tmp_path, "[global]\nindex-url = http://file.example/simple\n")
    assert pip_settings(environment)["index-url"] == "http://file.example/simple"
    environment["PIP_INDEX_URL"] = "http://variable.example/simple"
    assert pip_settings(environment)["index-url"] == "http://variable.example/simple"


def test_uv_gets_index_links_and_certificates(tmp_path: Path) -> None:
    environment = home(
        tmp_path,
        "[global]\nindex-url = http://a.example/simple\nextra-index-url =\n"
        "    http://b.example/simple\n    http://c.example/simple\n"
        "find-links = /wheels /more\ncert = /ca.pem\n",
    )
    added = uv_environment(environment)
    assert added["UV_DEFAULT_INDEX"] == "http://a.example/simple"
    assert added["UV_INDEX"] == "http://b.example/simple http://c.example/simple"
    assert added["UV_FIND_LINKS"] == "/wheels,/more"
    assert added["SSL_CERT_FILE"] == "/ca.pem"


def test_what_is_set_for_uv_stays(tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PIP_INDEX_URL": "http://pip.example/simple"}
    assert "UV_DEFAULT_INDEX" not in uv_environment(environment | {"UV_INDEX_URL": "http://u"})
    assert "UV_DEFAULT_INDEX" not in uv_environment(environment | {"UV_DEFAULT_INDEX": "http://u"})
