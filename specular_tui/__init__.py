"""Specular: run long builds that can be interrupted, watched, steered and resumed."""

__version__ = "0.1.0"
