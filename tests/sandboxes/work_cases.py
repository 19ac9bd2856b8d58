"""Work that has to go on in the sandbox as without it: what it prints, and the status it ends with."""

# ruff: noqa: E501 -- a case is a line

from __future__ import annotations

from typing import NamedTuple


class Work(NamedTuple):
    """``shown`` is the whole output without the last line end; ``None`` means that only the status counts."""

    policy: str
    script: str
    shown: str | None = None
    status: int = 0
    setup: str = ""
    workspace: str = "ws"
    stdin: bytes = b""
    needs: str = ""


def python(code: str) -> str:
    return f"\"$PYTHON\" -I - <<'END'\n{code}\nEND"


def node(code: str) -> str:
    return f"node - <<'END'\n{code}\nEND"


STATUSES = (0, 1, 2, 3, 64, 126, 127, 128, 255)
SIGNALS = {"TERM": 143, "KILL": 137, "INT": 130, "HUP": 129, "USR1": 138, "SEGV": 139, "ABRT": 134}
ODD = {
    "spaces": "a b  c",
    "quotes": 'it\'s "quoted"',
    "a line end": "a\nb",
    "unicode": "Bücher-本-🎉",
    "a leading dash": "-x",
    "a backslash": "a\\b",
    "a dollar sign": "$HOME`id`",
    "an asterisk": "*?[a]",
    "much length": "l" * 200,
    "a colon": "a:b,c=d",
}

