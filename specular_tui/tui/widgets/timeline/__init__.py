"""The timeline, in layers: axis, rows and stage, the sheet that paints, the widget that keeps it moving."""
