"""The full-screen application: a reader of the checkpoint directory and a sender of steering commands."""
