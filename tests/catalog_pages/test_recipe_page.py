"""The page of one recipe: what a refused version, a reader and a repeated description are told."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.models import Catalog, CatalogRecipe, Environment, MemberRole
from tests import factories

pytestmark = pytest.mark.django_db


def page(client: Client, shop: Environment, recipe: CatalogRecipe, **query: str) -> str:
    answer = client.get(reverse("catalog_recipe", args=[shop.pk, recipe.pk]), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_refused_version_leads_to_one_that_can_be_deployed(client: Client, shop: Environment, ours: Catalog) -> None:
    recipe = factories.recipe(ours, "Orion", versions=("2.0", "1.0"))
    recipe.versions.filter(label="2.0").update(refusal="It needs links.", compose="", questions=[])
    shown = page(client, shop, recipe, version="2.0")
    assert "It needs links." in shown
    assert "See version 1.0, which can" in shown
    assert "it can be deployed as it is" not in shown


def test_a_recipe_that_is_refused_in_every_version_leads_to_others(
    client: Client, shop: Environment, ours: Catalog
) -> None:
    recipe = factories.recipe(ours, "Orion", versions=("1.0",))
    recipe.versions.update(refusal="It needs links.")
    assert "Look for another recipe" in page(client, shop, recipe)


@pytest.mark.parametrize(
    ("description", "shown"),
    [("<p>A broker &amp; more.</p>", False), ("<p>A broker &amp; more. It is fast.</p>", True)],
)
def test_a_description_stands_there_where_it_says_more_than_the_summary(
    client: Client, shop: Environment, ours: Catalog, description: str, shown: bool
) -> None:
    recipe = factories.recipe(ours, "Orion", summary="A broker & more.", description=description)
    assert ('aria-label="Description"' in page(client, shop, recipe)) == shown


def test_who_may_only_look_is_told_so(client: Client, shop: Environment, ours: Catalog) -> None:
    recipe = factories.recipe(ours, "Orion")
    client.force_login(factories.member(shop, role=MemberRole.READ_ONLY))
    shown = page(client, shop, recipe)
    assert "somebody with the role of a member deploys it" in shown
    assert "you may look at this environment, but not change it" in shown


def test_recipes_of_one_title_are_told_apart(client: Client, shop: Environment, ours: Catalog) -> None:
    factories.recipe(ours, "Ghost", key="ghost")
    factories.recipe(ours, "Ghost", key="swarm*ghost")
    factories.recipe(ours, "Orion")
    answer = client.get(reverse("catalog", args=[shop.pk]), {"source": str(ours.pk)})
    places = {(card.recipe.title, card.place) for card in answer.context["listing"].items}
    assert places == {("Ghost", "ghost"), ("Ghost", "swarm*ghost"), ("Orion", "")}
    assert "swarm*ghost" in answer.content.decode()
