"""The views of the layout, drawn by Slicer's own displayable managers into pictures."""
