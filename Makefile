.PHONY: venv demo test interop bench docs peers

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
	.venv/bin/python -m pytest -q interop

bench: peers
	.venv/bin/python -m bench.run

docs: venv
	.venv/bin/python tools/hook_reference.py
