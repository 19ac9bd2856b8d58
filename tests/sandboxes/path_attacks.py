"""Attacks on what a policy says of single paths: links, patterns, repositories elsewhere, roots of all kinds."""

# ruff: noqa: E501 -- a case is a line

from __future__ import annotations

from attack_words import Attack, python, written

REPOSITORY = "mkdir -p $WS/real/hooks; echo 1 > $WS/real/config; ln -s real $WS/.git"
OUTER_WORKTREE = (
    "mkdir -p $BASE/main/.git/worktrees/ws $BASE/main/.git/hooks; echo ../.. > $BASE/main/.git/worktrees/ws/commondir; "
    "echo 1 > $BASE/main/.git/config; echo 'gitdir: ../main/.git/worktrees/ws' > $WS/.git"
)
SECRETS = "mkdir -p $WS/a/b $WS/keys; for f in x.env a/.env a/b/y.env keys/k; do echo secret > $WS/$f; done"
LEFT_HOOK = "test -e $WS/.git/hooks/evil || test -e $WS/real/hooks/evil"
INNER = "unshare -Urm sh -c"

PATH_ATTACKS: dict[str, Attack] = {
    # A protected path that is a link.
    "write through a protected link": Attack("write", written("$WS/.git/config"), REPOSITORY),
    "write where a protected link leads": Attack("write", written("$WS/real/config"), REPOSITORY),
    "make a hook where a protected link leads": Attack("write", written("$WS/real/hooks/evil"), REPOSITORY, LEFT_HOOK),
    "remove a protected link": Attack("write", "rm -f $WS/.git; mkdir -p $WS/.git/hooks; echo x > $WS/.git/hooks/evil", REPOSITORY, LEFT_HOOK),
    "move a protected link away": Attack("write", "mv $WS/.git $WS/x && mkdir -p $WS/.git/hooks && echo BREACH", REPOSITORY, "! test -L $WS/.git"),
    "turn a protected link": Attack("write", "mkdir -p other/hooks; ln -sfn other $WS/.git && echo BREACH", REPOSITORY, 'test "$(readlink $WS/.git)" != real'),
    "put something over a protected link": Attack("write", "mkdir other; " + python(
        "import os\ntry:\n os.rename('other', '.git'); print('BREACH')\nexcept OSError as e: print(e)\n"
        "try:\n os.symlink('x', 'new'); os.rename('new', '.git'); print('BREACH')\nexcept OSError as e: print(e)"), REPOSITORY, "! test -L $WS/.git"),
    "swap a protected link": Attack("write", "ln -s other new; " + python(
        "import ctypes\nprint('BREACH' if ctypes.CDLL(None).syscall(316, -100, b'new', -100, b'.git', 2) == 0 else 'no')"), REPOSITORY, 'test "$(readlink $WS/.git)" != real'),
    "move away where a protected link leads": Attack("write", "mv $WS/real $WS/x; mkdir -p $WS/real/hooks && echo x > $WS/real/hooks/evil && echo BREACH", REPOSITORY, LEFT_HOOK),
    "uncover a protected link": Attack("write", f"{INNER} 'umount -l $WS/.git; rm $WS/.git && echo BREACH'", REPOSITORY, "! test -L $WS/.git"),
    "make what a protected link leads to": Attack("write", "mkdir -p $WS/later/hooks && echo BREACH", "ln -s later $WS/.git", "test -e $WS/later/hooks"),
    "make what a protected link leads to, far down": Attack("write", "mkdir -p $WS/a/b/later/hooks && echo BREACH", "mkdir $WS/a; ln -s a/b/later $WS/.git", "test -e $WS/a/b/later/hooks"),
    "turn a link behind a protected link": Attack("write", "ln -sfn other $WS/second; mkdir -p $WS/other/hooks; echo x > $WS/.git/hooks/evil && echo BREACH", "mkdir -p $WS/real/hooks $WS/other; ln -s real $WS/second; ln -s second $WS/.git", "test -e $WS/other/hooks/evil && test -e $WS/.git/hooks/evil"),
    "move away what holds a link behind a protected link": Attack("write", "mv $WS/d $WS/e; mkdir $WS/d; ln -s ../other $WS/d/second && echo BREACH", "mkdir -p $WS/d $WS/real $WS/other; ln -s ../real $WS/d/second; ln -s d/second $WS/.git", 'test "$(readlink $WS/d/second)" != ../real'),
    "remove a protected link that leads out": Attack("write", "rm -f $WS/.codex; mkdir $WS/.codex && echo BREACH", "mkdir $BASE/settings; ln -s $BASE/settings $WS/.codex", "! test -L $WS/.codex"),
    "remove a protected link to a file": Attack("write", "rm -f $WS/.codex; mkdir $WS/.codex && echo BREACH; echo x > $WS/f && echo BREACH", "echo 1 > $WS/f; ln -s f $WS/.codex", "! test -L $WS/.codex"),
    "keep capabilities beside a protected link": Attack("write", "grep -Eq 'Cap(Inh|Prm|Eff|Bnd|Amb):.*[1-9a-f]' /proc/self/status && echo BREACH; grep -q NoNewPrivs:.1 /proc/self/status || echo BREACH; { grep -q Seccomp:.2 /proc/1/status && ! grep -Eq 'Cap(Prm|Eff|Amb):.*[1-9a-f]' /proc/1/status; } || { (: >> /proc/1/mem) 2>/dev/null && echo BREACH; }; true", REPOSITORY),
    "turn a link in front of a denied path": Attack("behind", "rm $WS/link; cat $WS/real/secret/f && echo BREACH; mv $WS/real $WS/x; cat $WS/x/secret/f && echo BREACH", "mkdir -p $WS/real/secret; echo 1 > $WS/real/secret/f; ln -s real $WS/link", "! test -L $WS/link"),
    "swap a protected named pipe": Attack("write", "rm -f $WS/.git; mkdir -p $WS/.git && echo BREACH", "mkfifo $WS/.git", "! test -p $WS/.git"),
    "swap a protected socket": Attack("write", "rm -f $WS/.git; mkdir -p $WS/.git && echo BREACH", python("import os, socket; socket.socket(socket.AF_UNIX).bind(os.environ['WS'] + '/.git')"), "! test -S $WS/.git"),
    # Mounts of its own around what is protected.
    "look below a protection by a mount of its own": Attack("write", f"mkdir x; {INNER} 'mount --bind $WS $WS/x && mkdir $WS/x/.git/hooks && echo BREACH'", "mkdir $WS/.git", "test -e $WS/.git/hooks"),
    "look below a mask by a mount of its own": Attack("denied", f"mkdir x; {INNER} 'mount --bind $WS $WS/x && cat $WS/x/secret/f && echo BREACH'", "mkdir $WS/secret; echo 1 > $WS/secret/f"),
    "mount a protection elsewhere and make it writable": Attack("write", f"mkdir x; {INNER} 'mount --bind $WS/.git $WS/x && mount -o remount,rw,bind $WS/x && echo 1 > $WS/x/evil && echo BREACH'", "mkdir $WS/.git", "test -e $WS/.git/evil"),
    "move a mask out of the way": Attack("denied", f"mkdir x; {INNER} 'mount --move $WS/secret $WS/x; cat $WS/secret/f && echo BREACH'", "mkdir $WS/secret; echo 1 > $WS/secret/f"),
    "make a protection writable by the newer call": Attack("write", f"{INNER} '\"$PYTHON\" -I -S -c \"import ctypes, os, struct; print(ctypes.CDLL(None).syscall(442, -100, os.fsencode(os.environ[chr(87)+chr(83)] + chr(47) + chr(46) + chr(103) + chr(105) + chr(116)), 0, struct.pack(chr(52) + chr(81), 0, 1, 0, 0), 32))\"; echo x > $WS/.git/evil && echo BREACH'", "mkdir $WS/.git", "test -e $WS/.git/evil"),
    "change the root in a name space of its own": Attack("write", f"mkdir -p n/old; {INNER} 'mount --rbind / $WS/n && cd $WS/n && pivot_root . old && umount -l old; echo x > $WS/.git/evil && echo BREACH'", "mkdir $WS/.git", "test -e $WS/.git/evil"),
    # Repositories elsewhere.
    "write a repository in another root": Attack("extra", "mkdir $BASE/extra/gd/hooks && echo BREACH", "mkdir -p $BASE/extra/gd; echo 'gitdir: ../extra/gd' > $WS/.git", "test -e $BASE/extra/gd/hooks"),
    "write a repository in another root, named absolutely": Attack("extra", "mkdir $BASE/extra/gd/hooks && echo BREACH", "mkdir -p $BASE/extra/gd; echo \"gitdir: $BASE/extra/gd\" > $WS/.git", "test -e $BASE/extra/gd/hooks"),
    "write the repository of a work tree": Attack("outer", "echo evil > $BASE/main/.git/config && echo BREACH; echo x > $BASE/main/.git/hooks/evil && echo BREACH", OUTER_WORKTREE, "test -e $BASE/main/.git/hooks/evil"),
    "move the repository of a work tree away": Attack("outer", "mv $BASE/main $BASE/m && mkdir -p $BASE/main/.git/hooks && echo BREACH", OUTER_WORKTREE, "test -e $BASE/m"),
    "move the workspace away in an outer root": Attack("outer", "cd /; mv $WS $BASE/moved && mkdir -p $WS/.git/hooks && echo BREACH", "mkdir $WS/.git", "test -e $BASE/moved"),
    "write what is protected through the outer root": Attack("outer", "mkdir $BASE/ws/.git/hooks && echo BREACH; mkdir $BASE/.git && echo BREACH", "mkdir $WS/.git", "test -e $WS/.git/hooks"),
    "make a pointer to a repository of its own": Attack("write", "mkdir gd; echo 'gitdir: gd' > $WS/.git && echo BREACH", left="test -f $WS/.git"),
    # Patterns of denied paths.
    "read what a pattern denies": Attack("patterns", "cat $WS/x.env && echo BREACH", SECRETS),
    "read what a pattern denies, deep down": Attack("patterns", "cat $WS/a/.env $WS/a/b/y.env && echo BREACH; cat $WS/a/b/y.env && echo BREACH", SECRETS),
    "read what a pattern denies one by one": Attack("patterns", "cat $WS/keys/k && echo BREACH", SECRETS),
    "read below a directory that a pattern denies": Attack("patterns", "cat $WS/d.env/f && echo BREACH", "mkdir $WS/d.env; echo 1 > $WS/d.env/f"),
    "write what a pattern denies": Attack("patterns", written("$WS/x.env"), SECRETS, "grep -q evil $WS/x.env"),
    "move what a pattern denies": Attack("patterns", "mv $WS/x.env $WS/y && cat $WS/y && echo BREACH; mv $WS/a $WS/z; cat $WS/z/.env && echo BREACH", SECRETS),
    "link what a pattern denies": Attack("patterns", "ln $WS/x.env $WS/y && cat $WS/y && echo BREACH; ln -s x.env z; cat z && echo BREACH", SECRETS),
    "read what a denied link leads to": Attack("patterns", "cat $WS/l.env && echo BREACH; cat $WS/plain && echo BREACH", "echo 1 > $WS/plain; ln -s plain $WS/l.env"),
    "open up what could not be searched": Attack("patterns", "chmod 755 $WS/shut; cat $WS/shut/x.env && echo BREACH", "mkdir $WS/shut; echo 1 > $WS/shut/x.env; chmod 0 $WS/shut"),
    "hide everything by a link": Attack("patterns", "echo fine > f && cat f >/dev/null || echo BREACH", "ln -s / $WS/l.env; ln -s . $WS/m.env"),
    # The program's own directory.
    "write the settings of the program": Attack("home", "echo evil > $WS/home/config.toml && echo BREACH; echo evil > $WS/home/hooks.json && echo BREACH", "mkdir -p $WS/home; echo 1 > $WS/home/config.toml", "grep -q evil $WS/home/config.toml"),
    "write a session of the program": Attack("home", "echo evil > $WS/home/sessions/s && echo BREACH", "mkdir -p $WS/home/sessions"),
    "move the directory of the program away": Attack("home", "mv $WS/home $WS/x && mkdir $WS/home && echo BREACH", "mkdir -p $WS/home", "test -e $WS/x"),
    "write the program's directory by another name": Attack("home", "ln -s home h; echo x > h/hooks.json && echo BREACH", "mkdir -p $WS/home", "test -e $WS/home/hooks.json"),
    # Roots that lead elsewhere.
    "have a root lead elsewhere": Attack("roots", "echo x > $BASE/elsewhere/f && echo BREACH", "mkdir $BASE/elsewhere; ln -s $BASE/elsewhere $WS/out", "test -e $BASE/elsewhere/f"),
    "have a root behind a link lead elsewhere": Attack("deeproots", "echo x > $BASE/elsewhere/out/f && echo BREACH", "mkdir -p $BASE/elsewhere/out; ln -s $BASE/elsewhere $WS/l", "test -e $BASE/elsewhere/out/f"),
    "have the temporary directory lead elsewhere": Attack("innertmp", "echo x > $BASE/elsewhere/f && echo BREACH", "mkdir $BASE/elsewhere; ln -s $BASE/elsewhere $WS/tmp", "test -e $BASE/elsewhere/f"),
    "write what is closed under another name of a root": Attack("aliased", "echo x > $BASE/real/docs/f && echo BREACH; echo x > $BASE/alias/docs/g && echo BREACH", "mkdir -p $BASE/real/docs; ln -s real $BASE/alias", "test -e $BASE/real/docs/f || test -e $BASE/real/docs/g"),
    "write a directory that was closed to its owner": Attack("write", "chmod u+w $WS; mkdir $WS/.git && echo BREACH; chmod u-w $WS; true", "mkdir $WS/sub; chmod 555 $WS", "test -e $WS/.git"),
    "make a closed path in a directory that was closed to its owner": Attack("closed", "chmod u+w $WS/a; mkdir $WS/a/secret && echo BREACH; true", "mkdir -p $WS/a/sub; chmod 555 $WS/a", "test -e $WS/a/secret"),
    # Everything but some paths.
    "read the only denied path": Attack("allbut", "cat $WS/secret/f && echo BREACH; mv $WS/secret $WS/x; cat $WS/x/f && echo BREACH", "mkdir $WS/secret; echo 1 > $WS/secret/f"),
    "write the only closed path": Attack("allbut", written("$WS/docs/f"), "mkdir $WS/docs"),
    "make the only closed path": Attack("allbut", "mkdir -p $WS/docs && echo x > $WS/docs/f && echo BREACH", left="test -e $WS/docs/f"),
    "move away what leads to the only closed path": Attack("allbut", "cd /; mv $WS $WS-2 && mkdir -p $WS/docs && echo x > $WS/docs/f && echo BREACH", "mkdir $WS/docs", "test -e $WS-2"),
    "set up the machine where everything can be written": Attack("allbut", "for f in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger /sys/kernel/profiling; do (: >> $f) 2>/dev/null && echo BREACH; done; true"),
    "set up the machine where all can be written": Attack("full", "for f in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger /sys/kernel/profiling; do (: >> $f) 2>/dev/null && echo BREACH; done; true"),
}  # fmt: skip
