"""The projects of cloud accounts: drivers, what is seen there, ports, and what is left over."""
