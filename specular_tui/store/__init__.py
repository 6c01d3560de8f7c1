"""The checkpoint directory: journal, snapshots, locks, checks, archives and retention."""
