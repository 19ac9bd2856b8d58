"""Whole runs of the program beside plugins of third parties that misbehave."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from codex_testkit import Project
    from tests.host.conftest import Distributions

SCRIPT = '[[{"sh": "echo from the shell"}], [{"say": "all done"}]]'
OPTIONS = (
    "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access",
    "-c", "model_provider=scripted", "-c", "model_providers.scripted.script=script.json",
)  # fmt: skip


@pytest.fixture
def place(project: Project) -> Project:
    """Return a project with a script for the model, whose home has plugins trusted."""
    return project.write({"script.json": SCRIPT})


def install(distributions: Distributions, place: Project, source: str, name: str = "noisy") -> None:
    distributions.add(name, plugin=f"from codex_hookspecs import hookimpl, time_limit\n\n{source}")
    place.run("plugins", "trust", name).assert_success()


def turn(place: Project, *options: str) -> Any:
    """Run a turn and return what it left, after a look at what must hold always."""
    ran = place.run(*OPTIONS, *options, "go")
    ran.assert_success()
    assert "Traceback" not in ran.stderr + ran.stdout
    return ran


MISBEHAVIOUR = {
    "raises": (
        "@hookimpl\nasync def stop(event):\n    raise ValueError('no luck')\n",
        "plugin noisy (codex-noisy 1.0.0): stop raised ValueError: no luck",
    ),
    "hangs": (
        "import asyncio\n\n@hookimpl\n@time_limit(0.05)\nasync def stop(event):\n    await asyncio.sleep(600)\n",
        "plugin noisy (codex-noisy 1.0.0): stop took longer than 0.05 s",
    ),
    "wrong type": (
        "@hookimpl\nasync def stop(event):\n    return 'block'\n",
        "plugin noisy (codex-noisy 1.0.0): stop returned str, not StopVerdict or None",
    ),
    "wrong signature": (
        "@hookimpl\nasync def stop(happening):\n    pass\n",
        "plugin noisy is failed: plugin 'noisy', hook 'stop': unknown argument 'happening'",
    ),
    "fails to import": (
        "import nowhere_at_all\n",
        "plugin noisy is failed: ModuleNotFoundError: No module named 'nowhere_at_all'",
    ),
    "exits": (
        "import sys\n\n@hookimpl\nasync def stop(event):\n    sys.exit(9)\n",
        "plugin noisy (codex-noisy 1.0.0): stop raised SystemExit: 9",
    ),
    "wrong tools": (
        "@hookimpl\ndef tools(thread):\n    return [print]\n",
        "plugin noisy (codex-noisy 1.0.0): tools returned builtin_function_or_method where a Tool belongs",
    ),
    "takes a tool's name": (
        "from codex_hookspecs import Tool\n\ndef exec_command(cmd: str) -> str:\n    return 'mine'\n\n"
        "@hookimpl\ndef tools(thread):\n    return [Tool.from_function(exec_command)]\n",
        "Tool exec_command of plugin noisy is left out: plugin tool-exec offers one of that name",
    ),
}


@pytest.mark.parametrize("what", MISBEHAVIOUR)
def test_a_turn_goes_on_and_says_which_plugin_did_what(distributions: Distributions, place: Project, what: str) -> None:
    source, told = MISBEHAVIOUR[what]
    install(distributions, place, source)

    ran = turn(place)

    assert ran.stdout == "all done\n"
    assert "from the shell" in ran.stderr
    assert told in ran.stderr


def test_two_distributions_with_one_name_leave_the_program_working(
    distributions: Distributions, place: Project
) -> None:
    distributions.add("noisy", distribution="acme-noisy")
    distributions.add("noisy", distribution="zeta-noisy")

    ran = turn(place)

    assert "the name is taken by two distributions: acme-noisy 1.0.0 and zeta-noisy 1.0.0" in ran.stderr


def test_the_hosts_own_command_is_kept_when_another_plugin_offers_one_of_that_name(
    distributions: Distributions, place: Project
) -> None:
    distributions.add("noisy", manifest='[commands]\nexec = "Mine."\nplugins = "Mine too."\n')
    place.run("plugins", "trust", "noisy").assert_success()

    ran = turn(place)

    assert ran.stdout == "all done\n"
    assert "the command exec of noisy is left out: plugin exec-cli offers it" in ran.stderr
    assert "Mine" not in place.run("--help").stdout


def test_what_plugins_print_does_not_get_into_json_lines(distributions: Distributions, place: Project) -> None:
    install(
        distributions,
        place,
        "print('at import')\n\n@hookimpl\nasync def stop(event):\n    print('in a hook')\n\n"
        "@hookimpl\ndef tools(thread):\n    print('in an offer')\n\n"
        "@hookimpl\nasync def session_end(event):\n    print('at the end')\n",
    )

    ran = turn(place, "--json")

    assert [json.loads(line)["type"] for line in ran.stdout.splitlines()][-1] == "turn.completed"
    for text in ("at import", "in an offer", "in a hook", "at the end"):
        assert text in ran.stderr


def test_a_plugin_in_quarantine_stays_out_of_the_next_run(distributions: Distributions, place: Project) -> None:
    install(
        distributions,
        place,
        "@hookimpl\nasync def pre_model_request(event):\n    raise ValueError('no luck')\n\n"
        "@hookimpl\nasync def post_model_request(event):\n    raise ValueError('no luck')\n",
    )
    place.write({"script.json": json.dumps([[{"sh": "true"}]] * 4)})

    turn(place)
    second = turn(place)
    place.run("plugins", "enable", "noisy").assert_success()
    third = turn(place)

    assert "plugin noisy is quarantined: pre_model_request raised ValueError 3x" in second.stderr
    assert "(run: codex plugins enable noisy)" in second.stderr
    assert "raised ValueError: no luck" not in second.stderr
    assert "pre_model_request raised ValueError: no luck" in third.stderr


def test_failures_in_a_row_are_counted_across_runs(distributions: Distributions, place: Project) -> None:
    install(
        distributions,
        place,
        "@hookimpl\nasync def stop(event):\n    raise ValueError('no luck')\n\n"
        "@hookimpl\nasync def session_start(event):\n    print('still here')\n",
    )

    runs = [turn(place) for _ in range(5)]

    assert ["stop raised ValueError: no luck" in run.stderr for run in runs] == [True, True, True, False, False]
    assert "it is not called any more (run: codex plugins enable noisy)" in runs[2].stderr
    assert "plugin noisy is quarantined: stop raised ValueError 3x" in runs[4].stderr
    assert "still here" in runs[4].stdout + runs[4].stderr
    assert "quarantined: stop raised ValueError 3x" in place.run("plugins", "list").stdout


def test_the_log_has_the_whole_traceback(distributions: Distributions, place: Project) -> None:
    install(
        distributions,
        place,
        "def inner():\n    raise ValueError('no luck')\n\n@hookimpl\nasync def stop(event):\n    inner()\n",
    )

    quiet, loud = turn(place), place.run(*OPTIONS, "go", environ={"CODEX_LOG": "debug"})

    assert re.search(r"stop raised ValueError: no luck \(/.*plugin\.py:\d+\)", quiet.stderr)
    assert "Traceback" not in quiet.stderr
    assert "Traceback (most recent call last)" in loud.stderr
    assert "in inner" in loud.stderr


def test_a_well_behaved_plugin_takes_part(distributions: Distributions, place: Project) -> None:
    install(
        distributions,
        place,
        "from codex_hookspecs import StopVerdict, Tool\n\ndef roll_dice(sides: int) -> int:\n    return 4\n\n"
        "@hookimpl\ndef tools(thread):\n    return [Tool.from_function(roll_dice)]\n\n"
        "@hookimpl\nasync def stop(event):\n    if not event.stop_hook_active:\n"
        "        return StopVerdict.block('Roll again.')\n",
    )
    place.write(
        {"script.json": '[[{"call": "roll_dice", "args": {"sides": 6}}], [{"say": "a four"}], [{"say": "again"}]]'}
    )

    ran = turn(place)

    assert ran.stdout == "again\n"
    assert "Roll again." in ran.stderr


def test_no_plugins_of_others_means_a_run_without_them(distributions: Distributions, place: Project) -> None:
    install(distributions, place, "raise ValueError('imported')\n")

    ran = turn(place, "--no-plugins")

    assert "noisy" not in ran.stderr


def test_an_untrusted_plugin_is_told_and_not_imported(distributions: Distributions, place: Project) -> None:
    distributions.add("noisy", plugin=f"open({str(place.home / 'ran')!r}, 'w')")

    ran = turn(place)

    assert "plugin noisy is untrusted: not trusted yet (run: codex plugins trust noisy)" in ran.stderr
    assert not (place.home / "ran").exists()


def test_a_home_that_takes_no_state_files_still_runs_turns(distributions: Distributions, place: Project) -> None:
    (place.home / "plugins").write_text("in the way")

    ran = turn(place)

    assert ran.stdout == "all done\n"


def test_a_slow_import_is_shown_with_its_cost(distributions: Distributions, place: Project) -> None:
    install(distributions, place, "import time\ntime.sleep(0.3)\n")

    began = time.monotonic()
    turn(place)
    spent = time.monotonic() - began
    facts = json.loads(place.run("plugins", "show", "noisy", "--json").stdout)

    assert 300 <= facts["loadMs"] <= spent * 1000


GUARD = """
@hookimpl
async def pre_tool_use(event):
    return None
