"""The demo: a real build, of about a hundred tasks, on input that every machine has."""

from specular_tui.demo.plan import write_demo

__all__ = ["write_demo"]
