"""Conversations with an app-server, whose answers those of the real one are compared with."""

from __future__ import annotations

from typing import Any, TypeAlias

from attrs import field, frozen

Message: TypeAlias = dict[str, Any]
Step: TypeAlias = "str | bytes | Message | Ask | Turn | Wait"

HELLO: Message = {"clientInfo": {"name": "table", "title": "Table", "version": "1.2.3"}}
EXPERIMENTAL: Message = {**HELLO, "capabilities": {"experimentalApi": True}}
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@frozen
class Ask:
    """A request whose answer is awaited.

    :param params: ``...`` leaves the member out.
    :param name: keeps the id of the thread, turn or watch in the result under this name, for ``$NAME`` in later steps.
    """

    method: str
    params: Any = ...
    name: str = ""


@frozen
class Turn:
    """A turn that is run to its end; its messages count.

    :param script: rounds of the model.
    :param answers: what server requests of a method are answered with.
    """

    script: list[Any]
    params: Message = field(factory=dict)
    thread: str = "$t"
    answers: dict[str, Any] = field(factory=dict)
    until: str = "turn/completed"


@frozen
class Wait:
    """Wait for a notification; messages up to it count."""

    method: str


@frozen
class Case:
    """A conversation.

    :param steps: text and bytes are sent as they are.
    :param hello: params of ``initialize``; ``None`` sends none.
    :param known: beginnings of differences that are meant; beside each case it is said why.
    """

    name: str
    steps: list[Step]
    hello: Message | None = field(default=HELLO, kw_only=True)
    known: tuple[str, ...] = field(default=(), kw_only=True)


def start(**params: Any) -> Ask:
    return Ask("thread/start", {"cwd": "$WS", **params}, "t")


SAY = [[{"say": "the answer"}]]
ONE = Turn(SAY)


def _refused(*asks: Ask) -> list[Step]:
    return list(asks)


