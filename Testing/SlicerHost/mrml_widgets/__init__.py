"""The widgets of Slicer itself that the modules use; they become attributes of the module `slicer`."""
