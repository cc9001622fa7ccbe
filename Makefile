# `make demo` and `make test` install what they need; see scripts/setup.
.PHONY: help setup demo test check bench format
.DEFAULT_GOAL := help

DEMO_BUTTONS ?= 12
# GeoJSON of kelurahan to spread the buttons over; without one the sites are made up.
BOUNDARIES ?= $(wildcard ../shared/data/tarakan-kelurahan.geojson)
UV := .tools/bin/uv
RUN := $(UV) run --frozen

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install what the project needs (Debian packages, Python packages)
	@scripts/setup

demo: setup ## a small city on this machine: broker, gateway, console, buttons, staff
	@$(RUN) siaga up --data demo-data --demo $(DEMO_BUTTONS) \
		$(if $(BOUNDARIES),--boundaries $(BOUNDARIES))

test: setup ## all tests, on the real broker and on MicroPython
	@$(RUN) pytest --numprocesses 2

check: setup ## formatting, lint, types, and the firmware against MicroPython's stubs
	@scripts/check

bench: setup ## the measured claims, as one table
	@$(RUN) python -m benchmarks

format: setup ## format and fix what can be fixed
	@$(RUN) ruff format
	@$(RUN) ruff check --fix
