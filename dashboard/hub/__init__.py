"""The hub: keeps the links of hosts, listens to their engines, and writes down what they say."""
