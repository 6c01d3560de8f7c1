"""What asks or explains in front of a mode."""
