"""Stacks: handed over to their swarms, judged, and removed."""
