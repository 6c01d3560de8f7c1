"""A build in motion: what starts when, and the processes and containers that do it."""
