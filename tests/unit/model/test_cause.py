"""The line that says why a task failed, in what real tools print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.cause import MOST_LINES, find_cause, likely_cause

GCC = """\
cc -Wall -Werror=format -c a.c -o a.o
a.c: In function 'main':
a.c:4:5: error: unknown type name 'unknown_t'
    4 |     unknown_t x = 3;
      |     ^~~~~~~~~
a.c:5:20: error: 'y' undeclared (first use in this function)
    5 |     printf("%d\\n", y);
      |                    ^
a.c:5:20: note: each undeclared identifier is reported only once for each function it appears in
a.c:4:15: warning: unused variable 'x' [-Wunused-variable]
    4 |     unknown_t x = 3;
      |               ^
make: *** [Makefile:3: a.o] Error 1
cc -Wall -Werror=format -c error.c -o error.o
make: Target 'all' not remade because of errors.
"""

LINKER = """\
/usr/bin/ld: /tmp/ccd4hEsS.o: in function `main':
l.c:(.text+0x5): undefined reference to `helper'
collect2: error: ld returned 1 exit status
make: *** [Makefile:6: l] Error 1
"""

PYTEST = """\
============================= test session starts ==============================
collected 3 items

test_x.py .FF                                                            [100%]

=================================== FAILURES ===================================
___________________________________ test_sum ___________________________________

    def test_sum():
        logging.error("handled: no such host")
>       assert sum([1, 2]) == 4
E       assert 3 == 4
E        +  where 3 = sum([1, 2])

test_x.py:5: AssertionError
------------------------------ Captured log call -------------------------------
ERROR    root:test_x.py:4 handled: no such host
__________________________________ test_open ___________________________________

    def test_open():
>       open("/nonexistent/file")
E       FileNotFoundError: [Errno 2] No such file or directory: '/nonexistent/file'

test_x.py:7: FileNotFoundError
=========================== short test summary info ============================
FAILED test_x.py::test_sum - assert 3 == 4
FAILED test_x.py::test_open - FileNotFoundError: [Errno 2] No such file or di...
========================= 2 failed, 1 passed in 0.84s ==========================
"""

#: The same with `-r N`: no summary.
PYTEST_BARE = PYTEST.partition("=========================== short")[0] + "2 failed, 1 passed in 0.84s\n"

CARGO_BUILD = """\
   Compiling cr v0.1.0 (/src/cr)
error[E0277]: cannot add `&str` to `u32`
 --> src/lib.rs:1:39
  |
1 | pub fn add(a: u32, b: u32) -> u32 { a + "b" }
  |                                       ^ no implementation for `u32 + &str`
  |
  = help: the trait `Add<&str>` is not implemented for `u32`
  = note: this error originates in the macro `add_impl`

For more information about this error, try `rustc --explain E0277`.
error: could not compile `cr` (lib) due to 1 previous error
"""

CARGO_TEST = """\
running 2 tests
test tests::fine ... ok
test tests::adds ... FAILED

failures:

---- tests::adds stdout ----

thread 'tests::adds' (22976) panicked at src/lib.rs:5:17:
assertion `left == right` failed
  left: 3
 right: 4
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace


failures:
    tests::adds

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.25s

error: test failed, to rerun pass `--lib`
"""

NPM_RUN = """\
> np@1.0.0 build
> node build.js

node:internal/modules/cjs/loader:1210
  throw err;
  ^

Error: Cannot find module './missing-module'
Require stack:
- /src/np/build.js
    at Module._resolveFilename (node:internal/modules/cjs/loader:1207:15)
    at node:internal/main/run_main_module:28:49 {
  code: 'MODULE_NOT_FOUND',
  requireStack: [ '/src/np/build.js' ]
}

Node.js v20.20.2
npm error Lifecycle script `build` failed with error:
npm error code 1
"""

NPM_MISSING = """\
npm error Missing script: "nope"
npm error
npm error To see a list of scripts, run:
npm error   npm run
npm error A complete log of this run can be found in: /root/.npm/_logs/2024-11-24T17_10_36_576Z-debug-0.log
"""

NODE_TEST = """\
TAP version 13
# Subtest: adds
not ok 1 - adds
  ---
  failureType: 'testCodeFailure'
  error: |-
    Expected values to be strictly equal:

    3 !== 4
  ...
