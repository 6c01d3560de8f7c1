"""The logs of a run: while a task writes them, and when they are read, searched or proved."""
