"""Sources that give what a test wants, in place of repositories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.catalogs.reading import Fresh
from dashboard.catalogs.refreshing import Sources, claim, due, refresh
from dashboard.models import Catalog
from platform_manager.catalogs.base import Entry, Found, Skipped, Tree, Version
from platform_manager.errors import ProviderError

COMPOSE = 'version: "3.3"\nservices:\n  web:\n    image: demo/whoami:${VERSION:-1.0}\n'


def entry(key: str, *labels: str, compose: str = COMPOSE, **fields: Any) -> Entry:
    versions = fields.pop("versions", tuple(Version(label, compose=compose) for label in labels or ("1.0",)))
    return Entry(key, fields.pop("title", key.title()), versions, **fields)


@dataclass
class Given:
    """A source: what it holds now, and what of other repositories can be had."""

    entries: tuple[Entry, ...] = ()
    commit: str = "c1"
    problem: str = ""
    skipped: tuple[Skipped, ...] = ()
    repositories: dict[str, Mapping[str, bytes]] = field(default_factory=dict)
    known: list[str] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def read(self, catalog: Catalog, known: str) -> Fresh:
        self.known.append(known)
        self.meanwhile()
        if self.problem:
            raise ProviderError(self.problem)
        same = known == self.commit
        return Fresh(self.commit, None if same else Found("a test's", self.entries), self.skipped)

    def fetcher(self, private: bool) -> Callable[[str, str, float], Tree]:
        def fetch(address: str, ref: str, seconds: float) -> Tree:
            self.asked.append((address, ref))
            if address not in self.repositories:
                raise ProviderError(f"{address} does not answer.")
            return self.repositories[address]

        return fetch

    def refreshed(self, catalog: Catalog) -> Catalog:
        """The catalog after it was read."""
        Catalog.objects.filter(pk=catalog.pk).update(due_at="2026-01-01T00:00Z")
        row = due().get(pk=catalog.pk)
        assert claim(row)
        refresh(row, Sources(self.read, self.fetcher))
        return Catalog.objects.get(pk=catalog.pk)
