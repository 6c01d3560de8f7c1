"""Tasks in containers, run by docker or podman through their command lines.

Every container carries the run's label and a name of its own; it is ended and removed through the engine, because the
client that started it is only a messenger: killed, it leaves the container running.

A task has a container of its own (`job`), or, with the policy's `reuse: run`, one to itself for as long as it runs, and
the next task after it (`shared`, `keeper`).
"""
