"""Nothing is imported from where the program is started, nor from where variables of Python point."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from own_environment import make_environment

from codex_hookspecs.environments.file_uri import uri_of
from codex_testkit.servers.exec_client import LIMIT, exec_server

if TYPE_CHECKING:
    from codex_testkit import Project

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("this_machine")]
CAN_BOX = sys.platform == "linux" and shutil.which("bwrap") is not None
MODULES = sorted(
    {*sys.stdlib_module_names, "codex_host", "codex_hookspecs", "sitecustomize", "usercustomize"}
    | {"attr", "attrs", "pluggy", "stevedore", "tomlkit", "httptools", "cattrs", "anyio"}
    | {f"codex_{path.name.replace('-', '_')}" for path in Path(__file__).parents[1].glob("plugins/*")}
)
PACKAGES = {"encodings", "codex_hookspecs", "codex_host", "attr", "importlib", "collections"}
PATHS = [":/nowhere", ".", "src", "{root}:{root}/src"]
SCRIPT = [
    [{"sh": "echo \"path=$PYTHONPATH home=$PYTHONHOME\""}],
    [{"patch": "*** Begin Patch\n*** Add File: made\n+text\n*** End Patch"}],
    [{"call": "view_image", "args": {"path": "picture.png"}}],
    [{"say": "all done"}],
]  # fmt: skip
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "08d763f8ffff3f0005fe02fea735819e0000000049454e44ae426082"
)
COMMANDS = {
    "version": ["--version"],
    "help": ["--help"],
    "list": ["plugins", "list", "--refresh"],
    "show": ["plugins", "show", "tool-plan"],
    "doctor": ["plugins", "doctor", "tool-plan"],
    "doctor of all": ["plugins", "doctor"],
    "switch": ["plugins", "disable", "tool-plan"],
    "features": ["features", "list"],
    "hooks": ["hooks", "list"],
    "rules": ["execpolicy", "check", "--rules", "r.rules", "ls"],
}
BOXES = {
    "bwrap": ["sandbox", "linux", "--full-auto", "--", "true"],
    "proxies": ["sandbox", "linux", "--allow-network-for-proxy", "--", "true"],
}
TURN = ["exec", "--skip-git-repo-check", "--json", "-c", "model_provider=scripted"]
TURN += ["-c", "model_providers.scripted.script=script.json"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the program as an installer puts it beside its interpreter."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    make_environment(folder)
    return str(folder / "bin" / "codex")


@pytest.fixture
def trap(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that tells what was imported of a project full of modules that it should not be imported from."""
    told = project.home.parent / "imported"
    code = f"with open({str(told)!r}, 'a') as _file: _file.write(__file__ + chr(10))\n"
    for folder in (project.root, project.root / "src", user_site(project)):
        folder.mkdir(parents=True, exist_ok=True)
        for name in MODULES:
            path = folder / name / "__init__.py" if name in PACKAGES else folder / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(code)
        (folder / "trap.pth").write_text(f"import sys; exec({code!r}.replace('__file__', repr('trap.pth')))\n")
    project.write({"script.json": json.dumps(SCRIPT), "r.rules": 'prefix_rule(["ls"], "allow")\n', "startup": code})
    (project.root / "picture.png").write_bytes(PICTURE)
    return told


def user_site(project: Project) -> Path:
    return project.home / f".local/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"


def hostile(project: Project, path: str = ":/nowhere") -> dict[str, str]:
    return {
        "PYTHONPATH": path.format(root=project.root),
        "PYTHONHOME": str(project.root),
        "PYTHONINSPECT": "1",
        "PYTHONUTF8": "0",
        "LC_ALL": "C",
        "PYTHONSTARTUP": "startup",
        "PYTHONPLATLIBDIR": "src",
        "PYTHONWARNINGS": "error::attr.Trap",
        "PYTHONUSERBASE": str(project.home / ".local"),
        "PYTHONBREAKPOINT": "attr.trap",
        "PYTHONIOENCODING": "ascii:strict",
        "PYTHONPROFILEIMPORTTIME": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }


