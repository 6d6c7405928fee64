# Two commands do everything on a fresh Debian machine: make demo, make test.
PYTHON = .venv/bin/python
ENGINE_VAR = var/engine

.PHONY: demo demo-clean setup test test-openstack lint bench

demo:  ## set everything up and run the platform on this machine
	@scripts/demo.sh

demo-clean:  ## remove everything the demo made, and nothing else
	@scripts/demo.sh --clean

setup:  ## what tests need: packages, a Docker engine, images
	@scripts/setup.sh dev
	@scripts/engine.sh $(ENGINE_VAR)
	@scripts/host-image.sh >/dev/null
	@scripts/workload-images.sh >/dev/null

test: setup lint  ## set everything up, check the code and run all tests
	scripts/test.sh

test-openstack: setup  ## the main job on a real OpenStack project; docs/openstack.md says which variables it takes
	@$(PYTHON) -m pytest tests/openstack/real_cloud.py

lint:  ## style, types, layers, templates, migrations, scripts
	scripts/lint.sh

bench: setup  ## measure speed against the raw tools; a line a figure
	@$(PYTHON) -m tests.bench
