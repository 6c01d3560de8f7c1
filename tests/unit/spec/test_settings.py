"""Settings from four sources."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from specular_tui.errors import ExitCode, SettingsError
from specular_tui.model.policy import CheckpointPolicy, ExecutionPolicy, Policy
from specular_tui.spec.settings import checkpoint_directory, resolve

CWD = Path("/srv/webapp")
POLICY = Policy(
    execution=ExecutionPolicy(jobs=3),
    checkpoints=CheckpointPolicy(
        enabled=False, directory="from-policy", interval_minutes=7.5, task_interval=20, max_size_mb=1.5, compress=True
    ),
)
ENVIRON = {
    "SPECULAR_CHECKPOINT_ENABLED": "true",
    "SPECULAR_CHECKPOINT_DIR": "/tmp/from-environ",
    "SPECULAR_CHECKPOINT_INTERVAL": "10",
}


def test_defaults() -> None:
    settings = resolve(Policy(), environ={}, cwd=CWD)
    assert settings.checkpoints_enabled
    assert settings.checkpoint_dir == CWD / ".specular/checkpoints"
    assert settings.interval_ms == 300_000
    assert settings.task_interval == 10
    assert 1 <= settings.jobs <= (os.cpu_count() or 1)
    assert settings.validate_on_resume
    assert not settings.strict_hash_check
    assert not settings.compress
    assert settings.max_size_bytes == 500 * 1024 * 1024
    assert settings.retention == CheckpointPolicy().retention


def test_policy_before_defaults() -> None:
    settings = resolve(POLICY, environ={}, cwd=CWD)
    assert settings.policy is POLICY
    assert not settings.checkpoints_enabled
    assert settings.checkpoint_dir == CWD / "from-policy"
    assert settings.interval_ms == 450_000
    assert settings.task_interval == 20
    assert settings.jobs == 3
    assert settings.compress
    assert settings.max_size_bytes == 1_572_864


def test_environment_before_policy() -> None:
    settings = resolve(POLICY, environ=ENVIRON, cwd=CWD)
    assert settings.checkpoints_enabled
    assert settings.checkpoint_dir == Path("/tmp/from-environ")
    assert settings.interval_ms == 600_000


def test_command_line_before_environment() -> None:
    settings = resolve(
        POLICY, environ=ENVIRON, cwd=CWD, checkpoint_dir="here", interval_ms=2_000, task_interval=1, jobs=8
    )
    assert settings.checkpoint_dir == CWD / "here"
    assert settings.interval_ms == 2_000
    assert settings.task_interval == 1
    assert settings.jobs == 8


def test_an_empty_variable_counts_as_not_set() -> None:
    assert resolve(POLICY, environ=dict.fromkeys(ENVIRON, ""), cwd=CWD) == resolve(POLICY, environ={}, cwd=CWD)


@pytest.mark.parametrize(
    ("text", "enabled"),
    [
        *((text, True) for text in ["true", "TRUE", "1", "Yes", " on "]),
        *((text, False) for text in ["false", "False", "0", "no", "OFF"]),
    ],
)
def test_enabled(text: str, enabled: bool) -> None:
    policy = Policy(checkpoints=CheckpointPolicy(enabled=not enabled))
    settings = resolve(policy, environ={"SPECULAR_CHECKPOINT_ENABLED": text}, cwd=CWD)
    assert settings.checkpoints_enabled is enabled


@pytest.mark.parametrize(("text", "ms"), [("5", 300_000), ("0.5", 30_000), (".5", 30_000), (" 2 ", 120_000)])
def test_interval(text: str, ms: int) -> None:
    assert resolve(Policy(), environ={"SPECULAR_CHECKPOINT_INTERVAL": text}, cwd=CWD).interval_ms == ms


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ENABLED", "maybe", "SPECULAR_CHECKPOINT_ENABLED must be true or false, not 'maybe'"),
        ("ENABLED", "\x1b[2J", "SPECULAR_CHECKPOINT_ENABLED must be true or false, not '\\x1b[2J'"),
        ("ENABLED", "2", "SPECULAR_CHECKPOINT_ENABLED must be true or false, not '2'"),
        *(
            ("INTERVAL", text, f"SPECULAR_CHECKPOINT_INTERVAL must be a number of minutes above 0, not '{text}'")
            for text in ["0", "-1", "nan", "inf", "5m", "1e0", "1_0", "١", "9" * 30]
        ),
        ("DIR", "a\0b", "the checkpoint directory 'a\\x00b' cannot be the name of a folder"),
    ],
)
def test_a_wrong_variable_is_named(name: str, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve(Policy(), environ={f"SPECULAR_CHECKPOINT_{name}": text}, cwd=CWD)
    assert caught.value.message == message
    assert caught.value.exit_code is ExitCode.USAGE


def test_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert checkpoint_directory("~/runs", {}, CWD) == Path("/home/me/runs")
    assert checkpoint_directory("~", {}, CWD) == Path("/home/me")
    assert checkpoint_directory("~other", {}, CWD) == CWD / "~other"


class TestCheckpointDirectory:
    def write(self, folder: Path, text: str) -> None:
        (folder / ".specular").mkdir()
        (folder / ".specular" / "policy.yaml").write_text(text)

    def test_default(self, tmp_path: Path) -> None:
        assert checkpoint_directory(None, {}, tmp_path) == tmp_path / ".specular/checkpoints"

    @pytest.mark.parametrize(
        ("text", "directory"),
        [
            ("checkpoints: {directory: runs}", "runs"),
            ('checkpoints: {"dire\\x63tory": runs}', "runs"),
            ("checkpoints: {enabled: true}", ".specular/checkpoints"),
            ("checkpoints:\nother: {directory: x}", ".specular/checkpoints"),
            ("[not, a, policy, directory]", ".specular/checkpoints"),
            ("", ".specular/checkpoints"),
        ],
    )
    def test_policy(self, tmp_path: Path, text: str, directory: str) -> None:
        self.write(tmp_path, text)
        assert checkpoint_directory(None, {}, tmp_path) == tmp_path / directory

    def test_a_named_policy(self, tmp_path: Path) -> None:
        (tmp_path / "p.yaml").write_text("checkpoints: {directory: /runs}")
        assert checkpoint_directory(None, {}, tmp_path, Path("p.yaml")) == Path("/runs")
        with pytest.raises(SettingsError, match=r"^policy not found: q\.yaml$"):
            checkpoint_directory(None, {}, tmp_path, Path("q.yaml"))

    def test_what_comes_before_the_policy_leaves_it_unread(self, tmp_path: Path) -> None:
        self.write(tmp_path, "directory: [")
        assert checkpoint_directory("cli", {"SPECULAR_CHECKPOINT_DIR": "environ"}, tmp_path) == tmp_path / "cli"
        assert checkpoint_directory(None, {"SPECULAR_CHECKPOINT_DIR": "environ"}, tmp_path) == tmp_path / "environ"
        with pytest.raises(SettingsError, match=r"^\.specular/policy\.yaml:2:1: not valid YAML"):
            checkpoint_directory(None, {}, tmp_path)

    def test_a_wrong_directory(self, tmp_path: Path) -> None:
        self.write(tmp_path, "checkpoints:\n  directory: 5\n")
        with pytest.raises(SettingsError) as caught:
            checkpoint_directory(None, {}, tmp_path)
        assert caught.value.message == (
            ".specular/policy.yaml:2:14: checkpoints.directory must be text: the path of a folder, not 5;"
            " put it in quotes"
        )

    def test_it_is_cheap(self, tmp_path: Path) -> None:
        self.write(tmp_path, "checkpoints: {directory: runs}")
        code = (
            "import os, sys; from pathlib import Path;"
            "from specular_tui.spec.settings import checkpoint_directory;"
            "print(checkpoint_directory(None, {}, Path.cwd()).name, 'pydantic' in sys.modules)"
        )
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=True
        )
        assert run.stdout == "runs False\n"
