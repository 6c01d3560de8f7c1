"""Between the screens and the checkpoint directory: the only caller of `workspace`.

It watches the directory and the run in view, reads what is new in slices, folds it, and tells the screens with one
message per batch. What may block (whole files, sockets, deletion) runs on threads.

`bridge.Bridge` is all of it. It takes longer to import than the first screen takes to be painted, so the application
does that afterwards; `settings`, which it needs before, imports none of it.
"""
