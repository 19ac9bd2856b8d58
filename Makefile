.PHONY: venv demo test interop bench docs

venv:
	@sh tools/setup.sh

demo: venv
	@sh examples/wizard-tower/demo.sh

test: venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/pytest -q

interop: venv
	.venv/bin/python -m pytest -q interop

bench: venv
	.venv/bin/python bench/run.py

docs: venv
	.venv/bin/python tools/hook_reference.py