CASES = [
    # The envelope.
    Case("a known method before the handshake", [Ask("thread/loaded/list", {})], hello=None),
    Case("an unknown method before the handshake", [Ask("nope", {})], hello=None),
    Case("wrong params before the handshake", [Ask("thread/read", {})], hello=None),
    Case("initialize without params", [Ask("initialize")], hello=None),
    Case("initialize without client info", [Ask("initialize", {})], hello=None),
    Case("initialize without a version", [Ask("initialize", {"clientInfo": {"name": "x"}})], hello=None),
    Case(
        "a client name with a line end",
        [Ask("initialize", {"clientInfo": {"name": "a\nb", "version": "1"}})],
        hello=None,
    ),
    Case("a second initialize", [Ask("initialize", HELLO)]),
    Case(
        "null for every optional part of initialize",
        [Ask("thread/loaded/list", {})],
        hello={"clientInfo": {"name": "x", "title": None, "version": "1"}, "capabilities": None},
    ),
    Case(
        "an id that is text", ['{"id":"abc","method":"thread/loaded/list","params":{}}', Ask("thread/loaded/list", {})]
    ),
    Case(
        "an id that is negative", ['{"id":-7,"method":"thread/loaded/list","params":{}}', Ask("thread/loaded/list", {})]
    ),
    Case(
        "an id that is large",
        ['{"id":9007199254740993,"method":"thread/loaded/list","params":{}}', Ask("thread/loaded/list", {})],
    ),
    Case(
        "the member jsonrpc",
        ['{"jsonrpc":"2.0","id":99,"method":"thread/loaded/list","params":{}}', Ask("thread/loaded/list", {})],
    ),
    Case("text that is not JSON", ["{nope", Ask("thread/loaded/list", {})]),
    Case("an array", ['[{"id":5,"method":"thread/loaded/list","params":{}}]', Ask("thread/loaded/list", {})]),
    Case(
        "an id that is null", ['{"id":null,"method":"thread/loaded/list","params":{}}', Ask("thread/loaded/list", {})]
    ),
    Case(
        "an id with a fraction", ['{"id":1.5,"method":"thread/loaded/list","params":{}}', Ask("thread/loaded/list", {})]
    ),
    Case("an object that is no message", ['{"foo":1}', Ask("thread/loaded/list", {})]),
    Case("an unknown notification", ['{"method":"nope/nope","params":{"a":1}}', Ask("thread/loaded/list", {})]),
    Case("an answer that nobody waits for", ['{"id":4711,"result":{}}', Ask("thread/loaded/list", {})]),
    Case("params left out", [Ask("thread/start")]),
    Case("params that are null", [Ask("thread/read", None)]),
    Case(
        "params that are a list",
        [Ask("thread/read", [])],
        known=("answers[1].error.message: ",),  # the real one reads lists as members in order
    ),
    Case("params of a wrong type", [Ask("thread/start", {"cwd": 5})]),
    Case("a sandbox mode that is unknown", [Ask("thread/start", {"sandbox": "loose"})]),
    Case("an approval policy that is unknown", [Ask("thread/start", {"approvalPolicy": "maybe"})]),
    Case(
        "granular approval policies",
        [
            start(approvalPolicy={"granular": {"sandbox_approval": True, "rules": False, "mcp_elicitations": False}}),
            Ask("thread/start", {"approvalPolicy": "granular"}),
            Ask("thread/start", {"approvalPolicy": {"granular": {"rules": True}}}),
            Ask("thread/start", {"approvalPolicy": {"coarse": {}}}),
            Ask("thread/start", {"approvalPolicy": {}}),
            Ask("thread/start", {"approvalPolicy": 5}),
        ],
        hello=EXPERIMENTAL,
    ),
    Case(
        "a granular approval policy without the capability",
        [start(approvalPolicy={"granular": {"sandbox_approval": True, "rules": True, "mcp_elicitations": True}})],
    ),
    Case("an experimental method without the capability", [Ask("mock/experimentalMethod", {})]),
    Case("an experimental field without the capability", [start(mockExperimentalField="x")]),
    Case(
        "dynamic tools without the capability",
        [start(dynamicTools=[{"name": "a", "description": "b", "inputSchema": {}}])],
    ),
    Case(
        "an experimental method with the capability",
        [Ask("mock/experimentalMethod", {"value": "echo"})],
        hello=EXPERIMENTAL,
    ),
    Case(
        "a notification that the client does not want",
        [start(), ONE],
        hello={
            **HELLO,
            "capabilities": {"optOutNotificationMethods": ["thread/started", "turn/started", "item/started"]},
        },
    ),
    # Threads.
    Case("a new thread", [start(), Wait("thread/started")]),
    Case(
        "a new thread with settings of its own",
        [
            start(
                model="gpt-5.4",
                approvalPolicy="on-request",
                sandbox="read-only",
                ephemeral=True,
                developerInstructions="Be brief.",
            )
        ],
    ),
    Case("a thread of a full-access sandbox", [start(sandbox="danger-full-access", approvalPolicy="never")]),
    Case("a thread of a workspace sandbox", [start(sandbox="workspace-write")]),
    Case(
        "reading threads that are not there",
        [Ask("thread/read", {"threadId": "nope"}), Ask("thread/read", {"threadId": UNKNOWN})],
    ),
    Case(
        "reading a thread",
        [
            start(),
            ONE,
            Ask("thread/read", {"threadId": "$t"}),
            Ask("thread/read", {"threadId": "$t", "includeTurns": True}),
        ],
    ),
    Case(
        "reading turns of an ephemeral thread",
        [start(ephemeral=True), Ask("thread/read", {"threadId": "$t", "includeTurns": True})],
    ),
    Case(
        "resuming threads that are not there",
        [Ask("thread/resume", {"threadId": "nope"}), Ask("thread/resume", {"threadId": UNKNOWN})],
    ),
    Case("resuming a loaded thread", [start(), ONE, Ask("thread/resume", {"threadId": "$t"})]),
    Case(
        "resuming an unloaded thread",
        [
            start(),
            ONE,
            Ask("thread/unsubscribe", {"threadId": "$t"}),
            Wait("thread/closed"),
            Ask("thread/resume", {"threadId": "$t"}),
        ],
    ),
    Case(
        "forking threads that are not there",
        [Ask("thread/fork", {"threadId": "nope"}), Ask("thread/fork", {"threadId": UNKNOWN})],
    ),
    Case("forking a thread before its first turn", [start(), Ask("thread/fork", {"threadId": "$t"})]),
    Case(
        "forking a thread",
        [start(), ONE, Ask("thread/fork", {"threadId": "$t"}, "f"), Wait("thread/started"), Turn(SAY, thread="$f")],
    ),
    Case(
        "archiving what has no file",
        [start(), Ask("thread/archive", {"threadId": "$t"}), Ask("thread/archive", {"threadId": UNKNOWN})],
    ),
    Case(
        "archiving and taking it back",
        [
            start(),
            ONE,
            Ask("thread/archive", {"threadId": "$t"}),
            Wait("thread/archived"),
            Ask("thread/resume", {"threadId": "$t"}),
            Ask("thread/list", {}),
            Ask("thread/list", {"archived": True}),
            Ask("thread/unarchive", {"threadId": "$t"}),
            Wait("thread/unarchived"),
            Ask("thread/list", {}),
        ],
    ),
    Case(
        "taking back what is not archived",
        [Ask("thread/unarchive", {"threadId": UNKNOWN}), Ask("thread/unarchive", {"threadId": "x"})],
    ),
    Case(
        "naming a thread",
        [
            start(),
            ONE,
            Ask("thread/name/set", {"threadId": "$t", "name": "  the tower "}),
            Wait("thread/name/updated"),
            Ask("thread/name/set", {"threadId": "$t", "name": "  "}),
            Ask("thread/read", {"threadId": "$t"}),
        ],
    ),
    Case(
        "the list of loaded threads by pages",
        [
            start(),
            start(),
            Ask("thread/loaded/list", {"limit": 0}),
            Ask("thread/loaded/list", {"limit": 1}),
            Ask("thread/loaded/list", {"cursor": "nope"}),
            Ask("thread/loaded/list", {"limit": -1}),
        ],
    ),
    Case(
        "lists of threads with wrong params",
        [
            Ask("thread/list", {"cursor": "nope"}),
            Ask("thread/list", {"sortKey": "size"}),
            Ask("thread/list", {"sourceKinds": ["moon"]}),
        ],
        known=("answers[2].error.message: ",),  # the newer recency_at is known, too
    ),
    Case(
        "lists of threads with filters",
        [
            start(),
            ONE,
            Ask("thread/list", {}),
            Ask("thread/list", {"searchTerm": "nothing-like-it"}),
            Ask("thread/list", {"cwd": "/nowhere"}),
            Ask("thread/list", {"modelProviders": ["other"]}),
            Ask("thread/list", {"sourceKinds": ["exec"]}),
            Ask("thread/list", {"sortKey": "updated_at", "limit": 1}),
        ],
    ),
    Case(
        "leaving threads",
        [
            start(),
            Ask("thread/unsubscribe", {"threadId": "$t"}),
            Wait("thread/closed"),
            Ask("thread/unsubscribe", {"threadId": "$t"}),
            Ask("thread/unsubscribe", {"threadId": "nope"}),
        ],
    ),
    Case(
        "rolling back",
        [
            start(),
            ONE,
            ONE,
            Ask("thread/rollback", {"threadId": "$t", "numTurns": 0}),
            Ask("thread/rollback", {"threadId": "$t", "numTurns": 1}),
            Ask("thread/rollback", {"threadId": "$t", "numTurns": 9}),
            Ask("thread/rollback", {"threadId": UNKNOWN, "numTurns": 1}),
        ],
    ),
    Case(
        "facts about the repository",
        [
            start(),
            ONE,
            Ask("thread/metadata/update", {"threadId": "$t", "gitInfo": {"branch": "main", "sha": "abc"}}),
            Ask("thread/metadata/update", {"threadId": "$t", "gitInfo": {"sha": None}}),
            Ask("thread/metadata/update", {"threadId": "$t", "gitInfo": {"branch": " "}}),
            Ask("thread/metadata/update", {"threadId": "$t", "gitInfo": {}}),
            Ask("thread/metadata/update", {"threadId": "$t"}),
        ],
    ),
    Case(
        "questions of clients are counted",
        [
            start(),
            *(
                Ask(f"thread/{step}_elicitation", {"threadId": "$t"})
                for step in ("decrement", "increment", "increment", "decrement", "decrement")
            ),
            Ask("thread/increment_elicitation", {"threadId": UNKNOWN}),
            Ask("thread/decrement_elicitation", {"threadId": "nope"}),
        ],
        hello=EXPERIMENTAL,
    ),
    # Turns.
    Case(
        "turns of threads that are not loaded",
        [
            Ask("turn/start", {"threadId": UNKNOWN, "input": [{"type": "text", "text": "x"}]}),
            Ask("turn/start", {"threadId": "nope", "input": [{"type": "text", "text": "x"}]}),
            Ask("turn/interrupt", {"threadId": UNKNOWN, "turnId": "x"}),
            Ask("turn/steer", {"threadId": UNKNOWN, "input": [{"type": "text", "text": "x"}], "expectedTurnId": "x"}),
        ],
    ),
    Case(
        "input of a wrong shape",
        [
            start(),
            Ask("turn/start", {"threadId": "$t", "input": [{"type": "video"}]}),
            Ask("turn/start", {"threadId": "$t", "input": [{"text": "x"}]}),
            Ask("turn/start", {"threadId": "$t", "input": "x"}),
            Ask("turn/start", {"threadId": "$t", "input": [{"type": "text"}]}),
            Ask("turn/start", {"threadId": "$t"}),
        ],
    ),
    Case(
        "steering without a turn",
        [
            start(),
            Ask("turn/steer", {"threadId": "$t", "input": [{"type": "text", "text": "x"}], "expectedTurnId": "x"}),
        ],
    ),
    Case("a turn without input", [start(), Ask("turn/start", {"threadId": "$t", "input": []}), Wait("error")]),
    Case("a turn that says something", [start(), Turn([[{"reason": "Thinking it over."}, {"say": "the answer"}]])]),
    Case(
        "a turn with a plan",
        [start(), Turn([[{"plan": [["look", "completed"], ["build", "in_progress"]]}], [{"say": "ok"}]])],
    ),
    Case(
        "a turn with a command",
        [
            start(approvalPolicy="never", sandbox="danger-full-access"),
            Turn([[{"sh": "sleep 0.3; echo hi; exit 3"}], [{"say": "ok"}]]),
        ],
    ),
    Case(
        "a turn with a patch",
        [
            start(approvalPolicy="never", sandbox="danger-full-access"),
            Turn([[{"patch": "*** Begin Patch\n*** Add File: new.txt\n+one\n*** End Patch"}], [{"say": "ok"}]]),
        ],
    ),
    Case(
        "a patch that is approved",
        [
            start(approvalPolicy="untrusted", sandbox="workspace-write"),
            Turn(
                [[{"patch": "*** Begin Patch\n*** Add File: p.txt\n+one\n*** End Patch"}], [{"say": "ok"}]],
                answers={"item/fileChange/requestApproval": {"decision": "accept"}},
            ),
        ],
    ),
    Case(
        "a patch that is declined",
        [
            start(approvalPolicy="untrusted", sandbox="workspace-write"),
            Turn(
                [[{"patch": "*** Begin Patch\n*** Add File: q.txt\n+one\n*** End Patch"}], [{"say": "ok"}]],
                answers={"item/fileChange/requestApproval": {"decision": "decline"}},
            ),
        ],
        known=("events: 16 instead of 17",),  # the real one completes the item twice
    ),
    *[
        Case(
            f"a command that is answered with {name}",
            [
                start(approvalPolicy="untrusted", sandbox="danger-full-access"),
                Turn(
                    [[{"sh": "sleep 0.3; touch made"}], [{"say": "ok"}]],
                    answers={"item/commandExecution/requestApproval": answer},
                ),
            ],
        )
        for name, answer in {
            "accept": {"decision": "accept"},
            "acceptForSession": {"decision": "acceptForSession"},
            "decline": {"decision": "decline"},
            "cancel": {"decision": "cancel"},
        }.items()
    ],
    *[
        Case(f"a turn whose model fails with {name}", [start(), Turn([[{"fail": fail}]])])
        for name, fail in {
            "status 400": 400,
            "status 401": 401,
            "status 500": 500,
            "a usage limit": {"status": 429, "type": "usage_limit_reached", "message": "no more"},
            "a full context": {"code": "context_length_exceeded", "message": "too long"},
            "no quota": {"code": "insufficient_quota", "message": "pay"},
            "overload": {"code": "server_is_overloaded", "message": "busy"},
            "an invalid prompt": {"code": "invalid_prompt", "message": "bad"},
        }.items()
    ],
    Case("a thread is usable after a failure", [start(), Turn([[{"fail": 400}]]), ONE]),
    Case(
        "an own shell command",
        [
            start(),
            ONE,
            Ask("thread/shellCommand", {"threadId": "$t", "command": "  "}),
            Ask("thread/shellCommand", {"threadId": "$t", "command": "sleep 0.3; echo own"}),
            Wait("turn/completed"),
        ],
    ),
    # Files and commands.
    Case(
        "files",
        [
            Ask("fs/writeFile", {"path": "$WS/f", "dataBase64": "aGk="}),
            Ask("fs/readFile", {"path": "$WS/f"}),
            Ask("fs/getMetadata", {"path": "$WS/f"}),
            Ask("fs/createDirectory", {"path": "$WS/d/e"}),
            Ask("fs/copy", {"sourcePath": "$WS/f", "destinationPath": "$WS/d/g"}),
            Ask("fs/readDirectory", {"path": "$WS/d"}),
            Ask("fs/copy", {"sourcePath": "$WS/d", "destinationPath": "$WS/h"}),
            Ask("fs/copy", {"sourcePath": "$WS/d", "destinationPath": "$WS/d/e/i", "recursive": True}),
            Ask("fs/remove", {"path": "$WS/d"}),
            Ask("fs/remove", {"path": "$WS/d"}),
            Ask("fs/remove", {"path": "$WS/d", "force": False}),
        ],
    ),
    Case(
        "files with wrong params",
        [
            Ask("fs/readFile", {"path": "f"}),
            Ask("fs/readFile", {"path": "$WS/absent"}),
            Ask("fs/readFile", {}),
            Ask("fs/writeFile", {"path": "$WS/f", "dataBase64": "***"}),
            Ask("fs/writeFile", {"path": "$WS/x/y/z", "dataBase64": ""}),
            Ask("fs/readDirectory", {"path": "$WS/absent"}),
            Ask("fs/unwatch", {"watchId": "nope"}),
        ],
    ),
    Case(
        "a command",
        [
            Ask("command/exec", {"command": ["/bin/sh", "-c", "echo out; echo err >&2; exit 4"]}),
            Ask("command/exec", {"command": ["/bin/sleep", "5"], "timeoutMs": 200}),
            Ask("command/exec", {"command": ["/bin/pwd"], "cwd": "/"}),
        ],
    ),
    Case(
        "commands with wrong params",
        [
            Ask("command/exec", {"command": []}),
            Ask("command/exec", {"command": ["/bin/true"], "tty": True}),
            Ask("command/exec", {"command": ["/bin/true"], "timeoutMs": 5, "disableTimeout": True}),
            Ask("command/exec", {"command": ["/bin/true"], "timeoutMs": -5}),
            Ask("command/exec", {"command": ["/nowhere/at/all"]}),
            Ask("command/exec/write", {"processId": "p", "deltaBase64": "aGk="}),
            Ask("command/exec/terminate", {"processId": "p"}),
            Ask("command/exec/resize", {"processId": "p", "size": {"rows": 1, "cols": 1}}),
        ],
        known=("answers[5].result",),  # the real one's helper panics
    ),
    # The program.
    Case(
        "configuration",
        [
            Ask("config/read", {}),
            Ask(
                "config/value/write", {"keyPath": "model_reasoning_effort", "value": "high", "mergeStrategy": "replace"}
            ),
            Ask(
                "config/value/write",
                {"keyPath": "model", "value": "m", "mergeStrategy": "replace", "expectedVersion": "sha256:old"},
            ),
            Ask("config/value/write", {"keyPath": "approval_policy", "value": "perhaps", "mergeStrategy": "replace"}),
            Ask(
                "config/batchWrite",
                {"edits": [{"keyPath": "model_reasoning_effort", "value": None, "mergeStrategy": "replace"}]},
            ),
            Ask("configRequirements/read"),
            Ask("configRequirements/read", None),
        ],
        known=(  # defaults are not told, and what is allowed is told in other words
            "answers[1].result.config.model_providers.mock.",
            "answers[4].error.message: ",
        ),
    ),
    Case("models with a wrong cursor", [Ask("model/list", {"cursor": "nope"})]),
    Case(
        "the account",
        [
            Ask("account/read", {}),
            Ask("getAuthStatus", {}),
            Ask("account/rateLimits/read"),
            Ask("account/login/cancel", {"loginId": UNKNOWN}),
            Ask("account/login/cancel", {"loginId": "x"}),
            Ask("account/logout"),
        ],
    ),
    Case(
        "logging in with a key",
        [
            Ask("account/login/start", {"type": "apiKey", "apiKey": "sk-table-key"}),
            Wait("account/updated"),
            Ask("account/read", {}),
            Ask("getAuthStatus", {"includeToken": True}),
            Ask("account/logout"),
            Wait("account/updated"),
        ],
    ),
    Case(
        "lists of parts",
        [
            Ask("mcpServerStatus/list", {}),
            Ask("app/list", {}),
            Ask("externalAgentConfig/detect", {}),
            Ask("collaborationMode/list", {}),
        ],
        hello=EXPERIMENTAL,
    ),
    Case(
        "file names",
        [
            Ask("fs/writeFile", {"path": "$WS/tower_stones.txt", "dataBase64": ""}),
            Ask("fuzzyFileSearch", {"query": "towst", "roots": ["$WS"]}),
            Ask("fuzzyFileSearch", {"query": "zzz", "roots": ["$WS"]}),
        ],
    ),
    Case(
        "reviews that can't begin",
        [
            start(),
            Ask("review/start", {"threadId": "$t", "target": {"type": "baseBranch", "branch": " "}}),
            Ask("review/start", {"threadId": "$t", "target": {"type": "custom", "instructions": ""}}),
            Ask("review/start", {"threadId": "$t", "target": {"type": "moon"}}),
            Ask("review/start", {"threadId": UNKNOWN, "target": {"type": "uncommittedChanges"}}),
        ],
    ),
]
