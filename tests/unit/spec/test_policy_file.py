"""Policies: what is read, what is warned about, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.errors import ExitCode, SettingsError
from specular_tui.model.policy import (
    CheckpointPolicy,
    DockerPolicy,
    ExecutionPolicy,
    Gate,
    Policy,
    RetentionPolicy,
)
from specular_tui.spec.policy_file import load_policy, parse_policy

DATA = Path(__file__).parents[2] / "data" / "policies"


def parse(text: str) -> tuple[Policy, list[str]]:
    return parse_policy(text.encode(), file="policy.yaml")


def refusal(text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        parse(text)
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value


def load(name: str) -> tuple[Policy, list[str]]:
    policy, data, warnings = load_policy(DATA / name, typed=name, default=Path("nowhere"))
    assert data == (DATA / name).read_bytes()
    return policy, warnings


def test_the_whole_policy() -> None:
    policy, warnings = load("full.yaml")
    assert warnings == []
    assert policy.hash is not None
    assert policy.hash.startswith("blake3:")
    assert policy == Policy(
        execution=ExecutionPolicy(
            allow_local=True,
            jobs=4,
            docker=DockerPolicy(
                image_allowlist=("golang:*", "node:22"),
                cpu_limit="2",
                mem_limit="2g",
                network="none",
                pids_limit=256,
            ),
        ),
        checkpoints=CheckpointPolicy(
            retention=RetentionPolicy(keep_completed=False), strict_hash_check=True, compress=True
        ),
        gates=(
            Gate(id="formatters.python", command="ruff format --check ."),
            Gate(id="linters.python", command="ruff check ."),
            Gate(id="tests", command="pytest -q"),
        ),
        file="full.yaml",
        hash=policy.hash,
    )


def test_a_policy_of_the_original() -> None:
    policy, warnings = load("original.yaml")
    assert policy.execution == ExecutionPolicy(
        allow_local=False,
        docker=DockerPolicy(
            required=True, image_allowlist=("golang:1.22", "node:22"), cpu_limit="2", mem_limit="2g", network="none"
        ),
    )
    assert policy.gates == (
        Gate(id="formatters.go", command="gofmt -l ."),
        Gate(id="linters.go", command="golangci-lint run"),
    )
    assert warnings == [
        "original.yaml:17:3: tests.require_pass is true, but without a tests.cmd there are no tests to run",
        "original.yaml:18:3: tests: unknown key 'min_coverage'; tests may have: require_pass, cmd",
    ]


@pytest.mark.parametrize("text", ["", "# all of it commented out\n", "---\n"])
def test_an_empty_file_is_a_policy_of_defaults(text: str) -> None:
    policy, warnings = parse(text)
    assert warnings == []
    assert policy == Policy(file="policy.yaml", hash=policy.hash)
    assert policy.hash is not None


@pytest.mark.parametrize(
    "text",
    [
        "execution:\ncheckpoints:\nlinters:\nformatters:\ntests:\n",
        "execution:\n  docker:\ncheckpoints:\n  retention:\n",
        "execution: {jobs: null, docker: {cpu_limit: ~, mem_limit: ~, network: ~, pids_limit: ~}}",
        "routing: {anything: [1]}\nsecurity: 5\n",
        "linters: {go: {enabled: false}}\nformatters: {go: {enabled: false, cmd: x}}\n",
        "tests: {require_pass: false}\n",
    ],
)
def test_blocks_that_say_nothing_mean_their_defaults(text: str) -> None:
    policy, warnings = parse(text)
    assert policy == Policy(file="policy.yaml", hash=policy.hash)
    assert warnings == []


def test_gates_run_formatters_first_and_tests_last() -> None:
    policy, _ = parse(
        "tests: {cmd: t}\nlinters: {b: {cmd: lb}, a: {cmd: la}}\nformatters: {c++: {cmd: fc, enabled: true}}\n"
    )
    assert [(gate.id, gate.command) for gate in policy.gates] == [
        ("formatters.c++", "fc"),
        ("linters.b", "lb"),
        ("linters.a", "la"),
        ("tests", "t"),
    ]


@pytest.mark.parametrize(
    ("written", "limit"),
    [("2", "2"), ("'2'", "2"), ("0.5", "0.5"), ("'1.50'", "1.50"), (".25", "0.25"), ("2.0", "2"), ("1e1", "10")],
)
def test_cpu_limits(written: str, limit: str) -> None:
    assert parse(f"execution: {{docker: {{cpu_limit: {written}}}}}")[0].execution.docker.cpu_limit == limit


@pytest.mark.parametrize("limit", ["512m", "2g", "1.5G", "2gb", "2GiB", "524288k", "1t", "6m", "6291456", "512 MB"])
def test_memory_limits(limit: str) -> None:
    assert parse(f"execution: {{docker: {{mem_limit: {limit}}}}}")[0].execution.docker.mem_limit == limit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- 1", "1:1: the policy must be a mapping with blocks such as execution and checkpoints, not a list"),
        ("x", "1:1: the policy must be a mapping with blocks such as execution and checkpoints, not 'x'"),
        ("execution: 5", "1:12: execution must be a mapping, not 5"),
        ("checkpoints: []", "1:14: checkpoints must be a mapping, not an empty list"),
        ("a: 1\na: 2", "2:1: duplicate key 'a' (first at line 1)"),
        ("a: *x", "1:4: aliases are not allowed (*x); write the value itself"),
    ],
)
def test_refuses_other_shapes(text: str, message: str) -> None:
    assert refusal(text).message == f"policy.yaml:{message}"


CPUS = "execution.docker.cpu_limit must be a number of CPUs above 0, such as 2 or 0.5, not"
MEMORY = "execution.docker.mem_limit must be an amount of memory such as 512m or 2g, not"
LEAST = "execution.docker.mem_limit must be at least 6m, the least that a container can have, not"
NETWORK = "execution.docker.network must be the name of a network: none, bridge, host or one of your own, not"
ALLOWLIST = (
    "execution.docker.image_allowlist must be a list of image patterns; an empty list allows none, without this key"
    " all are allowed, not"
)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("execution.allow_local", "no", "execution.allow_local must be true or false, not 'no'"),
        ("execution.allow_local", "", "execution.allow_local must be true or false, not null"),
        ("execution.jobs", "0", "execution.jobs must be a whole number from 1 to 10000, not 0"),
        ("execution.jobs", "2.5", "execution.jobs must be a whole number from 1 to 10000, not 2.5"),
        ("execution.jobs", "'4'", "execution.jobs must be a whole number from 1 to 10000, not '4'"),
        ("execution.jobs", "true", "execution.jobs must be a whole number from 1 to 10000, not true"),
        (
            "execution.docker.engine",
            "containerd",
            "execution.docker.engine must be auto, docker or podman, not 'containerd'",
        ),
        ("execution.docker.required", "1", "execution.docker.required must be true or false, not 1"),
        ("execution.docker.image_allowlist", "node", f"{ALLOWLIST} 'node'"),
        ("execution.docker.image_allowlist", "", f"{ALLOWLIST} null"),
        ("execution.docker.cpu_limit", "0", f"{CPUS} 0"),
        ("execution.docker.cpu_limit", "-1", f"{CPUS} -1"),
        ("execution.docker.cpu_limit", "two", f"{CPUS} 'two'"),
        ("execution.docker.cpu_limit", "true", f"{CPUS} true"),
        ("execution.docker.mem_limit", "512q", f"{MEMORY} '512q'"),
        ("execution.docker.mem_limit", "-1g", f"{MEMORY} '-1g'"),
        ("execution.docker.mem_limit", "[]", f"{MEMORY} an empty list"),
        ("execution.docker.mem_limit", "512", f"{LEAST} '512'; without a unit it counts bytes"),
        ("execution.docker.mem_limit", "5m", f"{LEAST} '5m'"),
        ("execution.docker.network", "--privileged", f"{NETWORK} '--privileged'"),
        ("execution.docker.network", "false", f"{NETWORK} false"),
        ("execution.docker.pids_limit", "0", "execution.docker.pids_limit must be a whole number above 0, not 0"),
        ("execution.docker.reuse", "yes", "execution.docker.reuse must be task or run, not 'yes'"),
        ("linters", "[]", "linters must be a mapping of names to {enabled, cmd}, not an empty list"),
        ("linters.go", "x", "linters.go must be a mapping of enabled and cmd, not 'x'"),
        ("linters.go", "{}", "linters.go is enabled but has no cmd; add one, or write enabled: false"),
        ("formatters.go.enabled", "true", "formatters.go is enabled but has no cmd; add one, or write enabled: false"),
        ("formatters.go.enabled", "on", "formatters.go.enabled must be true or false, not 'on'"),
        ("formatters.go.cmd", "''", "formatters.go.cmd must be text: a shell command, not ''"),
        ("formatters.go.cmd", "5", "formatters.go.cmd must be text: a shell command, not 5; put it in quotes"),
        (
            "linters.'a b'",
            "{cmd: x}",
            "linters: a name must be up to 64 of A-Z a-z 0-9 . _ + - and begin with a letter or digit, not 'a b'",
        ),
        ("tests.require_pass", "yes", "tests.require_pass must be true or false, not 'yes'"),
        ("tests.cmd", "[pytest]", "tests.cmd must be text: a shell command, not a list"),
        ("checkpoints.enabled", "off", "checkpoints.enabled must be true or false, not 'off'"),
        ("checkpoints.directory", "''", "checkpoints.directory must be text: the path of a folder, not ''"),
        ("checkpoints.directory", "", "checkpoints.directory must be text: the path of a folder, not null"),
        (
            "checkpoints.interval_minutes",
            "0",
            "checkpoints.interval_minutes must be a number of minutes above 0, not 0",
        ),
        (
            "checkpoints.interval_minutes",
            "5m",
            "checkpoints.interval_minutes must be a number of minutes above 0, not '5m'",
        ),
        (
            "checkpoints.task_interval",
            "0",
            "checkpoints.task_interval must be a whole number of tasks, 1 or more, not 0",
        ),
        (
            "checkpoints.retention.max_age_days",
            "-1",
            "checkpoints.retention.max_age_days must be a number of days above 0 and up to 36600, not -1",
        ),
        (
            "checkpoints.retention.max_count",
            "1.5",
            "checkpoints.retention.max_count must be a whole number of runs, 1 or more, not 1.5",
        ),
        ("checkpoints.max_size_mb", "0", "checkpoints.max_size_mb must be a number of megabytes above 0, not 0"),
        ("checkpoints.max_size_mb", "big", "checkpoints.max_size_mb must be a number of megabytes above 0, not 'big'"),
    ],
)
def test_wrong_values(path: str, value: str, message: str) -> None:
    *blocks, name = path.split(".")
    text = "".join(f"{'  ' * depth}{block}:\n" for depth, block in enumerate(blocks))
    text += f"{'  ' * len(blocks)}{name}: {value}\n"
    error = refusal(text)
    position, _, rest = error.message.partition(": ")
    assert rest == message
    assert error.details == ()
    line = len(blocks) if message.startswith("formatters.go is") else len(blocks) + 1
    assert position.startswith(f"policy.yaml:{line}:") or value in ("", "true")


def test_all_mistakes_are_shown_then_the_warnings() -> None:
    error = refusal(
        "execution:\n"
        "  job: 4\n"
        "  allow_local: yes\n"
        "linters:\n"
        "  go: {command: x}\n"
        "checkpoints: {interval_minutes: -1, intervall: 5}\n"
    )
    assert [error.message, *error.details] == [
        "policy.yaml:3:16: execution.allow_local must be true or false, not 'yes'",
        "policy.yaml:5:7: linters.go is enabled but has no cmd; add one, or write enabled: false",
        "policy.yaml:6:33: checkpoints.interval_minutes must be a number of minutes above 0, not -1",
        "policy.yaml:2:3: execution: unknown key 'job'; did you mean 'jobs'?",
        "policy.yaml:5:8: linters.go: unknown key 'command'; did you mean 'cmd'?",
        "policy.yaml:6:37: checkpoints: unknown key 'intervall'; did you mean 'task_interval'?",
    ]


def test_unknown_keys_are_warnings() -> None:
    policy, warnings = parse("executoin: {jobs: 2}\nexecution:\n  jobs: 3\n  docker: {cpu: 1, engine: podman}\n")
    assert policy.execution == ExecutionPolicy(jobs=3, docker=DockerPolicy(engine="podman"))
    assert warnings == [
        "policy.yaml:1:1: unknown key 'executoin'; did you mean 'execution'?",
        "policy.yaml:4:12: execution.docker: unknown key 'cpu'; execution.docker may have: "
        "engine, required, image_allowlist, cpu_limit, mem_limit, network, pids_limit, reuse",
    ]


class TestFiles:
    def test_no_policy(self, tmp_path: Path) -> None:
        assert load_policy(None, typed=None, default=tmp_path / "policy.yaml") == (Policy(), None, [])

    def test_the_default_policy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path(".specular").mkdir()
        Path(".specular/policy.yaml").write_bytes(b"execution: {jobs: 3}\r\n")
        policy, data, warnings = load_policy(None, typed=None, default=Path(".specular/policy.yaml"))
        assert policy.execution.jobs == 3
        assert policy.file == ".specular/policy.yaml"
        assert data == b"execution: {jobs: 3}\r\n"
        assert warnings == []

    def test_the_default_policy_under_the_name_of_the_caller(self, tmp_path: Path) -> None:
        (tmp_path / "policy.yaml").write_bytes(b"")
        policy, _, _ = load_policy(None, typed=".specular/policy.yaml", default=tmp_path / "policy.yaml")
        assert policy.file == ".specular/policy.yaml"

    def test_a_default_policy_that_is_a_dangling_link_is_not_passed_over(self, tmp_path: Path) -> None:
        (tmp_path / "policy.yaml").symlink_to("elsewhere")
        with pytest.raises(SettingsError, match="policy not found"):
            load_policy(None, typed=None, default=tmp_path / "policy.yaml")

    def test_a_named_policy_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError) as caught:
            load_policy(tmp_path / "x.yaml", typed="x.yaml", default=tmp_path / "policy.yaml")
        assert caught.value.message == "policy not found: x.yaml"
        assert caught.value.hint == "specular init writes one to start from; without --policy the defaults hold"

    def test_a_directory(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError) as caught:
            load_policy(tmp_path, typed=".specular", default=tmp_path)
        assert caught.value.message == ".specular is a directory, not a policy file"
        assert caught.value.hint == "name the file itself, as in .specular/policy.yaml"

    def test_too_large(self, tmp_path: Path) -> None:
        (tmp_path / "p.yaml").write_bytes(b"#" * ((1 << 20) + 1))
        with pytest.raises(SettingsError, match=r"^p\.yaml is larger than 1 MiB, more than a policy may be$"):
            load_policy(tmp_path / "p.yaml", typed="p.yaml", default=tmp_path)
