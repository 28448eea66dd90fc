"""The widgets of the Common Toolkit (module `ctk`) that the modules use."""