"""


@pytest.mark.parametrize("what", ["edit", "take the hook out", "other platform"])
def test_a_guard_that_was_changed_since_it_was_trusted_does_not_go_silent(
    distributions: Distributions, place: Project, what: str
) -> None:
    source = f"from codex_hookspecs import hookimpl\n{GUARD}"
    folder = distributions.add("noisy", plugin=source, manifest='hooks = ["pre_tool_use"]')
    place.run("plugins", "trust", "noisy").assert_success()
    assert "from the shell" in turn(place).stderr
    manifest = folder / "codex-plugin.toml"
    if what == "edit":
        (folder / "plugin.py").write_text(f"{source}# harmless\n")
    elif what == "take the hook out":
        manifest.write_text(manifest.read_text().replace('"pre_tool_use"', '"stop"'))
    else:
        manifest.write_text('platforms = ["windows"]\n' + manifest.read_text())

    refused = turn(place)
    by_choice = turn(place, "-c", 'hooks.fail_open=["PreToolUse"]')

    assert "plugin noisy is" in refused.stderr
    assert "its pre_tool_use can't be asked" in refused.stderr
    assert "succeeded" not in refused.stderr
    assert "succeeded" in by_choice.stderr
    place.run("plugins", "distrust", "noisy").assert_success()
    assert "succeeded" in turn(place).stderr


@pytest.mark.parametrize(
    "gate",
    [
        "def pre_tool_use(event):\n    return None\n",
        "async def pre_tool_use(event):\n    yield None\n",
        "async def pre_tool_use(happening):\n    return None\n",
    ],
    ids=["not async", "a generator", "an unknown argument"],
)
def test_a_guard_that_does_not_fit_does_not_go_silent_also_when_its_manifest_names_no_hooks(
    distributions: Distributions, place: Project, gate: str
) -> None:
    install(distributions, place, f"@hookimpl\n{gate}")

    refused = turn(place)

    assert "plugin noisy is failed" in refused.stderr
    assert "its pre_tool_use can't be asked" in refused.stderr
    assert "succeeded" not in refused.stderr


def test_a_plugin_that_can_not_be_imported_may_be_a_guard_unless_its_manifest_says_what_it_is(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, "raise ValueError('no luck')")

    refused = turn(place)
    distributions.add("noisy", plugin="raise ValueError('no luck')", manifest='hooks = ["stop"]')
    place.run("plugins", "trust", "noisy").assert_success()
    known = turn(place)

    assert "its pre_tool_use can't be asked" in refused.stderr
    assert "succeeded" not in refused.stderr
    assert "plugin noisy is failed" in known.stderr
    assert "succeeded" in known.stderr


COMPANY = """
from codex_hookspecs import PolicyDecision