WORK: dict[str, Work] = {
    **{f"status {status}": Work("read", f"exit {status}", "", status) for status in STATUSES},
    **{f"signal {name}": Work("read", f"ulimit -c 0; kill -{name} $$; sleep 5", None, status) for name, status in SIGNALS.items()},
    "a trap": Work("read", "trap 'echo caught; exit 5' TERM; kill -TERM $$; sleep 1", "caught", 5),
    "a pipe": Work("read", "seq 1000 | wc -l", "1000"),
    "a long pipe": Work("read", "seq 100000 | sort -n | tail -1 | cat | cat", "100000"),
    "a broken pipe": Work("read", "yes | head -1", "y"),
    "100 MB of output": Work("read", "head -c 100000000 /dev/zero", "\0" * 100_000_000),
    "bytes of all kinds": Work("read", "printf '\\001\\177\\t'", "\x01\x7f\t"),
    "both streams": Work("read", "echo out; echo err >&2", "out\nerr"),
    "stdin": Work("read", "cat", "fed", stdin=b"fed"),
    "much stdin": Work("read", "wc -c", "5000000", stdin=b"x" * 5_000_000),
    "a document in the script": Work("read", "cat <<END\nhere\nEND", "here"),
    "a substituted process": Work("read", "cat <(echo one) <(echo two)", "one\ntwo"),
    "jobs in the background": Work("read", "(sleep 0.05; echo late) & wait; echo done", "late\ndone"),
    "the directory of the work": Work("read", 'test "$PWD" = "$WS" && test "$(pwd -P)" = "$(readlink -f "$WS")"'),
    "variables": Work("read", "echo $GREETING", "hello"),
    "long arguments": Work("read", "set -- $(seq 20000); echo $#", "20000"),
    "the user": Work("read", 'test "$(id -u)" = $HOST_UID && test "$(id -g)" = $HOST_GID'),
    "a name for the user": Work("read", "id -un >/dev/null"),
    "the mask for new files": Work("write", "umask 027; touch $WS/f; stat -c %a $WS/f", "640"),
    "limits": Work("read", "ulimit -n 64; ulimit -n", "64"),
    "devices": Work("read", "head -c 8 /dev/urandom | wc -c; echo x > /dev/null; head -c 3 /dev/zero | wc -c", "8\n3"),
    "a full device": Work("read", "echo x > /dev/full", None, 1),
    "memory files": Work("read", "echo shared > /dev/shm/x && cat /dev/shm/x", "shared"),
    "facts of the machine": Work("read", "grep -q processor /proc/cpuinfo && grep -q MemTotal /proc/meminfo && test -r /proc/self/status"),
    "processes of its own": Work("read", "sleep 5 & test -d /proc/$! && kill $!"),
    "write and read": Work("write", "mkdir -p a/b/c && echo x > a/b/c/d && cat a/b/c/d && rm -r a && ls", "x"),
    "move and link": Work("write", "echo 1 > a; mv a b; ln b c; ln -s b d; cat c d", "1\n1"),
    "a named pipe": Work("write", "mkfifo p; echo through > p & cat p", "through"),
    "locks": Work("write", "flock l echo locked", "locked", needs="flock"),
    "names that look protected": Work("write", "mkdir .github sub sub/.git && touch .gitignore .codexrc sub/.git/config && ls -d .codexrc .github .gitignore sub", ".codexrc\n.github\n.gitignore\nsub"),
    "read what is protected": Work("write", "cat .git/config .codex/config.toml", "g\nc", setup="mkdir $WS/.git $WS/.codex; echo g > $WS/.git/config; echo c > $WS/.codex/config.toml"),
    "temporary files": Work("tmp", "unset TMPDIR; f=$(mktemp) && echo x > $f && cat $f && rm $f", "x"),
    "temporary files of the variable": Work("tmpdir", 'f=$(mktemp -p $TMPDIR) && echo x > $f && cat $f', "x", setup="mkdir $BASE/tmp"),
    "another writable root": Work("extra", "echo x > $BASE/extra/f && cat $BASE/extra/f", "x", setup="mkdir $BASE/extra"),
    "a writable root that is missing": Work("extra", "echo x > f && cat f", "x"),
    "a nested writable root": Work("nested", "echo x > a/sub/f && echo y > a/f && cat a/sub/f a/f", "x\ny", setup="mkdir -p $WS/a/sub"),
    "a writable file": Work("extra", "echo x > $BASE/extra && cat $BASE/extra", "x", setup="touch $BASE/extra"),
    "200 writable roots": Work("many", "for i in $(seq 200); do echo $i > $BASE/r$i/f || exit 1; done; cat $BASE/r*/f | wc -l", "200", setup="mkdir $(seq -f $BASE/r%g 200)"),
    "a part opened in a masked directory": Work("reopened", "echo x > secret/pub/f; cat secret/pub/f", "x", setup="mkdir -p $WS/secret/pub"),
    "a closed directory that is read": Work("closed", "cat a/secret/f; echo y > a/f; cat a/f", "1\ny", setup="mkdir -p $WS/a/secret; echo 1 > $WS/a/secret/f"),
    "programs with nothing else to read": Work("bare", "cat f | tr a-z A-Z", "MINE", setup="echo mine > $WS/f"),
    **{f"a workspace with {what}": Work("write", 'echo x > f && cat "$WS/f" && ls', "x\nf", workspace=name) for what, name in ODD.items()},
    "a workspace behind a link": Work("link", 'echo x > f && cat "$BASE/real/f"', "x", setup="mkdir $BASE/real; rmdir $WS; ln -s real $WS"),
    "a pair of sockets": Work("write", python("import socket\na, b = socket.socketpair()\na.send(b'x'); print(b.recv(1)); a.sendall(b'y' * 100); print(len(b.recv(200)))\na.shutdown(1); print(b.recv(1))"), "b'x'\n100\nb''"),
    "a descriptor sent over a pair": Work("write", python("import os, socket\na, b = socket.socketpair()\nsocket.send_fds(a, [b'x'], [1])\n_, fds, _, _ = socket.recv_fds(b, 1, 1)\nos.write(fds[0], b'sent')"), "sent"),
    "a loop of events": Work("write", python("import asyncio\nasync def main():\n    p = await asyncio.create_subprocess_exec('echo', 'child', stdout=-1)\n    print((await p.communicate())[0].decode(), end='')\nasyncio.run(main())"), "child"),
    "a pool of processes": Work("write", python("import multiprocessing as m\nif __name__ == '__main__':\n    c = m.get_context('fork')\n    with c.Pool(2) as pool:\n        print(pool.map(abs, [-1, -2]))"), "[1, 2]"),
    "threads": Work("read", python("import threading\nt = [threading.Thread(target=lambda: None) for _ in range(50)]\n[x.start() for x in t]; [x.join() for x in t]; print('joined')"), "joined"),
    "a mapped file": Work("write", python("import mmap\nf = open('m', 'w+b'); f.truncate(4096)\nm = mmap.mmap(f.fileno(), 4096); m[:2] = b'ok'; m.flush(); print(open('m', 'rb').read(2))"), "b'ok'"),
    "a database": Work("write", python("import sqlite3\nd = sqlite3.connect('d'); d.execute('pragma journal_mode=wal'); d.execute('create table t(x)')\nd.execute('insert into t values(7)'); d.commit(); print(d.execute('select x from t').fetchone())"), "(7,)"),
    "a terminal of its own": Work("read", python("import os, pty\npid, fd = pty.fork()\nif pid == 0:\n    os.execvp('tty', ['tty'])\nprint(os.read(fd, 100).strip()); os.waitpid(pid, 0)"), "b'/dev/pts/0'"),
    "compiled modules": Work("write", 'echo "print(7)" > m.py; "$PYTHON" -c "import m"; ls -d __pycache__', "7\n__pycache__"),
    "node waits for a child": Work("write", node("console.log(require('child_process').execSync('echo child').toString().trim())"), "child", needs="node"),
    "node runs a child": Work("write", node("require('child_process').exec('echo child', (e, o) => console.log(e, o.trim()))"), "null child", needs="node"),
    "node talks to a child": Work("write", "echo 'process.send(7); process.disconnect()' > c.js\n" + node("require('child_process').fork('./c.js').on('message', m => console.log(m))"), "7", needs="node"),
    "git looks": Work("write", "git status --short && git log --oneline 2>/dev/null | wc -l", "?? f\n0", setup="git init -q $WS 2>/dev/null; touch $WS/f", needs="git"),
    "git refuses to commit": Work("write", "git add f 2>/dev/null || git -c user.name=a -c user.email=a@b commit -qm x 2>/dev/null || echo refused; git status --short", "refused\n?? f", setup="git init -q $WS 2>/dev/null; touch $WS/f", needs="git"),
    "git in a work tree": Work("write", "git status --short && git rev-parse --git-common-dir | grep -c main/.git", "?? f\n1", setup="cd $BASE; git init -q main 2>/dev/null; cd main; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x; rmdir $WS; git worktree add -q $WS; touch $WS/f", needs="git"),
    "git behind a link": Work("write", "git status --short; echo x > g; cat .git/HEAD | cut -c1-4", "?? f\nref:", setup="git init -q $BASE/repo 2>/dev/null; mv $BASE/repo/.git $BASE/store; ln -s ../store $WS/.git; touch $WS/f", needs="git"),
    "settings behind links": Work("write", "cat .codex/config.toml .agents/a; echo x > f && cat f", "c\na\nx", setup="mkdir $BASE/s $WS/t; echo c > $BASE/s/config.toml; echo a > $WS/t/a; ln -s $BASE/s $WS/.codex; ln -s t $WS/.agents"),
    "a link that leads nowhere": Work("write", "cat .codex/x 2>/dev/null; echo y > f && cat f && test -L .codex", "y", setup="ln -s nowhere $WS/.codex"),
    "a folder that is closed to its owner": Work("write", "echo x > sub/f && cat sub/f old; echo y > old && cat old", "x\n1\ny", setup="mkdir $WS/sub; echo 1 > $WS/old; chmod 555 $WS"),
    "what no pattern matches": Work("patterns", "cat a/plain; echo x > a/new.txt; echo y > fresh.env; cat a/new.txt fresh.env; mv a b; ls b", "1\nx\ny\nnew.txt\nplain", setup="mkdir $WS/a; echo 1 > $WS/a/plain; echo s > $WS/s.env"),
    "make with many jobs": Work("write", "printf 'all: a b c d\\na b c d:\\n\\t@echo $@ > $@\\n' > Makefile; make -s -j4 && cat a b c d", "a\nb\nc\nd", needs="make"),
    "a compiler": Work("tmp", "echo 'int main(void){return 7;}' > m.c; gcc -o m m.c && ./m; echo $?", "7", needs="gcc"),
    "a program in memory": Work("read", python("import os\nf = os.memfd_create('p')\nos.write(f, open('/bin/echo', 'rb').read())\npid = os.fork()\nif pid == 0: os.execv(f'/proc/self/fd/{f}', ['echo', 'from memory'])\nos.waitpid(pid, 0)"), "from memory"),
    "paths beyond the limit": Work("write", python("import os, shutil\nfor _ in range(40):\n    os.mkdir('d' * 200); os.chdir('d' * 200)\nopen('f', 'w').write('x'); print(open('f').read())\nos.chdir(os.environ['WS']); shutil.rmtree('d' * 200); print(os.listdir('.').count('d' * 200))"), "x\n0"),
    "a terminal with jobs": Work("read", python("import os, pty\nos.environ['PS1'] = 'READY> '\npid, fd = pty.fork()\nif pid == 0: os.execvp('bash', ['bash', '--norc', '-i'])\nseen = b''\ndef until(text):\n    global seen\n    while text not in seen: seen += os.read(fd, 1000)\n    seen = b''\nuntil(b'READY> ')\nos.write(fd, b'(echo u$(true)p; exec sleep 30)\\n'); until(b'up\\r\\n')\nos.write(fd, b'\\x1a'); until(b'Stopped')\nos.write(fd, b'jobs | grep -c Stopped | sed s/^/count/; kill %1; exit; exit\\n'); until(b'count1'); print(True)\ntry:\n    while os.read(fd, 1000): pass\nexcept OSError: pass\nos.waitpid(pid, 0)"), "True"),
    "a database program": Work("write", "sqlite3 d 'create table t(x); insert into t values(7); select x from t'", "7", needs="sqlite3"),
    "packages look around": Work("write", "npm --version >/dev/null && echo '{\"name\":\"x\",\"scripts\":{\"hi\":\"echo hi\"}}' > package.json && npm run -s hi", "hi", needs="npm"),
    "children of Python": Work("write", python("import concurrent.futures as c, multiprocessing as m, os\nos.environ['TMPDIR'] = '.'\nwith c.ProcessPoolExecutor(2, mp_context=m.get_context('fork')) as p: print(list(p.map(abs, [-1, 2])))\nq = m.get_context('fork').Queue(); q.put(3); print(q.get())"), "[1, 2]\n3"),
    "everything but some paths can be written": Work("allbut", "echo x > $BASE/f && cat $BASE/f docs/d; mkdir n && rmdir n", "x\n1", setup="mkdir $WS/docs $WS/secret; echo 1 > $WS/docs/d"),
    "everything can be written": Work("full", "echo x > $BASE/f && cat $BASE/f; mkdir .git && rmdir .git", "x"),
    "the program's own directory can be read": Work("home", "cat home/config.toml; echo x > f && cat f", "c\nx", setup="mkdir $WS/home; echo c > $WS/home/config.toml"),
    "an outer root": Work("outer", "echo x > ../f && echo y > g && cat ../f g", "x\ny"),
    "a root under another name": Work("aliased", "echo x > $BASE/alias/f && cat $BASE/real/f $BASE/real/docs/d", "x\n1", setup="mkdir -p $BASE/real/docs; ln -s real $BASE/alias; echo 1 > $BASE/real/docs/d"),
    "the network, when it is allowed": Work("net", python("import os, socket\nprint(socket.create_connection(('127.0.0.1', int(os.environ['HOST_PORT'])), 5).recv(9))"), "b'welcome'"),
    "socket files, when the network is allowed": Work("net", python("import os, socket\ns = socket.socket(socket.AF_UNIX); s.connect(os.environ['HOST'] + '/stream.sock'); print(s.recv(9))"), "b'welcome'"),
}  # fmt: skip
