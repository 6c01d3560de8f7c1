"""What becomes of runs that rest: kept, packed, expired or removed."""
