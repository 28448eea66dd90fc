"""Experiments on real images: AIDE against what it claims to beat, repeatable with one command."""
