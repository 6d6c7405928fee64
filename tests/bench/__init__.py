"""How fast the platform is against the raw tools: ``python -m tests.bench`` prints a line a figure."""
