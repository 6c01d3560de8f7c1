"""The log on the screen, in layers: text and window, the sheet that paints, the view that follows, the pane."""
