"""The application: `slicer.app`, its modules, files, layout and views."""