1..1
# tests 1
# pass 0
# fail 1
"""

GO_BUILD = """\
# example.org/app
./main.go:7:2: undefined: missing
./main.go:9:6: declared and not used: x
"""

GO_TEST = """\
=== RUN   TestAdd
    add_test.go:8: Add(1, 2) = 4, want 3
--- FAIL: TestAdd (0.00s)
=== RUN   TestFine
--- PASS: TestFine (0.00s)
FAIL
FAIL	example.org/app	0.003s
FAIL
"""

GO_PANIC = """\
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.main()
	/src/app/main.go:9 +0x1d
exit status 2
"""

MAKE = """\
make: *** No rule to make target 'nothere', needed by 'all'.  Stop.
"""

MAKE_ONLY = """\
./generate --all
make[1]: *** [Makefile:12: generated.c] Error 3
make: *** [Makefile:4: sub] Error 2
"""

TRACEBACK = """\
Traceback (most recent call last):
  File "/src/settings.py", line 4, in f
    return decoder.decode(s)
json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/src/settings.py", line 6, in <module>
  File "/src/settings.py", line 5, in f
RuntimeError: bad settings
"""

ODD_EXCEPTION = """\
Traceback (most recent call last):
  File "/src/fetch.py", line 3, in <module>
    run(["curl"], timeout=5)
subprocess.TimeoutExpired: Command '['curl']' timed out after 5 seconds
"""

UNITTEST = """\
F
======================================================================
FAIL: test_sum (test_x.Sums.test_sum)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/src/test_x.py", line 5, in test_sum
    self.assertEqual(1 + 2, 4)
AssertionError: 3 != 4

----------------------------------------------------------------------
Ran 1 test in 0.000s

FAILED (failures=1)
"""

CMAKE = """\
-- Detecting C compile features - done
CMake Error at CMakeLists.txt:3 (find_package):
  By not providing "FindNope.cmake" in CMAKE_MODULE_PATH this project has
  asked CMake to find a package configuration file provided by "Nope".

-- Configuring incomplete, errors occurred!
See also "/src/b/CMakeFiles/CMakeOutput.log".
"""

JAVAC = """\
A.java:1: error: incompatible types: String cannot be converted to int
class A { int f() { return "x"; } }
                           ^
