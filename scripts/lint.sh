#!/bin/sh
# All checks of the code that do not run it.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin

$bin/ruff check .
$bin/ruff format --check .
$bin/mypy
$bin/lint-imports
$bin/djlint templates --lint --quiet
PM_VAR=$(mktemp -d) $bin/python manage.py makemigrations --check --dry-run
PM_VAR=$(mktemp -d) PM_URL=https://platform.example.org $bin/python manage.py check --deploy --fail-level WARNING
shellcheck scripts/*.sh platform_manager/clouds/bootstrap/join.sh .ci/run
