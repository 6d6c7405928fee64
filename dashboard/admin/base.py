"""What all pages of the admin site have in common.

Operators (``is_operator``) may do here what there is to do; Django's own permissions and superusers have no say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.db.models import Model, QuerySet, UUIDField
from django.db.models.constants import LOOKUP_SEP
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from dashboard.models.auditing import record
from dashboard.models.permissions import is_operator

from .columns import link
from .deeds import Deed, perform

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline
else:
    from unfold.admin import ModelAdmin, TabularInline

Row = TypeVar("Row", bound=Model)
Parent = TypeVar("Parent", bound=Model)

PER_PAGE = 50


class ForOperators:
    """Permissions of pages and of parts of pages alike."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_operator(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request.user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_operator(request.user)


class Untouched:
    """Rows that say what is: editing them would not change the real world, only hide it."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PlatformAdmin(ForOperators, ModelAdmin[Row]):
    """A page per model: found by its id too, paged without counting twice, changes recorded, deeds as buttons."""

    list_per_page = PER_PAGE
    list_max_show_all = PER_PAGE
    list_filter_submit = True
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    change_form_outer_before_template = "admin/deeds.html"
    deeds: Sequence[Deed[Any]] = ()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Row], search_term: str
    ) -> tuple[QuerySet[Row], bool]:
        """An id finds its row alone; searching ids for parts of them would read every row."""
        wanted = _as_uuid(search_term)
        if wanted is not None and isinstance(self.model._meta.pk, UUIDField):
            return queryset.filter(pk=wanted), False
        return super().get_search_results(request, queryset, search_term)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only by what pages show: yes and no to enough questions spell out what they leave out."""
        return lookup.partition(LOOKUP_SEP)[0] not in self._hidden() and super().lookup_allowed(lookup, value, request)

    def _hidden(self) -> set[str]:
        """Columns that no page of the model shows."""
        shown = self.fields or (flatten_fieldsets(self.fieldsets) if self.fieldsets else None)
        if shown is None:
            return set()
        filters = {one if isinstance(one, str) else one[0] for one in self.list_filter if isinstance(one, str | tuple)}
        return {
            name
            for column in self.opts.concrete_fields
            if not column.primary_key and not {column.name, column.attname} & {*shown, *filters, *self.list_display}
            for name in (column.name, column.attname)
        }

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with the rows may go: that nobody deletes it alone does not keep it."""
        deleted, count, _, protected = super().get_deleted_objects(objs, request)
        return deleted, count, set(), protected

    # The audit log

    def log_addition(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        self.audit("create", obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Row, message: Any) -> Any:
        if message:
            self.audit("update", obj, changed=_changed(message))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self.audit("delete", obj)
        return super().log_deletions(request, queryset)

    def audit(self, verb: str, obj: Model, **detail: Any) -> None:
        record(f"{str(self.opts.verbose_name).replace(' ', '_')}.{verb}", obj, **detail)

    # Deeds

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.deed_view)
        return [path("<path:object_id>/do/<slug:slug>/", view, name=self._deed_name()), *super().get_urls()]

    def _deed_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_deed"

    def deed_view(self, request: HttpRequest, object_id: str, slug: str) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        deed = next((deed for deed in self.deeds if deed.slug == slug), None)
        if obj is None or deed is None:
            raise Http404("There is nothing of this kind to be done.")
        return perform(self, request, obj, deed)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Row | None = None,
    ) -> HttpResponse:
        context["deeds"] = [(deed, self._deed_url(obj, deed)) for deed in self.offered(obj, request)] if obj else []
        return super().render_change_form(request, context, add, change, form_url, obj)

    def offered(self, obj: Row, request: HttpRequest) -> list[Deed[Any]]:
        return [deed for deed in self.deeds if deed.offered(obj, request.user)]

    def _deed_url(self, obj: Row, deed: Deed[Any]) -> str:
        return reverse(f"admin:{self._deed_name()}", args=[obj.pk, deed.slug])


class Observed(Untouched, PlatformAdmin[Row]):
    """May be looked at, searched and filtered; what can be done to it is a deed."""

    actions: Any = None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            return HttpResponseNotAllowed(["GET"])
        return super().change_view(request, object_id, form_url, extra_context)


class ObservedInline(Untouched, ForOperators, TabularInline[Row, Parent]):
    """Rows of another model on a page, the first few of them."""

    extra = 0
    can_delete = False
    hide_title = True
    per_page = 20
    ordering = ["pk"]
    related: Sequence[str] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Row]:
        return super().get_queryset(request).select_related(*self.related)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or ()

    @admin.display(description="name")
    def named(self, row: Row) -> SafeString | str:
        return link(row)


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _changed(message: Any) -> list[str]:
    """Names of fields from the message Django makes for its own log; their values stay out."""
    if isinstance(message, str):
        return [message[:200]]
    fields: list[str] = []
    for part in message:
        for told in part.values():
            fields += [str(field) for field in told.get("fields", [told.get("name", "")])]
    return fields
