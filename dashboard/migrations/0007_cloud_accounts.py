"""Accounts at clouds, presets of clouds, and the one preset that every platform starts with."""

from typing import Any

import dashboard.models.fields
import dashboard.models.ids
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

# Its auth URL changes with the Lab's nodes: operators fill it in, and users give it until then.
FIWARE_LAB = {
    "slug": "fiware-lab",
    "name": "FIWARE Lab",
    "network": "node-int-net-01",
    "pool": "public-ext-net-01",
}


def make(apps: Any, schema_editor: Any) -> None:
    preset = apps.get_model("dashboard", "CloudPreset")
    preset.objects.get_or_create(slug=FIWARE_LAB["slug"], defaults=FIWARE_LAB)


class Migration(migrations.Migration):

    dependencies = [
        ('dashboard', '0006_membership_since'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CloudPreset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(unique=True)),
                ('name', models.CharField(max_length=60, unique=True)),
                ('auth_url', models.CharField(blank=True, help_text='Of the identity service (Keystone v3). Empty: users give it.', max_length=300, verbose_name='auth URL')),
                ('ca', models.TextField(blank=True, help_text='In PEM; only for clouds that sign their own certificate.', verbose_name='CA bundle')),
                ('domain', models.CharField(default='Default', help_text='Of users and projects.', max_length=100)),
                ('regions', models.JSONField(blank=True, default=list, help_text='A list, as ["Spain2"]; empty: any.')),
                ('network', models.CharField(blank=True, help_text='Name of the network that hosts take first.', max_length=200)),
                ('pool', models.CharField(blank=True, help_text='Name of the pool floating IPs come from.', max_length=200)),
                ('private', models.BooleanField(default=False, help_text="Lets everybody reach this auth URL, and what its catalog names, in the platform's own network.", verbose_name='may have a private address')),
                ('position', models.PositiveSmallIntegerField(default=0)),
            ],
            options={
                'ordering': ['position', 'name'],
            },
        ),
        migrations.CreateModel(
            name='CloudAccount',
            fields=[
                ('id', models.UUIDField(default=dashboard.models.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=60)),
                ('auth_url', models.CharField(max_length=300, verbose_name='auth URL')),
                ('region', models.CharField(blank=True, max_length=100)),
                ('regions', models.JSONField(blank=True, default=list)),
                ('project', models.CharField(blank=True, max_length=200)),
                ('user', models.CharField(blank=True, max_length=200)),
                ('secret', dashboard.models.fields.EncryptedJSONField()),
                ('defaults', models.JSONField(blank=True, default=dict)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('verified_at', models.DateTimeField(blank=True, null=True)),
                ('problem', models.TextField(blank=True)),
                ('environments', models.ManyToManyField(blank=True, related_name='cloud_accounts', to='dashboard.environment')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cloud_accounts', to=settings.AUTH_USER_MODEL)),
                ('preset', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='accounts', to='dashboard.cloudpreset')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='host',
            name='account',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='hosts', to='dashboard.cloudaccount'),
        ),
        migrations.AddConstraint(
            model_name='cloudaccount',
            constraint=models.UniqueConstraint(models.F('owner'), django.db.models.functions.text.Lower('name'), name='cloud_account_name_once_per_owner'),
        ),
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
