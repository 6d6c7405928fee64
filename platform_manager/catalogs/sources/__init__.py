"""Sources of catalogs: git repositories, addresses, archives and folders of the machine, each as a tree of files."""

from platform_manager.catalogs.sources.gathering import Fetched

__all__ = ["Fetched"]