1 error
"""

SHELL = """\
building
sh: 1: nosuchcmd: not found
"""

CLEANED_UP = """\
main.c:1:10: fatal error: missing.h: No such file or directory
compilation terminated.
rm: cannot remove 'main.o': No such file or directory
"""

LOGGED = """\
2024-01-15 10:30:45 INFO  0 errors so far, no failures
2024-01-15 10:30:46 ERROR could not reach the mirror: giving up
2024-01-15 10:30:46 INFO  cleaning up
2024-01-15 10:30:47 INFO  done in 2.1s, warnings: 0
"""


@pytest.mark.parametrize(
    ("log", "text"),
    [
        (GCC, "a.c:4:5: error: unknown type name 'unknown_t'"),
        (LINKER, "l.c:(.text+0x5): undefined reference to `helper'"),
        (PYTEST, "FAILED test_x.py::test_sum - assert 3 == 4"),
        (PYTEST_BARE, "E       assert 3 == 4"),
        (CARGO_BUILD, "error[E0277]: cannot add `&str` to `u32`"),
        (
            CARGO_TEST,
            "thread 'tests::adds' (22976) panicked at src/lib.rs:5:17: assertion `left == right` failed",
        ),
        (NPM_RUN, "Error: Cannot find module './missing-module'"),
        (NPM_MISSING, 'npm error Missing script: "nope"'),
        (NODE_TEST, "not ok 1 - adds"),
        (GO_BUILD, "./main.go:7:2: undefined: missing"),
        (GO_TEST, "add_test.go:8: Add(1, 2) = 4, want 3"),
        (GO_PANIC, "panic: runtime error: index out of range [5] with length 3"),
        (MAKE, "make: *** No rule to make target 'nothere', needed by 'all'.  Stop."),
        (MAKE_ONLY, "make: *** [Makefile:4: sub] Error 2"),
        (TRACEBACK, "RuntimeError: bad settings"),
        (ODD_EXCEPTION, "subprocess.TimeoutExpired: Command '['curl']' timed out after 5 seconds"),
        (UNITTEST, "AssertionError: 3 != 4"),
        (
            CMAKE,
            "CMake Error at CMakeLists.txt:3 (find_package): "
            'By not providing "FindNope.cmake" in CMAKE_MODULE_PATH this project has',
        ),
        (JAVAC, "A.java:1: error: incompatible types: String cannot be converted to int"),
        (SHELL, "sh: 1: nosuchcmd: not found"),
        (CLEANED_UP, "main.c:1:10: fatal error: missing.h: No such file or directory"),
        (LOGGED, "2024-01-15 10:30:46 ERROR could not reach the mirror: giving up"),
        (TRACEBACK + "falling back to defaults\n" + GCC, "a.c:4:5: error: unknown type name 'unknown_t'"),
        ("one\ntwo\n\n   \n", "two"),
        ("cc -Werror -c error.c\nlinking with error_count.o\n", "linking with error_count.o"),
    ],
)
def test_the_line_that_says_why(log: str, text: str) -> None:
    lines = log.split("\n")
    found = likely_cause(lines)
    assert found is not None
    assert found.text == text
    assert text.startswith(lines[found.at].strip())


def test_of_nothing_nothing_is_said() -> None:
    assert likely_cause([]) is None
    assert likely_cause(["", "   "]) is None


def test_a_long_line_is_cut() -> None:
    found = likely_cause(["a.c:1:1: error: " + "x" * 10_000])
    assert found is not None
    assert len(found.text) == 400


_ODD = st.text(alphabet=st.sampled_from("aE: /.-_()[]'1*E\t█\N{ZERO WIDTH SPACE}"), max_size=80)


@given(st.lists(_ODD | st.sampled_from(GCC.split("\n") + CARGO_TEST.split("\n")), max_size=40))
def test_whatever_a_task_prints_the_line_is_one_of_it(lines: list[str]) -> None:
    found = likely_cause(lines)
    assert (found is None) == (not any(line.strip() for line in lines))
    if found is not None:
        assert found.text.startswith(lines[found.at].strip()[:400])


def test_no_line_takes_long_to_look_at() -> None:
    # A pattern that went back and forth over one of these would not come to its end.
    hostile = ["a." * 200, "A" * 400, ": " * 200, "FAILED " + "x:" * 200, "thread '" + "'" * 390, "." * 400] * 160
    assert likely_cause(hostile) is not None


ERROR = "src/core.c:123:7: error: expected ';' before 'return'"


def _log(*ends: str) -> list[str]:
    return [*(f"[{n}] CC src/file{n}.c" for n in range(10_000)), *ends]


def _end_of(lines: list[str], window: int) -> list[str]:
    return "\n".join(lines)[-window:].split("\n")


@pytest.mark.parametrize("end", ["make: *** [core.o] Error 1", "done"])
def test_a_compilers_line_is_found_far_from_a_vague_end(end: str) -> None:
    lines = [ERROR, *_log(end)]
    found = find_cause(lambda window: _end_of(lines, window))
    assert found is not None
    assert (found[0].text, found[0].at, found[1]) == (ERROR, 0, 1 << 20)


def test_an_end_that_says_why_is_enough() -> None:
    lines = [ERROR, *_log("cannot reach the license server")]
    found = find_cause(lambda window: _end_of(lines, window))
    assert found is not None
    assert (found[0].text, found[1]) == ("cannot reach the license server", 64 << 10)


def test_a_mere_word_far_away_does_not_beat_the_end() -> None:
    lines = ["could not read the cache", *_log("make: *** [core.o] Error 1")]
    found = find_cause(lambda window: _end_of(lines, window))
    assert found is not None
    assert found[0].text == "make: *** [core.o] Error 1"


def test_no_more_lines_are_looked_at_than_are_meant() -> None:
    lines = [ERROR, *[""] * MOST_LINES, "bye"]
    found = find_cause(lambda _: lines)
    assert found is not None
    assert lines[found[0].at] == "bye"


def test_a_last_line_without_a_word_of_trouble_is_no_reason() -> None:
    found = find_cause(lambda window: _end_of(_log("unit 1", "unit 2", ""), window))
    assert found is not None
    assert (found[0].text, found[0].last, found[0].below) == ("unit 2", True, 1)
    found = find_cause(lambda window: _end_of(_log("make: *** [core.o] Error 1"), window))
    assert found is not None
    assert not found[0].last
