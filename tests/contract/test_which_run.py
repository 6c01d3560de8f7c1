"""RUN: a whole id, the start of just one, or --last."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Shell, task


@pytest.fixture
def runs(shell: Shell) -> Shell:
    shell.plan(task("a", "echo output"))
    script = "for id in alpha-1 alpha-2 alpha beta; do specular build --quiet --run-id $id || exit; done"
    assert shell(script).code == 0
    return shell


def test_ids_prefixes_and_last(runs: Shell) -> None:
    def shown(which: str) -> str:
        result = runs(f"specular checkpoint show {which}")
        assert result.code == 0, result.err
        run_id: str = result.json()["run_id"]
        return run_id

    assert shown("beta") == "beta"
    assert shown("b") == "beta"
    assert shown("alpha") == "alpha"  # a whole id beats the prefix that it is
    assert shown("alpha-2") == "alpha-2"
    assert shown("--last") == "beta"
    assert shown("") == "beta"

    ambiguous = runs("specular checkpoint show alpha-")
    assert ambiguous.code == 2
    assert "alpha-1" in ambiguous.err
    assert "alpha-2" in ambiguous.err
    both = runs("specular checkpoint show beta --last")
    assert both.code == 2

    runs("specular build --resume alpha --from-task a")
    assert shown("--last") == "beta"  # the newest by creation


def test_every_command_takes_a_run_in_the_same_words(shell: Shell) -> None:
    shell.plan(task("a"))
    shell("specular build --quiet --run-id alpha")
    for line in (
        "checkpoint show {}",
        "checkpoint validate {}",
        "progress {}",
        "logs a --run {}",
        "checkpoint delete {}",
        "checkpoint abandon {}",
        "checkpoint compress {}",
        "checkpoint export {} --out x.tar.gz",
        "build --resume {}",
        "pause {}",
        "unpause {}",
        "stop {}",
    ):
        missing = shell("specular " + line.format("gamma"))
        assert missing.code == 1, line
        assert missing.err == (
            "Error: checkpoint not found: gamma\n→ list the available checkpoints: specular checkpoint list\n"
        ), line
    for line in ("show ''", "validate ''", "delete ''", "abandon ''"):
        assert shell(f"specular checkpoint {line}").code == 1, line
    for line in ("delete", "abandon", "compress", "export --out x.tar.gz"):
        assert shell(f"specular checkpoint {line}").code == 2, line
    for name in ("../alpha", "/etc", ".", "..", "alpha/../beta", "$'a\\x1b[31m'", "a" * 5000):
        assert shell(f"specular checkpoint delete --force {name}").code == 1, name
    assert shell.runs() == ["alpha"]


def test_the_examples_of_the_troubleshooting(shell: Shell) -> None:
    shell.plan(task("a"))

    missing = shell("specular build --resume build-2024-01-15T10-30-45")

    assert missing.code == 1
    assert "Error: checkpoint not found: build-2024-01-15T10-30-45" in missing.err
    assert "specular checkpoint list" in missing.err
    empty = shell("specular checkpoint list")
    assert (empty.code, empty.out) == (0, "")
    assert "no checkpoints" in empty.err
    assert shell("specular checkpoint list --format json").json() == []
    assert shell("specular checkpoint show --last").code == 1