@hookimpl
def command_policy(request):
    if any(words[:2] == ("touch", "made") for words in request.commands or ()):
        return PolicyDecision.deny("files are made by patches here")
    if any(path.endswith("/secrets") for path in request.paths):
        return PolicyDecision.deny("secrets are kept elsewhere")
"""


def test_rules_of_a_company_go_before_everything_else(distributions: Distributions, place: Project) -> None:
    patches = [{"patch": f"*** Begin Patch\n*** Add File: {name}\n+a\n*** End Patch"} for name in ("fine", "secrets")]
    script = [[{"sh": "cd . && touch made"}, {"sh": "touch other"}, *patches], [{"say": "all done"}]]
    rules = 'prefix_rule(pattern=["touch"], decision="allow")\n'
    place.write({"script.json": json.dumps(script), "~/rules/default.rules": rules})
    install(distributions, place, COMPANY)

    ran = turn(place)

    assert "declined: rejected: files are made by patches here" in ran.stderr
    assert "apply_patch declined: rejected: secrets are kept elsewhere" in ran.stderr
    made = {path.name for path in place.root.iterdir()}
    assert {"other", "fine"} <= made
    assert not {"made", "secrets"} & made


def test_a_part_that_nobody_gives_names_the_plugins_that_may(distributions: Distributions, place: Project) -> None:
    source = "from codex_hookspecs import hookimpl\n\n@hookimpl\ndef model_provider(name):\n    return None\n"
    manifest = 'hooks = ["model_provider", "cli_commands"]\n[commands]\ntally = "Count"\n'
    distributions.add("oracle", plugin=source, manifest=manifest)
    turn = ("-c", "model_provider=oracle", "exec", "--skip-git-repo-check", "go")

    untrusted, command = place.run(*turn), place.run("tally")
    place.run("plugins", "trust", "oracle").assert_success()
    disabled = place.run("--no-plugins", *turn)

    remedy = "(run: codex plugins trust oracle)"
    assert f"; plugin oracle is untrusted: not trusted yet {remedy}" in untrusted.stderr
    assert f"plugin oracle, which is untrusted: not trusted yet {remedy}" in command.stderr
    assert "; plugin oracle is disabled: --no-plugins leaves it out" in disabled.stderr


def test_the_help_of_a_command_is_that_of_the_host_up_to_a_trailing_command_line(
    distributions: Distributions, place: Project
) -> None:
    source = """
        from codex_hookspecs import CliCommand, hookimpl

        async def run(words, host):
            print("ran", *words)
            return 0

        @hookimpl
        def cli_commands():
            return [CliCommand(name="tally", help="Count the votes", run=run)]
    """
    manifest = 'hooks = ["cli_commands"]\n[commands]\ntally = { help = "Count the votes", trailing = 2 }\n'
    distributions.add("counting", plugin=source, manifest=manifest)
    place.run("plugins", "trust", "counting").assert_success()

    asked = [place.run(*line.split()).stdout for line in ("tally --help", "tally one -h", "help tally")]

    assert asked == ["Count the votes\n\nUsage: codex tally [ARGUMENTS]\n"] * 3
    assert place.run("tally", "one", "ls", "--help").stdout == "ran one ls --help\n"


def test_the_doctor_prints_an_error_and_then_its_traceback(distributions: Distributions, place: Project) -> None:
    distributions.add("noisy", plugin="def first():\n    second()\n\ndef second():\n    1 / 0\n\nfirst()\n")
    place.run("plugins", "trust", "noisy").assert_success()

    lines = place.run("plugins", "doctor", "noisy").stdout.splitlines()

    assert lines[0] == "noisy: ZeroDivisionError: division by zero"
    assert [line.rpartition(", in ")[2] for line in lines if ", line " in line] == ["<module>", "first", "second"]


def test_a_command_of_two_plugins_is_listed_as_it_is_answered(distributions: Distributions, place: Project) -> None:
    source = """
        from codex_hookspecs import CliCommand, hookimpl

        async def run(words, host):
            print(__name__.partition(".")[0])
            return 0

        @hookimpl
        def cli_commands():
            return [CliCommand(name="tally", help="Count the votes", run=run)]
    """
    for name in ("debate", "greet"):
        distributions.add(
            name, plugin=source, manifest='hooks = ["cli_commands"]\n[commands]\ntally = "Count the votes"\n'
        )
        trusted = place.run("plugins", "trust", name)

    told = "tally can't be used: plugins debate and greet offer it; disable all but one, or say which"
    assert told in place.run("plugins", "hooks", "cli_commands").stdout
    assert "cli_commands: tally can't be used, since it is also offered by debate" in trusted.stdout
    assert "plugins debate and greet both offer the command 'tally'; disable one" in place.run("tally").stderr

    place.write({"~/config.toml": '[plugin_order]\ncli_commands = "greet"\n'})

    shown = place.run("plugins", "hooks", "cli_commands").stdout
    assert "tally is that of greet; that of debate is shadowed (plugin_order.cli_commands names greet)" in shown
    assert place.run("tally").stdout == "third_codex_greet\n"


RPC = """
from codex_hookspecs import frozen
from codex_hookspecs.protocol import Notification
from codex_hookspecs.surface import RpcMethod

