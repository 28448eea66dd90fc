"""What both modules need of Slicer: nodes to files and back, background processes, messages. Holds no algorithm."""
