#!/usr/bin/env bash
# Installs Specular, runs it as the inputs say, and tells the job what came of it. The exit code is Specular's.
#
# No text of an input is code here: each is a variable, and becomes one word of the command line or, by the rules of
# shlex, several. Made for the bash 3.2 of macOS too, which takes an empty array for an unset one.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=${here%/.github/actions/specular}
temporary=${RUNNER_TEMP:-${TMPDIR:-/tmp}}

command=${INPUT_COMMAND:-build}
enabled=${INPUT_CHECKPOINT_ENABLED:-}
resume=${INPUT_RESUME:-false}
plan=${INPUT_PLAN:-}
policy=${INPUT_POLICY:-}
run_id=${INPUT_RUN_ID:-}
version=${INPUT_VERSION:-}
args=${INPUT_ARGS:-}
# What the tasks run may look for inputs of its own.
unset INPUT_COMMAND INPUT_CHECKPOINT_ENABLED INPUT_RESUME INPUT_PLAN INPUT_POLICY INPUT_RUN_ID INPUT_VERSION INPUT_ARGS

refuse() {
  echo "Error: $1" >&2
  echo "::error title=Specular::${1//%/%25}"
  if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    printf '## Specular: exit code 2\n\nThe action cannot run so. The log of the step says why.\n\n' >>"$GITHUB_STEP_SUMMARY"
  fi
  exit 2
}

# In one line, so that nothing in it begins one.
quoted() { printf %q "$1"; }

check_inputs() {
  [[ $command =~ ^[a-z]+(\ [a-z]+)*$ ]] || refuse "command is not a command of specular: $(quoted "$command")"
  case $resume in
    true | false) ;;
    *) refuse "resume is true or false, and run-id names the run; not $(quoted "$resume")" ;;
  esac
  case $enabled in
    true | false) export SPECULAR_CHECKPOINT_ENABLED=$enabled ;;
    "") ;;
    *) refuse "checkpoint-enabled is true or false, not $(quoted "$enabled")" ;;
  esac
  if [ "$command" != build ] && [ "$resume$plan$policy$run_id" != false ]; then
    refuse "resume, plan, policy and run-id go with the command build; give $(quoted "$command") its options in args"
  fi
  if [ -n "$version" ] && ! [[ $version =~ ^[0-9][0-9A-Za-z.+!-]*$ ]]; then
    refuse "this is not a version of specular-tui: $(quoted "$version")"
  fi
}

# Sets `python`. It is always started with -I: a file of the project must not stand in for a module.
find_python() {
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$name" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      python=$(command -v "$name")
      return
    fi
  done
  refuse "there is no Python 3.11 or newer here; put actions/setup-python before this step"
}

# Sets `bin`, the folder that holds specular and nothing else, for this and for later steps.
install() {
  local requirement=specular-tui home=$temporary/specular-newest
  if [ -n "$version" ]; then
    requirement=specular-tui==$version home=$temporary/specular-$version
  elif grep -qs '^name = "specular-tui"$' "$repository/pyproject.toml"; then
    requirement=$repository home=$temporary/specular-here
  fi
  bin=$home/bin
  [ -e "$home/installed" ] && return
  echo "::group::Install Specular"
  "$python" -I -m venv --clear "$home/venv"
  "$home/venv/bin/python" -I -m pip install --disable-pip-version-check --no-input --quiet "$requirement"
  mkdir -p "$bin"
  ln -sf ../venv/bin/specular "$bin/specular"
  "$bin/specular" --version
  echo "::endgroup::"
  if [ -n "${GITHUB_PATH:-}" ]; then
    echo "$bin" >>"$GITHUB_PATH"
  fi
  : >"$home/installed"
}

# Sets `words`, the command line, and `report`, where it says what came of the build.
assemble() {
  local parts word next='' more=()
  read -r -a parts <<<"$command"
  words=("$bin/specular" "${parts[@]}")
  "$python" -I -c '
import os, shlex, sys
try:
    words = shlex.split(sys.argv[1])
except ValueError as error:
    sys.exit(f"args: {error}".lower())
sys.stdout.buffer.write(b"".join(os.fsencode(word) + b"\0" for word in words))
' "$args" >"$work/args" || refuse "args cannot be split into words: $(quoted "$args")"
  report=
  while IFS= read -r -d '' word; do
    more+=("$word")
    if [ "$next" = report ]; then
      report=$word
    fi
    next=
    case $word in
      --junit) next=report ;;
      --junit=*) report=${word#*=} ;;
    esac
  done <"$work/args"
  if [ "$command" = build ]; then
    # `--option=value`: whatever the value is, it is no option.
    if [ "$resume" = false ]; then
      [ -z "$run_id" ] || words+=("--run-id=$run_id")
    elif [ -n "$run_id" ]; then
      words+=("--resume=$run_id")
    else
      words+=(--resume-last)
    fi
    [ -z "$plan" ] || words+=("--plan=$plan")
    [ -z "$policy" ] || words+=("--policy=$policy")
    if [ -z "$report" ]; then
      report=$work/report.xml
      words+=("--junit=$report")
    fi
  fi
  words+=(${more[@]+"${more[@]}"})
}

# Runs `words` and sets `code`. The runner signals this process alone when a job is cancelled; what it says is passed
# on, and the checkpoint is saved before the step ends.
run() {
  local child='' caught
  trap 'caught=1; [ -z "$child" ] || kill -INT "$child" 2>/dev/null || true' INT
  trap 'caught=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null || true' TERM
  set -m # a process group of its own: elsewhere, what runs in the background ignores SIGINT
  PATH=$bin:$PATH "${words[@]}" </dev/null &
  child=$!
  set +m
  while :; do
    caught=
    code=0
    wait "$child" || code=$?
    [ -n "$caught" ] || break
  done
}

check_inputs
find_python
install
work=$(mktemp -d "$temporary/specular-run.XXXXXX")
assemble
: >"$work/started"
run
if [ "$command" = build ]; then
  named=
  [ "$resume" = false ] || named=${run_id:---last}
  "$python" -I "$here/summary.py" "$code" "$report" "$work/started" "$bin/specular" "$named" ||
    echo "::warning title=Specular::the outputs and the summary could not be written"
fi
exit "$code"
