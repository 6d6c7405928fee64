"""What the form that adds hosts shows: ways to make them, the cloud's lists, and what would be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from dashboard.flows.cloud_hosts import Choices, CloudPlan, begin_reading, cloud_plan, first_choices, inventory_of
from dashboard.flows.hosts import HostPlan, plan_hosts
from dashboard.forms.hosts import AddHostsForm
from dashboard.forms.refusals import show_refusal
from dashboard.models import CloudAccount, LinkKind
from platform_manager.errors import PlatformError, UserError

from .viewer import Viewer

if TYPE_CHECKING:
    from platform_manager.clouds.openstack.inventory import Inventory

PREFIX = "fw"
MORE = {"pool", "link", "zone", "key_pair", "security_groups"}


@dataclass
class AddHosts:
    """The form with what it takes to fill it in; ``trouble`` is why the cloud's lists are missing."""

    viewer: Viewer
    form: AddHostsForm
    plan: HostPlan | None = None
    cloud: CloudPlan | None = None
    inventory: Inventory | None = None
    trouble: str = ""
    chosen: Choices | None = None

    @property
    def accounts(self) -> list[CloudAccount]:
        found = CloudAccount.objects.usable_by(self.viewer.user, self.viewer.environment)
        return list(found.select_related("owner", "preset"))

    @property
    def driver(self) -> str:
        return str(self.form.data.get("driver") or "")

    @property
    def account(self) -> CloudAccount | None:
        return account_of(self.viewer, self.driver)

    @property
    def diskless(self) -> bool:
        flavors = self.inventory.flavors if self.inventory else []
        return any(one.disk_gib == 0 for one in flavors if self.chosen and one.id == self.chosen.flavor)

    @property
    def more_open(self) -> bool:
        """Whether what most leave as it is stands open: something in there was chosen, or is wrong."""
        chosen = self.chosen
        rare = chosen and (chosen.pool or chosen.zone or chosen.key_pair or chosen.security_groups)
        return bool(rare or (chosen and chosen.link != LinkKind.REVERSE) or self.form.errors.keys() & MORE)

    def fail(self, error: PlatformError) -> None:
        """The sentence at its field, or above the form."""
        show_refusal(self.form, error if isinstance(error, UserError) else UserError(str(error)))


def first_values(viewer: Viewer) -> dict[str, str | int]:
    """Names go on from the last host's; a new environment is offered as many hosts as it wants managers."""
    last = viewer.environment.hosts.order_by("-created_at").first()
    prefix = last.name.rpartition("-")[0] if last else ""
    account = account_of(viewer, str(last.account_id)) if last and last.account_id else None
    return {
        "driver": str(account.pk) if account else "local",
        "prefix": prefix or PREFIX,
        "quantity": 1 if last else viewer.environment.managers,
    }


def opened(viewer: Viewer, form: AddHostsForm) -> AddHosts:
    """The form before anything was typed; a cloud's lists come after it, for it may be slow."""
    account = account_of(viewer, str(form.data["driver"]))
    if account is None:
        return planned(viewer, form, strict=False)
    begin_reading(account)
    return AddHosts(viewer, form)


def account_of(viewer: Viewer, driver: str) -> CloudAccount | None:
    """The account of this id, where the viewer may use it here."""
    try:
        wanted = UUID(driver)
    except ValueError:
        return None
    usable = CloudAccount.objects.usable_by(viewer.user, viewer.environment)
    return usable.select_related("preset", "owner").filter(pk=wanted).first()


def planned(viewer: Viewer, form: AddHostsForm, *, strict: bool) -> AddHosts:
    """What the form would give, with errors at their fields.

    Where nothing was chosen of the cloud's lists yet, what suits most is; not if ``strict``: nobody gets a host of
    something they have not seen.
    """
    page = AddHosts(viewer, form)
    account = page.account
    valid = form.is_valid()
    if page.driver != "local" and account is None and "driver" not in form.errors:
        form.add_error("driver", "Choose how the hosts are made.")
    if account is not None:
        _read(page, account, strict=strict)
    if not valid:
        return page
    try:
        page.plan = plan_hosts(viewer.environment, form.cleaned_data["prefix"], form.cleaned_data["quantity"])
        if page.inventory is not None and page.chosen is not None:
            quantity = form.cleaned_data["quantity"]
            page.cloud = cloud_plan(viewer.environment, page.inventory, page.chosen, quantity)
    except UserError as error:
        page.fail(error)
    return page


def _read(page: AddHosts, account: CloudAccount, *, strict: bool) -> None:
    try:
        page.inventory = inventory_of(account)
    except PlatformError as error:
        page.trouble = str(error)
        return
    page.chosen = page.form.choices()
    if page.chosen is None:
        page.chosen = first_choices(account, page.inventory)
        if strict:
            page.form.add_error(None, "Look at what the hosts will be made of, then add them.")
