"""Catalogs: where recipes come from. Sources give trees of files, readers make entries of them."""
