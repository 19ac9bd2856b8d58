"""``codex app-server generate-json-schema`` and ``generate-ts``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from protocol_0118.comparison import FACTS

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs ``codex app-server`` in an empty directory."""
    (tmp_path / "home").mkdir()

    def codex(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "codex_host", "app-server", *arguments],
            env={**os.environ, "CODEX_HOME": str(tmp_path / "home")},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done

    return codex


def files_of(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def schemas_of(folder: Path) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in files_of(folder).items()}


def methods_in(schema: Any) -> set[str]:
    return {option["properties"]["method"]["enum"][0] for option in schema["oneOf"]}


def test_every_schema_is_valid_and_complete(run: Run, tmp_path: Path) -> None:
    run("generate-json-schema", "--out", "schemas", "--experimental")

    schemas = schemas_of(tmp_path / "schemas")
    del schemas["methods.json"]  # It is no schema.
    assert {"ClientRequest.json", "v1/InitializeParams.json", "v2/ThreadStartParams.json"} < schemas.keys()
    for name, schema in schemas.items():
        jsonschema.Draft7Validator.check_schema(schema)
        for reference in re.findall(r'"\$ref": "#([^"]*)"', json.dumps(schema)):
            place = schema
            for step in reference.strip("/").split("/"):
                assert step in place, f"{name}: {reference}"
                place = place[step]


def test_schemas_have_the_file_names_of_0_118(run: Run, tmp_path: Path) -> None:
    run("generate-json-schema", "--out", "schemas", "--experimental")

    found = {Path(name).stem for name in files_of(tmp_path / "schemas")}
    bundles = {"codex_app_server_protocol.schemas", "codex_app_server_protocol.v2.schemas"}
    assert bundles < found
    assert {"JSONRPCMessage", "RequestId", "ServerNotification", "ServerRequest", "ClientNotification"} < found
    offered = methods_in(json.loads((tmp_path / "schemas/ClientRequest.json").read_text()))
    wanted = {name for method in offered for name in FACTS["requests"].get(method, ())[:2] if name}
    assert wanted - found == set()


def test_the_methods_of_all_plugins_have_the_types_of_0_118(run: Run, tmp_path: Path) -> None:
    run("generate-json-schema", "--out", "schemas", "--experimental")

    requests = json.loads((tmp_path / "schemas/ClientRequest.json").read_text())["oneOf"]
    params = {
        option["properties"]["method"]["enum"][0]: option["properties"]["params"].get("$ref", "").rpartition("/")[2]
        for option in requests
    }
    wanted = {method: names[0] or "" for method, names in FACTS["requests"].items()}
    assert {method: params.get(method) for method in wanted} == wanted


def test_a_request_is_validated_by_the_schema_of_requests(run: Run, tmp_path: Path) -> None:
    run("generate-json-schema", "--out", "schemas")
    validator = jsonschema.Draft7Validator(json.loads((tmp_path / "schemas/ClientRequest.json").read_text()))

    fine = {"method": "turn/start", "id": 1, "params": {"threadId": "x", "input": [{"type": "text", "text": "hi"}]}}
    wrong = {"method": "turn/start", "id": 1, "params": {"threadId": "x", "input": [{"type": "text"}]}}
    assert validator.is_valid(fine)
    assert not validator.is_valid(wrong)


def test_what_is_experimental_is_only_shown_when_it_is_asked_for(run: Run, tmp_path: Path) -> None:
    run("generate-json-schema", "--out", "stable")
    run("generate-json-schema", "-o", "all", "--experimental")

    stable, everything = (
        json.loads((tmp_path / folder / "v2/ThreadStartParams.json").read_text()) for folder in ("stable", "all")
    )
    added = everything["properties"].keys() - stable["properties"].keys()
    assert added == set(FACTS["experimental_members"]["ThreadStartParams"])