@frozen
class Params:
    x: int = 0

@frozen
class Foo(Notification):
    METHOD = "turn/completed"

async def handle(params, context):
    return {}

def slow(params, context):
    return {}

@hookimpl
def rpc_methods():
    return [
        RpcMethod(name="model/list", params=Params, handle=handle),
        RpcMethod(name="initialize", params=Params, handle=handle),
        RpcMethod(name="x/plain", params=str, handle=handle),
        RpcMethod(name="x/fine", params=Params, result=Params, notifications=(Foo,), handle=slow),
    ]
"""
CLASH = (
    "RpcMethod model/list of plugin noisy is left out: plugin app-server offers one of that name (plugin_order.rpc_me"
)
RPC_FAULTS = [
    "RpcMethod initialize of plugin noisy is left out: the handshake has this name",
    "RpcMethod x/plain of plugin noisy is left out: params is <class 'str'>, allowed is an attrs class or a union of "
    "attrs classes",
    "the notification turn/completed of RpcMethod x/fine of plugin noisy is left out: there is one of that name with "
    "another type",
]


def handshake(place: Project) -> Any:
    hello = {"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "c", "version": "1"}}}
    return place.run("app-server", stdin=f"{json.dumps(hello)}\n")


def test_faulty_rpc_methods_are_told_to_user_and_clients_and_do_not_spoil_the_bindings(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, RPC)

    ran = handshake(place)
    made = place.run("app-server", "generate-json-schema", "--out", "schemas")

    told = [
        message["params"]["summary"]
        for message in map(json.loads, ran.stdout.splitlines())
        if message.get("method") == "configWarning"
    ]
    assert [text for text in told if text in RPC_FAULTS] == RPC_FAULTS
    assert any(text.startswith(CLASH) for text in told)
    assert all(ran.stderr.count(f"warning: {text}\n") == 1 for text in told)
    made.assert_success()
    notifications = json.loads((place.root / "schemas/ServerNotification.json").read_text())
    [completed] = [each for each in notifications["oneOf"] if "turn/completed" in json.dumps(each)]
    assert completed["properties"]["params"] == {"$ref": "#/definitions/TurnCompletedNotification"}
    requests = (place.root / "schemas/ClientRequest.json").read_text()
    assert ("x/fine" in requests, "x/plain" in requests) == (True, False)


def test_a_hook_that_returns_no_list_of_methods_is_told_to_clients(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, "@hookimpl\ndef rpc_methods():\n    return {1: 2}\n")

    ran = handshake(place)

    assert "plugin noisy (codex-noisy 1.0.0): rpc_methods returned int where a RpcMethod belongs" in ran.stdout
    assert "warning: plugin noisy (codex-noisy 1.0.0): rpc_methods returned int where a RpcMethod belongs" in ran.stderr


def test_a_plugin_that_changed_since_it_was_trusted_is_told_to_clients(
    distributions: Distributions, place: Project
) -> None:
    install(distributions, place, RPC)
    distributions.add("noisy", plugin=f"from codex_hookspecs import hookimpl\n\n{RPC}\n# changed\n")

    ran = handshake(place)

    assert "plugin noisy is untrusted" in ran.stdout
    assert "warning: plugin noisy is untrusted" in ran.stderr


def test_the_doctor_finds_faulty_rpc_methods(distributions: Distributions, place: Project) -> None:
    install(distributions, place, RPC)

    report = place.run("plugins", "doctor", "noisy").stdout

    assert all(text in report for text in (*RPC_FAULTS, CLASH, "RpcMethod x/fine: the handler slow is not async"))
