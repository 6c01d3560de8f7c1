"""The table of tasks, in layers: rows and columns, the sheet that paints, the table that is live."""
