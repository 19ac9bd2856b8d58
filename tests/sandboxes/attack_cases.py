"""Attacks on the sandbox: what each one tries, and how it shows that it got through.

A script prints ``BREACH`` when it got through; ``left`` is run on the host afterwards and succeeds when it finds that
something was left. ``$WS`` is the workspace, ``$BASE`` its parent, ``$HOST`` where programs
of the host listen, ``$PYTHON`` an interpreter.
"""

# ruff: noqa: E501 -- a case is a line

from __future__ import annotations

from attack_words import Attack, ctypes_call, opened, python, sockets, written
from path_attacks import PATH_ATTACKS

from codex_sandboxing.protected_paths import PROTECTED

ATTACKS: dict[str, Attack] = {
    # A read-only file system stays as it is.
    "write a file of the workspace": Attack("read", written("$WS/a")),
    "write below /etc": Attack("read", written("/etc/breach-$$")),
    "write into the home directory": Attack("read", written("~/breach-$$")),
    "write into /tmp": Attack("read", written("/tmp/breach-$$")),
    "write into /var/tmp": Attack("read", written("/var/tmp/breach-$$")),
    "write beside the workspace": Attack("read", written("$BASE/breach")),
    "append to a file": Attack("read", "echo x >> $WS/old && echo BREACH", "echo old > $WS/old"),
    "truncate a file": Attack("read", ": > $WS/old && echo BREACH", "echo old > $WS/old"),
    "rename a file": Attack("read", "mv $WS/old $WS/new && echo BREACH", "echo old > $WS/old"),
    "remove a file": Attack("read", "rm -f $WS/old && echo BREACH", "echo old > $WS/old"),
    "change a mode": Attack("read", "chmod 777 $WS/old && echo BREACH", "echo old > $WS/old"),
    "change times": Attack("read", "touch $WS/old && echo BREACH", "echo old > $WS/old"),
    "link a file": Attack("read", "ln $WS/old $WS/new && echo BREACH", "echo old > $WS/old"),
    "make a directory": Attack("read", "mkdir $WS/d && echo BREACH"),
    "make a link": Attack("read", "ln -s / $WS/l && echo BREACH"),
    "make a named pipe": Attack("read", "mkfifo $WS/p && echo BREACH"),
    "set an attribute": Attack(
        "read",
        python("import os\ntry:\n os.setxattr(os.environ['WS'] + '/old', 'user.x', b'1'); print('BREACH')\nexcept OSError as e: print(e)"),
        "echo old > $WS/old",
    ),
    "write through /proc/1/root": Attack("read", written("/proc/1/root$WS/a"), left="test -e $WS/a"),
    "write through /proc/self/root": Attack("read", written("/proc/self/root$WS/a")),
    "write through /proc/self/cwd": Attack("read", written("/proc/self/cwd/a")),
    "remount the root writable": Attack("read", "mount -o remount,rw / && echo BREACH"),
    "remount the workspace writable": Attack("read", "mount -o remount,rw,bind $WS && echo BREACH"),
    "mount a memory file system": Attack("read", "mount -t tmpfs none $WS && echo BREACH"),
    "bind something over a file": Attack("read", "mount --bind /dev/null /etc/hostname && echo BREACH"),
    "change the root": Attack("read", "chroot / /bin/true && echo BREACH"),
    "move the root": Attack("read", "pivot_root / / 2>/dev/null && echo BREACH"),
    "open a file by its handle": Attack(
        "read",
        ctypes_call("libc.syscall(304, -100, b'\\0' * 64, 0)"),
    ),
    "find devices of disks": Attack("read", "ls /dev | grep -Eq '^(sd|vd|nvme|mem$|kmsg$|kvm$|loop)' && echo BREACH"),
    "make a device": Attack("write", "mknod $WS/disk b 8 0 && echo BREACH", left="test -b $WS/disk"),
    # The machine's settings.
    "set where cores go": Attack("read", opened("/proc/sys/kernel/core_pattern")),
    "set the name of the host in /proc": Attack("read", opened("/proc/sys/kernel/hostname")),
    "drop caches": Attack("read", opened("/proc/sys/vm/drop_caches")),
    "press the system request key": Attack("read", opened("/proc/sysrq-trigger")),
    "set memory ranges": Attack("read", opened("/proc/mtrr")),
    "write anything below /proc/sys": Attack(
        "read",
        "find /proc/sys -type f -perm -200 2>/dev/null | head -300 | while read f; do (: >> $f) 2>/dev/null && "
        "echo BREACH $f; done",
    ),
    "write anything below /sys": Attack(
        "read",
        "find /sys -maxdepth 4 -type f -perm -200 2>/dev/null | head -200 | while read f; do (: >> $f) 2>/dev/null && "
        "echo BREACH $f; done",
    ),
    "make a control group": Attack("read", "mkdir /sys/fs/cgroup/breach 2>/dev/null && echo BREACH"),
    "set the name of the host": Attack("read", "hostname breach 2>/dev/null && echo BREACH"),
    "set the clock": Attack("read", ctypes_call("libc.settimeofday(b'\\0' * 16, None)", "result == 0")),
    # Privileges.
    "keep capabilities": Attack("read", "grep -q 'CapEff:.*[1-9a-f]' /proc/self/status && echo BREACH"),
    "keep capabilities to inherit": Attack("read", "grep -Eq 'Cap(Inh|Prm|Bnd|Amb):.*[1-9a-f]' /proc/self/status && echo BREACH"),
    "gain privileges by a program": Attack("read", "grep -q 'NoNewPrivs:.1' /proc/self/status || echo BREACH"),
    "run without a filter": Attack("read", "grep -q 'Seccomp:.2' /proc/self/status || echo BREACH"),
    "reach into a process that is not filtered": Attack("read", "grep -q 'Seccomp:.2' /proc/1/status || { (: >> /proc/1/mem) 2>/dev/null && echo BREACH; }; true"),
    "become another user": Attack(
        "read", python("import os\nuid = 12345\ntry:\n os.setuid(uid); print('BREACH')\nexcept OSError as e: print(e)")
    ),
    "give a file away": Attack("write", "touch $WS/f; chown 12345 $WS/f && echo BREACH"),
    "undo protection in a name space of its own": Attack(
        "write",
        "unshare -Urm sh -c 'umount -l $WS/.git; mkdir -p $WS/.git/hooks && echo x > $WS/.git/hooks/a && echo BREACH'",
        left="test -e $WS/.git/hooks",
    ),
    "remount in a name space of its own": Attack(
        "read", "unshare -Urm sh -c 'mount -o remount,rw,bind $WS && echo x > $WS/a && echo BREACH'"
    ),
    "mount /proc anew": Attack(
        "read", "unshare -Urpmf sh -c 'mount -t proc none /proc && (: >> /proc/sys/kernel/core_pattern) && echo BREACH'"
    ),
    "enter the name spaces of the host": Attack("read", "nsenter -t 1 -m -- test -e $BASE/outside && echo BREACH"),
    # Other processes.
    "signal a process of the host": Attack("read", "kill -0 $HOST_PID 2>/dev/null && echo BREACH"),
    "see processes of the host": Attack("read", "test -e /proc/$HOST_PID/stat && grep -q sleep /proc/$HOST_PID/stat && echo BREACH"),
    "signal everybody": Attack("read", "kill -9 -1; true", left="! kill -0 $HOST_PID"),
    "trace itself": Attack("read", ctypes_call("libc.ptrace(0, 0, 0, 0)")),
    "read memory of another process": Attack("read", ctypes_call("libc.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0)")),
    "write memory of another process": Attack("read", ctypes_call("libc.process_vm_writev(os.getppid(), 0, 0, 0, 0, 0)")),
    "use shared memory of the host": Attack("read", ctypes_call("libc.shmget(0x434f4458, 0, 0)")),
    "use semaphores of the host": Attack("read", ctypes_call("libc.semget(0x434f4459, 0, 0)")),
    "use message queues of the host": Attack("read", ctypes_call("libc.msgget(0x434f445a, 0)")),
    "see shared memory files of the host": Attack(
        "read", "test -e /dev/shm/codex-breach-$HOST_PID && echo BREACH"
    ),
    "use message queues of POSIX of the host": Attack("read", ctypes_call("libc.mq_open(b'/codex-breach-' + os.environ['HOST_PID'].encode(), 2)")),
    "open the host's process by number": Attack("read", ctypes_call("libc.syscall(434, int(os.environ['HOST_PID']), 0)")),
    "take a descriptor of the first process": Attack("read", python(
        "import ctypes, os, stat\nlibc = ctypes.CDLL(None)\npid = libc.syscall(434, 1, 0)\n"
        "for n in range(3, 64):\n    fd = libc.syscall(438, pid, n, 0)\n"
        "    if fd >= 0 and (stat.S_ISDIR(os.fstat(fd).st_mode) or stat.S_ISREG(os.fstat(fd).st_mode) or stat.S_ISSOCK(os.fstat(fd).st_mode)): print('BREACH', n)")),
    "leave through what the first process has open": Attack("read", "for d in /proc/1/cwd /proc/1/root /proc/1/fd/*; do (: > $d/evil) 2>/dev/null && echo BREACH; (: > $d$BASE/evil) 2>/dev/null && echo BREACH; (: > $d/../evil) 2>/dev/null && echo BREACH; done; true", left="test -e $BASE/evil || test -e $WS/evil"),
    "write the program of the first process": Attack("read", "(: >> /proc/1/exe) 2>/dev/null && echo BREACH; (: >> /proc/self/exe) 2>/dev/null && echo BREACH; true"),
    "write memory of the first process": Attack("read", "grep -q Seccomp:.2 /proc/1/status || { (: >> /proc/1/mem) 2>/dev/null && echo BREACH; }; true"),
    "slow down processes of the host": Attack("read", python("import os\nos.setpriority(os.PRIO_USER, os.getuid(), 19)"), left='test "$(cut -d" " -f19 /proc/$HOST_PID/stat)" = 19'),
    "write the file that is read as input": Attack("stdin", "echo evil > /proc/self/fd/0; echo evil > /dev/stdin; true", left="grep -q evil $BASE/outside"),
    "use a terminal of the host": Attack("read", "ls /dev/pts | grep -Eq '^[0-9]+$' && echo BREACH"),
    "use an open descriptor": Attack(
        "read", "for n in 20 21 22; do (echo evil >&$n) 2>/dev/null && echo BREACH; done"
    ),
    "leave through an open directory": Attack(
        "read", "for n in 20 21 22; do test -e /proc/self/fd/$n/stream.sock && echo BREACH; done; true"
    ),
    # The network.
    "make an Internet socket": Attack("write", sockets("socket.socket()")),
    "make an IPv6 socket": Attack("write", sockets("socket.socket(socket.AF_INET6)")),
    "make a datagram socket": Attack("write", sockets("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)")),
    "make a raw socket": Attack("write", sockets("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)")),
    "make a packet socket": Attack("write", sockets("socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768)")),
    "make a netlink socket": Attack("write", sockets("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)")),
    "make a socket to the hypervisor": Attack("write", sockets("socket.socket(40, socket.SOCK_STREAM)")),
    "make a socket to the kernel's ciphers": Attack("write", sockets("socket.socket(38, socket.SOCK_SEQPACKET)")),
    "connect to the host": Attack("write", "(exec 3<>/dev/tcp/127.0.0.1/$HOST_PORT) 2>/dev/null && echo BREACH"),
    "connect to a socket file": Attack(
        "write", sockets("socket.socket(socket.AF_UNIX).connect(os.environ['HOST'] + '/stream.sock')")
    ),
    "connect to an abstract socket": Attack(
        "write", sockets("socket.socket(socket.AF_UNIX).connect('\\0codex-breach-' + os.environ['HOST_PID'])")
    ),
    "send a datagram to a socket file": Attack(
        "write",
        sockets("socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'x', os.environ['HOST'] + '/dgram.sock')"),
        left="test -e $HOST/got-dgram",
    ),
    "send a message to a socket file": Attack(
        "write",
        sockets("socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, os.environ['HOST'] + '/dgram.sock')"),
    ),
    "send a message from a pair to a socket file": Attack(
        "write",
        sockets("socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendmsg([b'x'], [], 0, os.environ['HOST'] + '/dgram.sock')"),
    ),
    "send a message from a raw socket": Attack(
        "write",
        sockets("socket.socket(socket.AF_UNIX, socket.SOCK_RAW).sendmsg([b'x'], [], 0, os.environ['HOST'] + '/dgram.sock')"),
    ),
    "listen on a socket file": Attack("write", sockets("s = socket.socket(socket.AF_UNIX); s.bind('s.sock'); s.listen()")),
    "use a ring of system calls": Attack("write", ctypes_call("libc.syscall(425, 8, b'\\0' * 256)")),
    "make a socket by a call of 32 bits": Attack("write", python(
        "import ctypes, mmap\ncode = bytes.fromhex('53b867010000bb02000000b901000000ba00000000cd805bc3')\n"
        "low = mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40, prot=7)\n"
        "low[:len(code)] = code\naddress = ctypes.addressof(ctypes.c_char.from_buffer(low))\n"
        "print('BRE' + 'ACH' if ctypes.CFUNCTYPE(ctypes.c_int)(address)() >= 0 else 'no')")),
    "make a socket with a number of more than 32 bits": Attack("write", ctypes_call("libc.syscall(41, ctypes.c_long(0x100000002), ctypes.c_long(1), 0)")),
    "type into the terminal by a larger number": Attack("write", python("import ctypes, os\nm, s = os.openpty()\nprint('BREACH' if ctypes.CDLL(None).syscall(16, s, ctypes.c_long(0x100005412), b'x') == 0 else 'no')")),
    "paste into the terminal": Attack("write", python("import ctypes, os\nm, s = os.openpty()\nl = ctypes.CDLL(None, use_errno=True)\nprint('BREACH' if l.ioctl(s, 0x541C, b'\\x02') == 0 or ctypes.get_errno() != 1 else 'no')")),
    "wait for faults of its own": Attack("write", ctypes_call("libc.syscall(323, 0)")),
    "watch the machine's performance": Attack("write", ctypes_call("libc.syscall(298, b'\\0' * 128, 0, -1, -1, 0)")),
    "talk to an agent in the temporary directory": Attack("tmpdir", sockets("socket.socket(socket.AF_UNIX).connect(os.environ['TMPDIR'] + '/agent')"), "mkdir $BASE/tmp; ln $HOST/stream.sock $BASE/tmp/agent"),
    "send many messages at once": Attack("write", ctypes_call("libc.syscall(307, 0, 0, 0, 0)", "ctypes.get_errno() != 1")),
    "receive many messages at once": Attack("write", ctypes_call("libc.syscall(299, 0, 0, 0, 0, 0)", "ctypes.get_errno() != 1")),
    "make a socket by an x32 call": Attack("write", ctypes_call("libc.syscall(0x40000000 + 41, 2, 1, 0)")),
    "load a program into the kernel": Attack("write", ctypes_call("libc.syscall(321, 5, b'\\0' * 128, 128)")),
    "use the keyring": Attack("write", ctypes_call("libc.syscall(250, 0, -3, 1)")),
    "add a key": Attack("write", ctypes_call("libc.syscall(248, b'user', b'x', b'y', 1, -3)")),
    "type into the terminal": Attack(
        "write",
        python("import fcntl, os, pty\nmaster, slave = os.openpty()\ntry:\n fcntl.ioctl(slave, 0x5412, b'x'); print('BREACH')\nexcept OSError as e: print(e)"),
    ),
    "not be told of the missing network": Attack("write", 'test "$CODEX_SANDBOX_NETWORK_DISABLED" = 1 || echo BREACH'),
    # What is protected in a writable workspace.
    **{f"make {name}": Attack("write", f"mkdir $WS/{name} && echo BREACH", left=f"test -e $WS/{name}") for name in PROTECTED},
    **{
        f"write into {name}": Attack("write", written(f"$WS/{name}/config"), f"mkdir $WS/{name}", f"test -e $WS/{name}/config")
        for name in PROTECTED
    },
    **{
        f"move {name} away": Attack("write", f"mv $WS/{name} $WS/x && echo BREACH", f"mkdir $WS/{name}; echo 1 > $WS/{name}/f", f"! test -e $WS/{name}/f")
        for name in PROTECTED
    },
    "make .git as a file": Attack("write", "echo 'gitdir: x' > $WS/.git && echo BREACH", left="test -e $WS/.git"),
    "make .codex as a link": Attack("write", "ln -s $WS/x $WS/.codex && echo BREACH", left="test -L $WS/.codex"),
    "remove .git": Attack("write", "rm -rf $WS/.git", "mkdir $WS/.git; echo 1 > $WS/.git/config", "! test -e $WS/.git/config"),
    "swap .git for another directory": Attack(
        "write",
        "mkdir $WS/new; " + ctypes_call("libc.syscall(316, -100, b'new', -100, b'.git', 2)", "result == 0"),
        "mkdir $WS/.git; echo 1 > $WS/.git/config",
        "! test -e $WS/.git/config",
    ),
    "link a file out of .git": Attack("write", "ln $WS/.git/config $WS/c && echo evil >> $WS/c && echo BREACH", "mkdir $WS/.git; echo 1 > $WS/.git/config"),
    "unmount the protection": Attack(
        "write", "umount -l $WS/.git && echo BREACH; mkdir $WS/.git/hooks && echo BREACH", "mkdir $WS/.git", "test -e $WS/.git/hooks"
    ),
    "move the workspace away": Attack("write", "mv $WS $WS-2 && echo BREACH", left="test -e $WS-2"),
    "write the pointer of a work tree": Attack("write", written("$WS/.git"), "mkdir -p $BASE/gd; echo 'gitdir: ../gd' > $WS/.git"),
    "write what a work tree points to": Attack(
        "write", "mkdir $WS/gd/x/hooks && echo BREACH", "mkdir -p $WS/gd/x; echo 'gitdir: gd/x' > $WS/.git", "test -e $WS/gd/x/hooks"
    ),
    "move away what leads to it": Attack(
        "write",
        "mv $WS/gd $WS/gd2 && mkdir -p $WS/gd/x/hooks && echo BREACH",
        "mkdir -p $WS/gd/x; echo 'gitdir: gd/x' > $WS/.git",
        "test -e $WS/gd/x/hooks",
    ),
    "protected in another writable root": Attack("extra", "mkdir $BASE/extra/.git && echo BREACH", "mkdir $BASE/extra"),
    "protected in a nested writable root": Attack("nested", "mkdir $WS/a/sub/.git && echo BREACH", "mkdir -p $WS/a/sub"),
    "move away what leads to a nested root": Attack(
        "nested", "mv $WS/a $WS/b && mkdir -p $WS/a/sub/.git && echo BREACH", "mkdir -p $WS/a/sub", "test -e $WS/a/sub/.git"
    ),
    "protected in the temporary directory": Attack("tmpdir", "mkdir $TMPDIR/.git && echo BREACH", "mkdir $BASE/tmp"),
    "write through a link out of the workspace": Attack("write", "echo evil > $WS/l && echo BREACH", "ln -s $BASE/outside $WS/l"),
    "write through a directory link": Attack("write", "echo evil > $WS/l/x && echo BREACH", "ln -s $BASE $WS/l"),
    "write through a new link": Attack("write", "ln -s $BASE $WS/l; echo evil > $WS/l/x && echo BREACH"),
    "write above the workspace": Attack("write", "cd $WS && echo evil > ../x && echo BREACH"),
    "link a file into the workspace": Attack("write", "ln $BASE/outside $WS/o && echo evil > $WS/o && echo BREACH"),
    "replace a protected link": Attack("write", "rm $WS/.codex; mkdir $WS/.codex && echo BREACH", "mkdir $WS/d; ln -s d $WS/.codex"),
    "keep .git after it was made": Attack(
        "write",
        "for i in 1 2 3 4 5 6 7 8; do mkdir $WS/.git/hooks 2>/dev/null && echo BREACH; rmdir $WS/.git 2>/dev/null; done",
        left="test -e $WS/.git/hooks",
    ),
    # What is closed by a policy.
    "write a closed directory": Attack("closed", written("$WS/a/secret/f"), "mkdir -p $WS/a/secret"),
    "move away what leads to a closed directory": Attack(
        "closed", "mv $WS/a $WS/b && mkdir -p $WS/a/secret && echo x > $WS/a/secret/f && echo BREACH",
        "mkdir -p $WS/a/secret", "test -e $WS/a/secret/f",
    ),
    "make a closed directory": Attack("closed", "mkdir -p $WS/a/secret && echo x > $WS/a/secret/f && echo BREACH", left="test -e $WS/a/secret"),
    "read a masked file": Attack("denied", "cat $WS/s.txt && echo BREACH", "echo secret > $WS/s.txt"),
    "read in a masked directory": Attack("denied", "cat $WS/secret/f && echo BREACH", "mkdir $WS/secret; echo 1 > $WS/secret/f"),
    "list a masked directory": Attack("denied", "ls $WS/secret && echo BREACH", "mkdir $WS/secret; echo 1 > $WS/secret/f"),
    "write into a masked directory": Attack("denied", written("$WS/secret/g"), "mkdir $WS/secret"),
    "read through another name": Attack("denied", "ln -s secret $WS/x; cat $WS/x/f && echo BREACH", "mkdir $WS/secret; echo 1 > $WS/secret/f"),
    "read through /proc": Attack("denied", "cat /proc/self/root$WS/secret/f && echo BREACH", "mkdir $WS/secret; echo 1 > $WS/secret/f"),
    "move a mask away": Attack("denied", "mv $WS/secret $WS/x && echo BREACH; cat $WS/x/f", "mkdir $WS/secret; echo 1 > $WS/secret/f"),
    "make a mask readable": Attack("denied", "chmod 777 $WS/secret $WS/s.txt; cat $WS/s.txt $WS/secret/f && echo BREACH", "mkdir $WS/secret; echo 1 > $WS/secret/f; echo 1 > $WS/s.txt"),
    "make a masked file": Attack("denied", "echo evil > $WS/s.txt && echo BREACH", left="test -f $WS/s.txt"),
    "read beside what is open in a mask": Attack("reopened", "cat $WS/secret/f && echo BREACH", "mkdir -p $WS/secret/pub; echo 1 > $WS/secret/f"),
    "read what the policy does not name": Attack("bare", "cat $BASE/outside && echo BREACH"),
    "list what the policy does not name": Attack("bare", "ls $BASE | grep -v '^ws' | grep -q . && echo BREACH"),
    "write the bare root": Attack("bare", written("/breach")),
    "write what may only be read": Attack("bare", written("$WS/a")),
    # What runs on.
    "outlive the command": Attack(
        "write", "setsid sh -c 'sleep 0.3; echo x > $WS/late' >/dev/null 2>&1 & exit 0", left="sleep 0.6; test -e $WS/late"
    ),
    "leave something behind": Attack("write", "true", left='test -n "$(ls -A $WS)"'),
    "leave something behind in other roots": Attack("extra", "true", "mkdir $BASE/extra", 'test -n "$(ls -A $BASE/extra $WS | grep -v : )"'),
    "have bwrap load a library of the workspace": Attack("preload", "true", left="ls $BASE/loaded*"),
    **PATH_ATTACKS,
}  # fmt: skip
