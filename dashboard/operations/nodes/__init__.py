"""Hosts as nodes of their swarm: which of them speaks for it, which manage it, how they leave."""