def start(program: str, project: Project, arguments: list[str], environ: dict[str, str]) -> subprocess.Popen[bytes]:
    home = {"CODEX_HOME": str(project.home), "HOME": str(project.home)}
    return subprocess.Popen(
        [program, *arguments],
        cwd=project.root,
        env={**os.environ, **home, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(program: str, project: Project, *arguments: str, path: str = ":/nowhere") -> str:
    process = start(program, project, list(arguments), hostile(project, path))
    out, err = process.communicate(timeout=LIMIT)
    assert (process.returncode, b"Traceback" in err) == (0, False), (out + err).decode()
    return out.decode()


@pytest.mark.parametrize("path", PATHS)
def test_no_variable_puts_a_module_in_front_of_ours(program: str, project: Project, trap: Path, path: str) -> None:
    run(program, project, "features", "list", path=path)

    assert not trap.exists()


@pytest.mark.parametrize("what", [*COMMANDS, *(BOXES if CAN_BOX else ())])
def test_no_command_imports_from_the_working_directory(program: str, project: Project, trap: Path, what: str) -> None:
    run(program, project, *{**COMMANDS, **BOXES}[what])

    assert not trap.exists()


def test_the_program_of_the_workspace_is_isolated_as_well(project: Project, trap: Path) -> None:
    run(str(Path(sys.executable).with_name("codex")), project, "plugins", "doctor", "tool-plan")

    assert not trap.exists()


def test_the_program_is_isolated_where_a_link_leads_to_it(program: str, project: Project, trap: Path) -> None:
    links = project.home / "bin"
    links.mkdir()
    (links / "codex").symlink_to(program)
    (links / "further").symlink_to("codex")

    run(str(links / "further"), project, "features", "list")

    assert not trap.exists()


@pytest.mark.parametrize("how", ["danger-full-access", *(["workspace-write", "without bwrap"] if CAN_BOX else [])])
def test_a_turn_imports_nothing_of_the_project_and_its_commands_get_the_variables(
    program: str, project: Project, trap: Path, how: str
) -> None:
    mode = "workspace-write" if how == "without bwrap" else how
    other = ["-c", "plugins.sandbox-bwrap.enabled=false"] if how == "without bwrap" else []
    out = run(program, project, *TURN, *other, "--sandbox", mode, "go")

    events = [json.loads(line) for line in out.splitlines()]
    (command,) = [
        event["item"]
        for event in events
        if event["type"] == "item.completed" and event["item"]["type"] == "command_execution"
    ]
    assert command["aggregated_output"] == f"path=:/nowhere home={project.root}\n"
    assert events[-1]["type"] == "turn.completed"
    assert (project.root / "made").read_text() == "text\n"
    assert not trap.exists()


async def test_a_server_imports_nothing_of_where_it_serves(program: str, project: Project, trap: Path) -> None:
    kinds = [("root", "read"), ("project_roots", "write")]
    rules = [{"path": {"type": "special", "value": {"kind": kind}}, "access": access} for kind, access in kinds]
    where = uri_of(str(project.root))
    policy = {"type": "managed", "file_system": {"type": "restricted", "entries": rules}, "network": "restricted"}
    sandbox = {"permissions": policy, "cwd": where, "workspaceRoots": [where]}
    more = {"sandbox": sandbox} if CAN_BOX else {}
    command = ("env", f"--chdir={project.root}", program)
    environ = {**hostile(project), "CODEX_HOME": str(project.home), "HOME": str(project.home)}
    async with exec_server(command=command, env=environ) as server, server.client() as client:
        data = b64encode(b"text").decode()
        await client.request("fs/writeFile", {"path": uri_of(f"{project.root}/made"), "dataBase64": data, **more})
        await client.start("p", ["/bin/sh", "-c", "echo here; sleep 300"], cwd=str(project.root), **more)
        await asyncio.sleep(0.2)
        assert server.process is not None

        server.process.kill()  # what clears up behind it is a program as well

        await server.process.wait()
        await asyncio.sleep(0.5)

    assert (project.root / "made").read_text() == "text"
    assert not trap.exists()


def test_an_app_server_imports_nothing_of_where_it_is_started(program: str, project: Project, trap: Path) -> None:
    request = {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "test", "version": "1"}}}
    home = {"CODEX_HOME": str(project.home), "HOME": str(project.home)}

    done = subprocess.run(
        [program, "app-server"],
        cwd=project.root,
        env={**os.environ, **home, **hostile(project)},
        input=json.dumps(request).encode() + b"\n",
        capture_output=True,
        timeout=LIMIT,
        check=False,
    )

    assert json.loads(done.stdout.splitlines()[0])["id"] == 1
    assert not trap.exists()
