"""Catalogs as rows: refreshing them from their sources, and what is stored of them."""
