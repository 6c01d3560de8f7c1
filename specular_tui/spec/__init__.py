"""Files to values: plans and policies with line and column, settings from four sources."""
