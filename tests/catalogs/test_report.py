"""What recipes of a catalog become, as a report."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform_manager.catalogs import report
from platform_manager.catalogs.base import Remote, Version
from platform_manager.recipes import Question


def compose(text: str) -> str:
    return f"services:\n  web:\n    image: {text}\n"


@pytest.mark.parametrize(
    ("version", "becomes"),
    [
        (Version("1", compose("web:${TAG:-1}")), "deployable"),
        (Version("1", compose("web:1\n    networks: [backend]\nnetworks: {backend: {external: true}}")), "deployable"),
        (Version("1", compose("web:1\n    networks: [other]\nnetworks: {other: {external: true}}")), "deployable"),
        (Version("1", compose("web:${TAG}")), "needs answers: TAG"),
        (Version("1", compose("web:${TAG:?which}")), "needs answers: TAG"),
        (Version("1", compose("web:${TAG}"), questions=(Question("TAG", default="1"),)), "deployable"),
        (Version("1", compose('web:1\n    ports: ["${PORT}:80"]')), "needs answers: PORT"),
        (Version("1", compose("web:1\n    hostname: ${STACK_NAME}")), "deployable"),
        (Version("1", compose("web:1\n    environment: [OPTIONAL]")), "deployable"),
        (Version("1", refusal="It is old."), "refused: It is old."),
        (
            Version("1", remote=Remote("https://git.example.org/a/b", "c.yml")),
            "its file is still to be read from https://git.example.org/a/b",
        ),
    ],
)
def test_each_version_becomes_one_of_four_things(version: Version, becomes: str) -> None:
    assert report.becomes(version) == becomes


def test_what_no_answer_mends_is_refused_with_the_reason() -> None:
    for text in ("Web:1", "web:1\n    env_file: gone.env", "${A}\n    env_file: gone.env"):
        assert report.becomes(Version("1", compose(text))).startswith("refused: Line ")


def test_the_report_of_a_folder_is_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "docker-compose.yml").write_text(compose("web:1"))
    (tmp_path / "link").symlink_to("/etc")
    assert report.main([str(tmp_path)]) == 0
    written = capsys.readouterr().out
    assert "web/docker-compose.yml  Web    current  deployable" in written
    assert written.endswith("1 recipes (Compose files)\n")


def test_a_folder_that_is_none_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report.main([str(tmp_path / "gone")]) == 1
    assert "no folder" in capsys.readouterr().err
    assert report.main([]) == 2
