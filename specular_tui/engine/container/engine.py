"""A container engine, asked through its command line."""

from __future__ import annotations

import shutil
import subprocess
from typing import Final

from specular_tui.errors import SpecularError
from specular_tui.model.policy import DockerPolicy

#: The label of every container: the folder of the run that it belongs to.
LABEL: Final = "specular.run"
#: Seconds for one question to the engine; an engine that takes longer is broken.
PATIENCE: Final = 60.0


class Engine:
    """A container engine that answers: docker or podman."""

    def __init__(self, name: str) -> None:
        """`name` is its command."""
        self.name = name

    def ask(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the engine and return what came of it; what it prints is captured."""
        try:
            return subprocess.run(
                [self.name, *args],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess([self.name, *args], 124, "", f"{self.name} does not answer")
        except OSError as error:
            return subprocess.CompletedProcess([self.name, *args], 127, "", f"{self.name}: {error.strerror}")

    def remove_all(self, marker: str) -> int:
        """End and remove every container of the run `marker`; return how many there were."""
        found = self.ask("ps", "-aq", "--no-trunc", "--filter", f"label={LABEL}={marker}").stdout.split()
        if found:
            self.ask("rm", "-f", *found)
        return len(found)


def find_engine(policy: DockerPolicy) -> Engine:
    """Return the engine that `policy` names, or the first one that answers.

    Raises:
        SpecularError: none does; the details say what each one answered.
    """
    names = ("docker", "podman") if policy.engine == "auto" else (policy.engine,)
    answers = []
    for name in names:
        if shutil.which(name) is None:
            answers.append(f"{name}: not installed")
            continue
        asked = Engine(name).ask("version", "--format", "{{.Server.Version}}" if name == "docker" else "{{.Version}}")
        if asked.returncode == 0 and asked.stdout.strip():
            return Engine(name)
        answers.append(f"{name}: {_last_line(asked.stderr) or 'no answer'}")
    wanted = "execution.docker.required is true" if policy.required else "the plan has tasks with an image"
    raise SpecularError(
        f"{wanted}, and no container engine answers",
        details=answers,
        hint="start docker or podman (specular doctor tells more); nothing was started",
    )


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.strip().splitlines()) if line.strip()), "")[:300]
