"""Plans: what is read, and every refusal with its words and its position."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from specular_tui.errors import ExitCode, PlanError
from specular_tui.model.plan import Plan, Priority, Task
from specular_tui.spec import plan_file
from specular_tui.spec.plan_file import load_plan, parse_plan, plan_schema

DATA = Path(__file__).parents[2] / "data" / "plans"
FOLDER = Path("/srv/webapp")

WEBAPP = (
    Task(
        id="task-1",
        title="Install",
        command="npm ci",
        outputs=("node_modules/.package-lock.json",),
        timeout_ms=1_800_000,
    ),
    Task(
        id="task-2",
        title="Unit tests",
        command=("npm", "test"),
        depends_on=("task-1",),
        image="node:22",
        env={"CI": "1"},
        workdir="app",
        timeout_ms=600_000,
        retries=2,
        retry_delay_ms=5_000,
        inputs=("app/src/**",),
        priority=Priority.P1,
        estimate=40,
    ),
)


def parse(text: str | bytes, *, yaml: bool = False) -> Plan:
    data = text.encode() if isinstance(text, str) else text
    return parse_plan(data, file="plan.yaml" if yaml else "plan.json", folder=FOLDER, yaml=yaml)


def refusal(text: str | bytes, *, yaml: bool = False) -> PlanError:
    with pytest.raises(PlanError) as caught:
        parse(text, yaml=yaml)
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value


def test_the_fields_of_a_task_are_listed_once_where_no_near_one_is() -> None:
    error = refusal('{"tasks": [{"id": "a", "command": "x", "colour": 1}, {"id": "b", "command": "x", "zzz": 1}]}')
    assert error.message.startswith("plan.json:1:40: task 'a': unknown field 'colour'; a task may have: id, ")
    assert error.details == ("plan.json:1:82: task 'b': unknown field 'zzz'",)


def one_task(**fields: Any) -> str:
    """Return a plan of one task 'a', on one line."""
    return json.dumps({"tasks": [{"id": "a", "command": "x", **fields}]})


class TestReading:
    @pytest.mark.parametrize("name", ["webapp.json", "webapp.yaml"])
    def test_a_whole_plan(self, name: str) -> None:
        plan, data = load_plan(DATA / name, typed=f"plans/{name}")
        assert plan.tasks == WEBAPP
        assert plan.name == "webapp"
        assert plan.file == f"plans/{name}"
        assert plan.folder == str(DATA.resolve())
        assert data == (DATA / name).read_bytes()

    def test_the_least_plan(self) -> None:
        assert parse('{"tasks": [{"id": "a", "command": "true"}]}') == Plan(
            name="webapp",
            tasks=(Task(id="a", command="true"),),
            hash="blake3:8ce9876d01b5fb3c6de17228a79c7caf1391edb8f768bcada10b190c4a7dddec",
            file="plan.json",
            folder="/srv/webapp",
        )

    def test_the_hash_is_of_the_exact_bytes(self) -> None:
        from blake3 import blake3

        text = b'\xef\xbb\xbf{"tasks": [{"id": "a", "command": "true"}]}\r\n'
        assert parse(text).hash == "blake3:" + blake3(text).hexdigest()

    def test_fields_of_the_original_are_kept(self) -> None:
        task = parse(one_task(feature_id="f", expected_hash="h", skill="go", model_hint="m", priority="P0")).tasks[0]
        assert (task.feature_id, task.expected_hash, task.skill, task.model_hint) == ("f", "h", "go", "m")
        assert task.priority is Priority.P0

    def test_null_says_none_where_none_can_be(self) -> None:
        text = json.dumps(
            {
                "defaults": {"timeout": "5m", "image": "node:22"},
                "tasks": [
                    {
                        "id": "a", "command": "x", "timeout": None, "image": None, "estimate": None,
                        "depends_on": None, "skill": None,
                    }
                ],
            }
        )  # fmt: skip
        assert parse(text).tasks == (Task(id="a", command="x"),)

    def test_defaults_hold_where_a_task_says_nothing(self) -> None:
        defaults = {
            "timeout": "30m", "retries": 1, "retry_delay": "500ms", "env": {"CI": "1", "A": "default"},
            "workdir": "app", "image": "node:22", "priority": "P0",
        }  # fmt: skip
        tasks = [
            {"id": "a", "command": "x"},
            {
                "id": "b", "command": "x", "timeout": "1s", "retries": 0, "retry_delay": "0s", "env": {"A": "own"},
                "workdir": ".", "image": "alpine", "priority": "P1",
            },
        ]  # fmt: skip
        first, second = parse(json.dumps({"defaults": defaults, "tasks": tasks})).tasks
        assert first == Task(
            id="a", command="x", timeout_ms=1_800_000, retries=1, retry_delay_ms=500, workdir="app",
            env={"CI": "1", "A": "default"}, image="node:22", priority=Priority.P0,
        )  # fmt: skip
        assert second == Task(
            id="b", command="x", timeout_ms=1_000, workdir=".", env={"CI": "1", "A": "own"}, image="alpine",
            priority=Priority.P1,
        )  # fmt: skip

    def test_a_plan_in_the_root_folder_has_a_name(self) -> None:
        plan = parse_plan(one_task().encode(), file="plan.json", folder=Path("/"))
        assert plan.name == "plan"

    @pytest.mark.parametrize("name", ["a", "A9", "a" * 128, "build:web/app@2+x_y.z-1"])
    def test_ids(self, name: str) -> None:
        assert parse(one_task(id=name)).tasks[0].id == name

    def test_yaml_text_stays_text(self) -> None:
        task = parse(
            "tasks:\n- id: on\n  command: 'no'\n  title: 2024-01-15\n  env: {A: yes, B: '1'}\n", yaml=True
        ).tasks[0]
        assert task == Task(id="on", command="no", title="2024-01-15", env={"A": "yes", "B": "1"})


COMMAND = "command must be a shell command, or a list of a program and its arguments, not"
DURATION = 'must be a duration such as "90s", "5m" or "1h30m", not'
ID = "id must be 1 to 128 characters of A-Z a-z 0-9 . _ : @ / + - that begin with a letter or digit, not"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"command": ""}, f"task 'a': {COMMAND} ''"),
        ({"command": " \t"}, f"task 'a': {COMMAND} ' \\t'"),
        ({"command": []}, f"task 'a': {COMMAND} an empty list"),
        ({"command": 5}, f"task 'a': {COMMAND} 5"),
        ({"command": None}, f"task 'a': {COMMAND} null"),
        ({"command": {"run": "x"}}, f"task 'a': {COMMAND} an object"),
        ({"command": ["x", 1]}, "task 'a': command[1] must be text, not 1; put it in quotes"),
        ({"command": ["", "x"]}, "task 'a': command must begin with the program to run, not with an empty text"),
        ({"command": "x\x1b[2J" * 50, "id": 5}, "task #1: id must be 1 to 128 characters"),
        ({"id": ""}, f"task #1: {ID} ''"),
        ({"id": "-a"}, f"task '-a': {ID} '-a'"),
        ({"id": "a b"}, f"task 'a b': {ID} 'a b'"),
        ({"id": "a\n"}, f"task 'a\\n': {ID} 'a\\n'"),
        ({"id": "é"}, f"task 'é': {ID} 'é'"),
        ({"id": "a" * 129}, f"task '{'a' * 128}…': {ID} '{'a' * 60}…'"),
        ({"title": 5}, "task 'a': title must be text, not 5; put it in quotes"),
        ({"depends_on": "b"}, "task 'a': depends_on must be a list of task ids, not 'b'"),
        ({"depends_on": [5]}, "task 'a': depends_on[0] must be text: the id of a task, not 5; put it in quotes"),
        ({"env": ["A=1"]}, "task 'a': env must be an object of names and texts, not a list"),
        ({"env": {"A": 1}}, "task 'a': env.A must be text, not 1; put it in quotes"),
        ({"env": {"A": True}}, "task 'a': env.A must be text, not true; put it in quotes"),
        ({"env": {"A": None}}, "task 'a': env.A must be text, not null"),
        ({"env": {"API_TOKEN": 12345}}, "task 'a': env.API_TOKEN must be text, not ***; put it in quotes"),
        (
            {"env": {"A=B": "x"}},
            "task 'a': env: a variable's name must be text without '=' that is not empty, not 'A=B'",
        ),
        ({"env": {"": "x"}}, "task 'a': env: a variable's name must be text without '=' that is not empty, not ''"),
        ({"image": ""}, "task 'a': image must be the name of a container image such as node:22, not ''"),
        (
            {"image": "--privileged"},
            "task 'a': image must be the name of a container image such as node:22, not '--privileged'",
        ),
        ({"image": "a b"}, "task 'a': image must be the name of a container image such as node:22, not 'a b'"),
        ({"workdir": ""}, "task 'a': workdir must be text: a folder, not ''"),
        ({"workdir": None}, "task 'a': workdir must be text: a folder, not null"),
        ({"timeout": 90}, f"task 'a': timeout {DURATION} 90"),
        ({"timeout": "90"}, f"task 'a': timeout {DURATION} '90'"),
        ({"timeout": "soon\x07"}, f"task 'a': timeout {DURATION} 'soon\\x07'"),
        ({"timeout": "-5s"}, f"task 'a': timeout {DURATION} '-5s'"),
        ({"timeout": "0s"}, "task 'a': timeout must be longer than 0s; leave it out for no limit"),
        ({"timeout": "999999d"}, "task 'a': timeout is longer than 100 years"),
        ({"retry_delay": 5}, f"task 'a': retry_delay {DURATION} 5"),
        ({"retries": -1}, "task 'a': retries must be a whole number from 0 to 1000, not -1"),
        ({"retries": 1001}, "task 'a': retries must be a whole number from 0 to 1000, not 1001"),
        ({"retries": 1.5}, "task 'a': retries must be a whole number from 0 to 1000, not 1.5"),
        ({"retries": True}, "task 'a': retries must be a whole number from 0 to 1000, not true"),
        ({"retries": "2"}, "task 'a': retries must be a whole number from 0 to 1000, not '2'"),
        ({"inputs": "src"}, "task 'a': inputs must be a list of file patterns, not 'src'"),
        ({"inputs": [""]}, "task 'a': inputs[0] must be text that is not empty, not ''"),
        ({"outputs": ["x", 5]}, "task 'a': outputs[1] must be text that is not empty, not 5; put it in quotes"),
        ({"priority": "P3"}, "task 'a': priority must be P0, P1 or P2, not 'P3'"),
        ({"priority": 1}, "task 'a': priority must be P0, P1 or P2, not 1"),
        ({"estimate": -1}, "task 'a': estimate must be a number of seconds, 0 or more, not -1"),
        ({"estimate": "40"}, "task 'a': estimate must be a number of seconds, 0 or more, not '40'"),
        ({"allow_failure": 1}, "task 'a': allow_failure must be true or false, not 1"),
        ({"allow_failure": "yes"}, "task 'a': allow_failure must be true or false, not 'yes'"),
        ({"skill": 1}, "task 'a': skill must be text, not 1; put it in quotes"),
    ],
)
def test_a_field_with_a_wrong_value(fields: dict[str, Any], message: str) -> None:
    text = one_task(**fields)
    error = refusal(text)
    position, _, rest = error.message.partition(": ")
    assert rest.startswith(message) if message.endswith("characters") else rest == message
    assert error.hint == "specular plan schema prints what a plan may contain"
    # On the one line of the plan, the column is where the value stands.
    file, line, column = position.split(":")
    assert (file, line) == ("plan.json", "1")
    field = next(iter(fields)) if "#1: id" not in message else "id"
    assert int(column) > text.index(f'"{field}"')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "plan.json is empty"),
        (" \n", "plan.json is empty"),
        ("[]", "plan.json:1:1: the plan must be an object with 'tasks', not an empty list"),
        ("null", "plan.json:1:1: the plan must be an object with 'tasks', not null"),
        ("{}", "plan.json:1:1: 'tasks' is missing"),
        ('{"task": []}', "plan.json:1:2: unknown field 'task'; did you mean 'tasks'?"),
        ('{"tasks": []}', "plan.json:1:11: tasks must be a list of at least one task, not an empty list"),
        ('{"tasks": {"a": 1}}', "plan.json:1:11: tasks must be a list of at least one task, not an object"),
        ('{"tasks": ["npm ci"]}', "plan.json:1:12: task #1 must be an object, not 'npm ci'"),
        ('{"tasks": [{"command": "x"}]}', "plan.json:1:12: task #1: 'id' is missing"),
        ('{"tasks": [{"id": "a"}]}', "plan.json:1:12: task 'a': 'command' is missing"),
    ],
)
def test_a_plan_without_tasks(text: str, message: str) -> None:
    assert refusal(text).message == message


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ('"version": 2', "plan.json:1:13: version must be 1, the only version of plans there is, not 2"),
        ('"version": true', "plan.json:1:13: version must be 1, the only version of plans there is, not true"),
        ('"version": "1"', "plan.json:1:13: version must be 1, the only version of plans there is, not '1'"),
        ('"name": " "', "plan.json:1:10: name must be text that is not blank, not ' '"),
        ('"defaults": []', "plan.json:1:14: defaults must be an object, not an empty list"),
        ('"defaults": {"timeout": 5}', f"plan.json:1:26: defaults.timeout {DURATION} 5"),
        ('"defaults": {"env": {"A": 1}}', "plan.json:1:28: defaults.env.A must be text, not 1; put it in quotes"),
        ('"defaults": {"retires": 1}', "plan.json:1:15: defaults: unknown field 'retires'; did you mean 'retries'?"),
        (
            '"defaults": {"command": "x"}',
            "plan.json:1:15: defaults: unknown field 'command'; "
            "defaults may have: env, image, priority, retries, retry_delay, timeout, workdir",
        ),
        (
            '"\\u001b[2J": 1',
            "plan.json:1:2: unknown field '\\x1b[2J'; a plan may have: version, name, defaults, tasks",
        ),
    ],
)
def test_the_plan_around_its_tasks(member: str, message: str) -> None:
    text = "{" + member + ', "tasks": [{"id": "a", "command": "x"}]}'
    assert refusal(text).message == message


def test_an_unknown_field_names_the_nearest_known_one() -> None:
    text = '{\n  "tasks": [\n    {\n      "id": "build",\n      "comand": "make"\n    }\n  ]\n}\n'
    error = refusal(text)
    assert error.message == "plan.json:5:7: task 'build': unknown field 'comand'; did you mean 'command'?"
    assert error.details == ()


def test_all_mistakes_are_shown_in_the_order_of_the_text() -> None:
    text = """{
  "tasks": [
    {"id": "a", "comand": "x", "depends_on": ["b", "bb", "b"]},
    {"id": "b", "command": "x", "timeout": 5, "depends_on": ["a"]},
    {"id": "a", "command": "x", "depends_on": ["a"]}
  ],
  "verson": 1
}"""
    error = refusal(text)
    assert [error.message, *error.details] == [
        "plan.json:3:17: task 'a': unknown field 'comand'; did you mean 'command'?",
        "plan.json:3:47: task 'a': dependency cycle a → b → a",
        "plan.json:3:52: task 'a': depends on 'bb', which does not exist; did you mean 'b'?",
        "plan.json:3:58: task 'a': depends on 'b' twice",
        f"plan.json:4:44: task 'b': timeout {DURATION} 5",
        "plan.json:5:12: task 'a': this id is already used at line 3, column 12",
        "plan.json:7:3: unknown field 'verson'; did you mean 'version'?",
    ]


def test_of_many_mistakes_the_first_are_shown() -> None:
    tasks = [{"id": f"t{n}", "command": "x", "depends_on": ["nowhere"]} for n in range(100)]
    error = refusal(json.dumps({"tasks": tasks}))
    assert "task 't0': depends on 'nowhere', which does not exist" in error.message
    assert len(error.details) == 21
    assert "task 't20'" in error.details[-2]
    assert error.details[-1] == "… and 79 more"


@pytest.mark.parametrize(
    ("needs", "messages"),
    [
        ({"a": ["a"]}, ["task 'a': dependency cycle a → a"]),
        ({"a": ["b"], "b": ["a"]}, ["task 'a': dependency cycle a → b → a"]),
        # c needs a cycle and d is needed by one, but neither is in it.
        ({"c": ["a"], "a": ["b"], "b": ["a", "d"], "d": []}, ["task 'a': dependency cycle a → b → a"]),
        # Two cycles, and something between them.
        (
            {"a": ["b"], "b": ["a", "x"], "x": ["y"], "y": ["c"], "c": ["d"], "d": ["c"]},
            ["task 'a': dependency cycle a → b → a", "task 'c': dependency cycle c → d → c"],
        ),
        # The shorter way round is shown.
        ({"a": ["b"], "b": ["c"], "c": ["d", "a"], "d": ["a"]}, ["task 'a': dependency cycle a → b → c → a"]),
        ({"a": [], "b": ["a"], "c": ["a", "b"]}, []),
    ],
)
def test_cycles(needs: dict[str, list[str]], messages: list[str]) -> None:
    text = json.dumps({"tasks": [{"id": i, "command": "x", "depends_on": n} for i, n in needs.items()]})
    if not messages:
        assert len(parse(text).tasks) == len(needs)
        return
    error = refusal(text)
    assert [line.partition(": ")[2] for line in (error.message, *error.details)] == messages


def test_a_cycle_is_shown_at_the_dependency() -> None:
    text = (
        '{"tasks": [\n'
        ' {"id": "a", "command": "x", "depends_on": ["c", "b"]},\n'
        ' {"id": "b", "command": "x", "depends_on": ["a"]},\n'
        ' {"id": "c", "command": "x"}]}'
    )
    assert refusal(text).message == "plan.json:2:50: task 'a': dependency cycle a → b → a"


def test_faults_of_the_text_come_alone() -> None:
    error = refusal('{"tasks": [],\n "tasks": NaN,\n "x": }')
    assert error.message == "plan.json:2:2: duplicate key 'tasks' (first at line 1)"
    assert error.details == (
        "plan.json:2:11: NaN is not a JSON value",
        "plan.json:3:7: expected a value, found '}'",
    )


def test_nul_bytes_are_refused() -> None:
    assert refusal(one_task(command="x\0y")).message == "plan.json:1:35: NUL character in a string"
    assert refusal(one_task(workdir="\0")).message == "plan.json:1:51: NUL character in a string"
    assert refusal('{"tasks": [{"id": "a", "command": "x\0"}]}').message.endswith("NUL character in a string")


def test_a_plan_of_the_original_is_told_what_it_lacks() -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(DATA / "original.json", "plan.json")
    assert caught.value.message == "plan.json:3:5: task 'task-001': 'command' is missing"
    assert caught.value.hint == ("plans of the original Specular say what to do, not how: add a 'command' to each task")


def test_yaml_has_positions_too() -> None:
    text = "tasks:\n  - id: a\n    command: x\n    allow_failure: no\n    env: {PORT: 8080}\n    titel: x\n"
    error = refusal(text, yaml=True)
    assert [error.message, *error.details] == [
        "plan.yaml:4:20: task 'a': allow_failure must be true or false, not 'no'",
        "plan.yaml:5:17: task 'a': env.PORT must be text, not 8080; put it in quotes",
        "plan.yaml:6:5: task 'a': unknown field 'titel'; did you mean 'title'?",
    ]
    assert refusal("# nothing yet\n", yaml=True).message == "plan.yaml is empty"
    assert refusal("a: [", yaml=True).message.startswith("plan.yaml:2:1: not valid YAML: ")


def test_the_name_of_the_file_is_escaped() -> None:
    with pytest.raises(PlanError) as caught:
        parse_plan(b"{", file="a\x1b[2J.json", folder=FOLDER)
    assert caught.value.message.startswith("a\\x1b[2J.json:1:2: ")


class TestFiles:
    def failure(self, path: Path, typed: str | None = "plan.json") -> PlanError:
        with pytest.raises(PlanError) as caught:
            load_plan(path, typed)
        return caught.value

    def test_missing(self, tmp_path: Path) -> None:
        error = self.failure(tmp_path / "plan.json")
        assert error.message == "plan not found: plan.json"
        assert error.hint == "specular init writes a plan to start from; --plan FILE names another one"

    def test_missing_without_a_typed_name(self, tmp_path: Path) -> None:
        assert self.failure(tmp_path / "x.json", None).message == f"plan not found: {tmp_path}/x.json"

    def test_below_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        assert self.failure(tmp_path / "file" / "plan.json").message == "plan not found: plan.json"

    def test_a_directory(self, tmp_path: Path) -> None:
        error = self.failure(tmp_path, "app/")
        assert error.message == "app/ is a directory, not a plan file"
        assert error.hint == "name the file itself, as in app/plan.json"

    def test_a_pipe_is_not_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "plan.json")
        assert self.failure(tmp_path / "plan.json").message == "plan.json is a named pipe, not a plan file"

    def test_a_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)  # the path of a socket has a length limit
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("plan.json")
            assert self.failure(Path("plan.json")).message == "plan.json is a socket, not a plan file"

    def test_a_device(self) -> None:
        assert self.failure(Path("/dev/zero"), "/dev/zero").message == "/dev/zero is a device, not a plan file"

    def test_a_link_to_itself(self, tmp_path: Path) -> None:
        (tmp_path / "plan.json").symlink_to("plan.json")
        message = self.failure(tmp_path / "plan.json").message
        assert message == "cannot read plan.json: too many levels of symbolic links"

    def test_a_name_that_cannot_be(self) -> None:
        assert self.failure(Path("a\0b"), "a\0b").message == "'a\\x00b' cannot be the name of a file"

    def test_permission(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "plan.json").write_text(one_task())

        def refuse(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("os.open", refuse)
        error = self.failure(tmp_path / "plan.json")
        assert error.message == "cannot read plan.json: permission denied"
        assert error.hint == "see its rights with: ls -l plan.json"

    def test_too_large(self, tmp_path: Path) -> None:
        path = tmp_path / "plan.json"
        with path.open("wb") as file:
            file.truncate(plan_file.MAX_BYTES + 1)
        assert self.failure(path).message == "plan.json is larger than 64 MiB, more than a plan may be"

    def test_a_file_that_grows_while_it_is_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "plan.json"
        path.write_bytes(b" " * 2048)
        monkeypatch.setattr(plan_file, "MAX_BYTES", 1024)
        monkeypatch.setattr("specular_tui.spec.intake.os.fstat", lambda fd: os.stat("/etc/hostname"))
        assert "is larger than 1 KiB" in self.failure(path).message

    def test_bytes_that_are_too_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(plan_file, "MAX_BYTES", 10 << 20)
        with pytest.raises(PlanError, match=r"^plan\.json is larger than 10 MiB, more than a plan may be$"):
            parse(b" " * ((10 << 20) + 1))

    def test_the_folder_of_a_linked_plan_is_where_the_link_is(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "plan.json").write_text(one_task())
        (tmp_path / "project").mkdir()
        (tmp_path / "project" / "plan.json").symlink_to("../real/plan.json")
        (tmp_path / "linked").symlink_to("project")
        plan, _ = load_plan(tmp_path / "linked" / "plan.json")
        assert plan.folder == str((tmp_path / "project").resolve())
        assert plan.name == "project"

    def test_relative(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "plan.YML").write_text("tasks: [{id: a, command: x}]")
        monkeypatch.chdir(tmp_path)
        plan, _ = load_plan(Path("plan.YML"))
        assert (plan.file, plan.folder) == ("plan.YML", str(tmp_path.resolve()))


class TestSize:
    def tasks(self, count: int) -> list[dict[str, Any]]:
        return [
            {
                "id": f"task-{n}",
                "title": f"Task {n}",
                "command": f"make part-{n}",
                "depends_on": [f"task-{n - 1}"] if n else [],
                "timeout": "10m",
                "env": {"CI": "1"},
            }
            for n in range(count)
        ]

    def test_a_chain_of_100_000(self) -> None:
        text = json.dumps({"tasks": self.tasks(100_000)})
        plan = parse(text)
        assert len(plan.tasks) == 100_000
        assert plan.tasks[-1].depends_on == ("task-99998",)

    def test_a_ring_of_100_000(self) -> None:
        tasks = self.tasks(100_000)
        tasks[0]["depends_on"] = ["task-99999"]
        error = refusal(json.dumps({"tasks": tasks}))
        assert error.message == (
            "plan.json:1:89: task 'task-0': dependency cycle task-0 → task-99999 → task-99998 → task-99997 → task-99996"
            " → task-99995 → … (99,988 more) … → task-6 → task-5 → task-4 → task-3 → task-2 → task-1 → task-0"
        )

    def test_one_task_that_needs_all_others(self) -> None:
        tasks = [{"id": f"t{n}", "command": "x"} for n in range(50_000)]
        tasks.append({"id": "last", "command": "x", "depends_on": [task["id"] for task in tasks]})  # type: ignore[dict-item]
        assert len(parse(json.dumps({"tasks": tasks})).tasks[-1].depends_on) == 50_000

    def test_everything_needs_everything(self) -> None:
        ids = [f"t{n}" for n in range(300)]
        tasks = [{"id": i, "command": "x", "depends_on": [d for d in ids if d != i]} for i in ids]
        error = refusal(json.dumps({"tasks": tasks}))
        assert "task 't0': dependency cycle t0 → t1 → t0" in error.message

    @pytest.mark.parametrize(
        ("text", "message", "rest"),
        [
            ('{"tasks": [' + "5," * 500_000 + "5]}", "1:12: task #1 must be an object, not 5", "… and many more"),
            (one_task(depends_on=[5] * 500_000), "1:55: task 'a': depends_on[0] must be text: the id", ""),
            (one_task(depends_on=["b"] * 500_000), "1:55: task 'a': depends on 'b', which does", "… and many more"),
            (one_task(env={f"A{n}": 5 for n in range(200_000)}), "1:47: task 'a': env has 200,000 variables; no", ""),
            (one_task(**{f"x{n}": 5 for n in range(200_000)}), "1:40: task 'a': unknown field 'x0'", "… and"),
            ('{"x": 1' + "".join(f', "x{n}": 1' for n in range(200_000)) + "}", "1:1: 'tasks' is missing", "… and"),
        ],
        ids=["tasks", "types", "names", "variables", "fields of a task", "fields of the plan"],
    )
    def test_mistakes_without_number(self, text: str, message: str, rest: str) -> None:
        error = refusal(text)
        assert error.message.startswith(f"plan.json:{message}")
        assert len(error.details) == (21 if rest else 0)
        assert not rest or error.details[-1].startswith(rest)

    def test_deep_nesting(self) -> None:
        assert refusal("[" * 100_000).message == "plan.json:1:101: nested deeper than 100 levels"
        assert refusal("[" * 100_000, yaml=True).message == "plan.yaml:1:101: nested deeper than 100 levels"


def test_the_schema_has_every_field_of_a_task() -> None:
    schema = plan_schema()
    assert schema["title"] == "Specular plan"
    assert schema["required"] == ["tasks"]
    task = schema["$defs"]["TaskFields"]
    assert task["required"] == ["id", "command"]
    fields = {
        {"timeout_ms": "timeout", "retry_delay_ms": "retry_delay"}.get(name, name) for name in Task.__struct_fields__
    }
    assert set(task["properties"]) == fields
    assert all("description" in field for field in task["properties"].values())
    assert json.loads(json.dumps(schema)) == schema


def test_importing_the_module_is_cheap() -> None:
    code = (
        "import sys, specular_tui.spec.plan_file, specular_tui.spec.policy_file, specular_tui.spec.settings;"
        "print(sorted({'pydantic', 'yaml', 'asyncio', 'json', 'difflib', 'blake3'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize(("name", "meant"), [("name", "title"), ("run", "command"), ("needs", "depends_on")])
def test_a_field_that_others_call_so_is_known(name: str, meant: str) -> None:
    message = refusal(json.dumps({"tasks": [{"id": "a", "command": "true", name: "x"}]})).message
    assert message.endswith(f"unknown field '{name}'; did you mean '{meant}'?")