def test_typescript_modules_import_only_what_there_is_and_what_they_use(run: Run, tmp_path: Path) -> None:
    run("generate-ts", "--out", "types", "--experimental")

    root = tmp_path / "types"
    for name, text in files_of(root).items():
        code = re.sub(r'/\*\*.*?\*/|//[^\n]*|"[^"\n]*"', "", text, flags=re.DOTALL)
        assert [code.count(left) for left in "{[("] == [code.count(right) for right in "}])"], name
        for imported, module in re.findall(r'import type \{ (\w+) \} from "([^"]+)";', text):
            assert f"export type {imported} =" in (root / name).parent.joinpath(f"{module}.ts").read_text()
            assert len(re.findall(rf"\b{imported}\b", code)) > 1, f"{name}: {imported}"
        if name.endswith("index.ts"):
            for _, module in re.findall(r'export type \{ (\w+) \} from "([^"]+)";', text):
                assert (root / name).parent.joinpath(f"{module}.ts").exists()
        else:
            assert f"export type {Path(name).stem} =" in text


def test_typescript_types_may_leave_out_what_has_a_default(run: Run, tmp_path: Path) -> None:
    run("generate-ts", "--out", "types")

    params = (tmp_path / "types/v2/ThreadStartParams.ts").read_text()
    thread = (tmp_path / "types/v2/Thread.ts").read_text()
    assert "cwd?: string | null" in params
    assert "path: string | null" in thread
    assert "createdAt: number" in thread


def test_typescript_types_may_leave_out_what_is_not_always_sent(run: Run, tmp_path: Path) -> None:
    run("generate-ts", "--out", "types", "--experimental")

    asked, text, policy = (
        (tmp_path / f"types/v2/{name}.ts").read_text()
        for name in ("CommandExecutionRequestApprovalParams", "UserInput", "SandboxPolicy")
    )
    for member in ("approvalId", "additionalPermissions", "networkApprovalContext"):
        assert f"{member}?: " in asked
    assert "itemId: string" in asked
    assert "text_elements?: Array<TextElement> | null" in text
    assert "writableRoots?: Array<AbsolutePathBuf> | null" in policy


def test_comments_speak_of_null(run: Run, tmp_path: Path) -> None:
    run("generate-ts", "--out", "types", "--experimental")

    texts = files_of(tmp_path / "types")
    assert [name for name, text in texts.items() if re.search(r"`None`|`True`|`False`|``", text)] == []


def test_methods_are_mapped_to_their_types(run: Run, tmp_path: Path) -> None:
    run("generate-ts", "--out", "types")
    run("generate-json-schema", "--out", "schemas")

    methods = json.loads((tmp_path / "schemas/methods.json").read_text())
    start = methods["clientRequests"]["turn/start"]
    assert start == {"params": "TurnStartParams", "result": "TurnStartResponse"}
    assert methods["clientRequests"]["account/logout"]["params"] is None
    assert methods["serverRequests"]["item/tool/call"]["result"] == "DynamicToolCallResponse"
    assert methods["serverNotifications"]["turn/completed"] == {"params": "TurnCompletedNotification"}
    mapped = (tmp_path / "types/ClientRequestTypes.ts").read_text()
    assert '"turn/start": { params: TurnStartParams, result: TurnStartResponse }' in mapped
    assert 'import type { TurnStartResponse } from "./v2/TurnStartResponse";' in mapped
    told = (tmp_path / "types/ServerNotificationTypes.ts").read_text()
    assert '"turn/completed": TurnCompletedNotification' in told


def test_a_formatter_gets_the_files(run: Run, tmp_path: Path) -> None:
    formatter = tmp_path / "formatter"
    formatter.write_text('#!/bin/sh\nfor word; do echo "$word"; done > ../seen\n')
    formatter.chmod(0o755)

    run("generate-ts", "--out", "types", "--prettier", "./formatter")

    seen = (tmp_path / "seen").read_text().splitlines()
    assert seen[:3] == ["--write", "--log-level", "warn"]
    assert "v2/Thread.ts" in seen


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["generate-ts"], 2, "required arguments were not provided:\n  --out <DIR>"),
        (["generate-json-schema", "--out"], 2, "a value is required for '--out <DIR>'"),
        (["generate-json-schema", "--out", "x", "--prettier", "y"], 2, "unexpected argument '--prettier' found"),
        (["generate-ts", "--out", "x", "--prettier", "./none"], 1, "failed to run"),
        (["generate-ts", "--out", "x", "--prettier", "/bin/false"], 1, "failed with status 1"),
        (["generate-ts", "--out", "/dev/null/x"], 1, "failed to write /dev/null/x"),
    ],
)
def test_an_error_is_said_in_one_message(run: Run, arguments: list[str], status: int, message: str) -> None:
    assert message in run(*arguments, status=status).stderr
