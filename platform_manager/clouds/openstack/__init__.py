"""OpenStack and the FIWARE Lab as a cloud for hosts."""
