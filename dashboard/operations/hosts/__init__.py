"""Hosts made, started, made anew and removed."""
