"""Which commands run without a question, and which are asked about always."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from codex_execpolicy.known_commands import are_known_safe, commands_of, is_dangerous

SAFE = r"""
cat a
cat 'a b' "c d"
cat -- -a
cd sub
cut -d: -f1 a
echo hi
echo '$HOME' '`ls`' "it's"
echo 'a && rm x'
echo "a | rm x; rm y"
echo a\ b
echo hi \; rm x
echo 'it'\''s'
echo "a\"b"
echo "a\$b"
echo {}
expr 1 + 1
false
grep -n x a
grep -r --include=*.py x .
head -n1 a
id
ls
ls -la
ls *.py
ls [a-z]?
ls ~
ls;
/bin/ls
/usr/bin/ls -la
nl -nrz a
numfmt 1000
paste a b
pwd
rev a
seq 3
stat -c %n a
tac a
tail -f a
tr a b
true
uname -a
wc -l a
which ls
whoami
uniq
uniq a
uniq -c a
uniq -c
uniq -f1 --skip-chars=2 a
base64 a
base64 -d a
base64 -w0 --ignore-garbage a
base64 -w 0
find . -name a
find . -name '*.py' -not -path './x/*'
find . -name "-delete.py"
find . -type f -print0
find . '(' -name a -o -name b ')'
find . \( -name a \)
rg x
rg -n 'fuzz' src
rg -tzig x
rg -e z -g '*.z' .
rg --pretty x
rg x -- *
sed -n 5p a
sed -n 1,5p a
sed -n '1,5p' "a b"
cat a | sed -n 5p
git status
git status --short
git log --oneline -5
git log -p -- *.py
git diff
git diff --stat HEAD~1
git diff --text
git show HEAD:a
git branch
git branch -a -vv
git branch --show-current
git --no-pager log
ls && pwd
ls || pwd
ls; pwd
ls | wc -l
ls | head -n 3 && echo done
ls -la && git status && cat a
bash -c ls
bash -lc 'ls && pwd'
/bin/sh -c 'echo "a b"'
bash -c "bash -lc 'ls | wc -l'"
"""

ASKED = r"""
date
date -s 12:00
hostname
hostname evil
file -C -m a
test -v 'a[$(touch x)]'
[ -f a ]
[[ -f a ]]
printf hi
printf -v 'a[$(touch x)]' hi
sort a
sort -o b a
sort --output=b a
tee a
yes
env
env ls
env X=1 ls
env -S 'touch x'
xargs ls
command ls
builtin echo
exec ls
eval ls
source a
. a
nohup ls
nice ls
timeout 5 ls
stdbuf -o0 ls
time ls
sudo ls
doas ls
su -c ls
busybox ls
watch ls
coproc ls
python3 -c 1
node -e 1
awk 1 a
awk 'BEGIN{system("id")}'
perl -e 1
curl x
kill 1
cp a b
mv a b
rm a
rm -rf a
touch a
mkdir a
chmod +x a
ln -s a b
dd if=a of=b
truncate -s0 a
less a
more a
man ls
vi a
make
npm test
alias ls=rm
trap ls EXIT
set -x
export A=b
unset A
declare -x A=b
readonly A=b
hash -p /tmp/x ls
enable -f x ls
ulimit -n 5
umask 0
uniq a b
uniq -- a b
uniq - b
uniq -f 1 a
uniq *
uniq a?
base64 -o x a
base64 -ox a
base64 -Do x a
base64 --output x a
base64 --output=x a
base64 --outp=x a
base64 *
find . -delete
find . -del"ete"
find . -del\ete
find . '-delete'
find . -exec rm a ;
find . -exec rm {} \;
find . -execdir rm {} +
find . -ok rm {} \;
find . -okdir rm {} \;
find . -fprint x
find . -fprint0 x
find . -fprintf x %p
find . -fls x
find . \( -name a -delete \)
find *
find . -*
find ? -name a
rg -z x
rg -nz x
rg -zn x
rg --search-zip x
rg --pre x y
rg --pre=x y
rg --hostname-bin x y
rg --hostname-bin=x y
rg x *
rg -* x
sed -n 's/a/b/p' a
sed 5p a
sed -n 5w a
sed -n 5p a b
sed -n 5p -i
sed -n 5p -e1e
sed -n "5p" "-e1e touch q"
sed -n 5p --file=x
sed -n 5p *
sed -n '1e touch x' a
sed -i 5p a
sed -n 5,
sed -n p a
sed -n '1,5p;w x' a
sed -n ٣p a
git
git commit -m x
git branch new
git branch -D x
git branch -m a b
git branch --list x
git branch --edit-description
git -C . status
git -C sub status
git -c core.pager=x status
git -c core.fsmonitor=x status
git -ccore.fsmonitor=x status
git --config-env=a=b status
git --exec-path=x status
git --git-dir=x status
git --work-tree=x status
git --namespace=x log
git -p log
git --paginate log
git diff --output=x
git diff --output x
git diff --outp=x
git log --output=x
git show --outpu x
git log --ext-diff
git log --ext
git log --textconv
git show --textc
git diff *
git log --out*
git stash list
git remote -v
git config -l
git ls-files
git blame a
git grep -O x
git fetch
git checkout a
git reset --hard
git clean -fdx
cd sub && git status
git status; cd sub; git log
bash -c 'cd sub; git status'
X=1 ls
X= ls
X+=1 ls
X[0]=1 ls
LD_PRELOAD=x ls
PATH=. ls
IFS=x ls
ls > a
ls >> a
ls 2>&1
ls 2>/dev/null
ls >| a
ls &> a
ls < a
>a
>a echo hi
2>a ls
echo hi >a
cat <<E
cat <<< hi
ls 3<> a
ls &
ls & pwd
ls |& wc
echo $(pwd)
echo `pwd`
echo "$(pwd)"
echo "`pwd`"
echo $HOME
echo "$HOME"
echo ${HOME}
echo $((1+1))
echo $'a'
echo $"a"
$'ls'
$"ls"
$X
"$X"
$(echo ls)
`echo ls`
diff <(ls) a
ls >(cat)
(ls)
{ ls; }
! ls
if true; then ls; fi
for i in a; do ls; done
while true; do ls; done
until false; do ls; done
case a in a) ls;; esac
select x in a; do ls; done
ls() { rm x; }; ls
function ls { rm x; }
; ls
ls &&
ls |
ls ;; pwd
ls && && pwd
ls | | wc
| ls
&& ls
#ls
ls # rm
ls #rm
echo "unterminated
echo 'unterminated
echo unterminated\
*
./*
l?
{ls,-la}
ls {a,b}
ls {1..3}
./ls
../ls
sub/cat a
/tmp/ls
/ls
//ls
~/ls
/usr/bin/../../tmp/ls
/home/u/bin/ls
'ls'
"ls"
l's'
l"s" -la
\ls
l\s -la
"git" status
'git status'
'ls -la'
ls\ -la
" ls"
''
"" ls
ls -la; rm x
ls | tee x
ls | xargs rm
cat a | sh
echo 'rm x' | bash
bash
bash a
bash -x
bash -i -c ls
bash -c ls pwd
bash --rcfile x -c ls
bash -c 'rm x'
bash -c 'bash -c "rm x"'
bash -c 'ls > a'
./bash -c ls
bash -c '$X'
sh -c 'ls;' x
zsh -i
fish -c ls
dash -c ls
%1
fg
history -w x
"""


def is_known_safe(argv: Sequence[str], *, in_thread_cwd: bool = True, shell: str | None = None) -> bool:
    commands = commands_of(argv, shell=shell)
    return commands is not None and are_known_safe(commands, in_thread_cwd=in_thread_cwd)


def scripts(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


MORE_SAFE = ["ls\npwd", "ls\n\npwd", "ls &&\npwd", "ls \\\n  -la", "\nls\n", "echo 'a\nb'", "\tls\t-a"]
MORE_ASKED = [
    "ls || ",
    "ls\nrm x",
    "ls\r\nrm x",
    "ls\rrm x",
    "find . -dele\\\nte",
    "l\\\ns",
    'echo "a\\\n"',
    "ls\n;pwd",
    "echo a\\\n; rm x",
    "cat <<E\nhi\nE",
    "ls\u00a0-la",
    "ls\u2028rm x",
    "ls\x00",
    "ls\x0brm",
    "echo hi\n> a",
    "cat 'a' \\\n| sh",
    "",
    " ",
    "\n",
]


@pytest.mark.parametrize("shell", ["bash", "/bin/sh", "/usr/bin/zsh"])
@pytest.mark.parametrize("script", scripts(SAFE) + MORE_SAFE)
def test_what_only_reads_is_safe(script: str, shell: str) -> None:
    assert is_known_safe((shell, "-lc", script))
    assert is_known_safe((shell, "-c", script))
    assert not is_dangerous((shell, "-lc", script))


@pytest.mark.parametrize("script", scripts(ASKED) + MORE_ASKED)
def test_what_may_do_more_is_not_safe(script: str) -> None:
    assert not is_known_safe(("/bin/bash", "-lc", script))


@pytest.mark.parametrize(
    ("argv", "safe"),
    [
        (("ls", "-la"), True),
        (("ls", ">", "a"), True),  # no shell: an argument
        (("echo", "$(rm x)"), True),
        (("bash", "-lc", "ls", "x"), False),
        (("bash", "-x", "ls"), False),
        (("bash", "-lic", "ls"), False),
        (("./bash", "-lc", "ls"), False),
        (("/tmp/bash", "-lc", "ls"), False),
        (("/opt/shells/zsh", "-lc", "ls"), True),  # the user's own
        (("/opt/shells/bash", "-lc", "ls"), False),
        (("pwsh", "-Command", "ls"), False),
        (("find", ".", "-delete"), False),
        ((), False),
        (("",), False),
    ],
)
def test_arguments_that_no_shell_reads_count_as_they_are(argv: tuple[str, ...], safe: bool) -> None:
    assert is_known_safe(argv, shell="/opt/shells/zsh") is safe


@pytest.mark.parametrize(("script", "safe"), [("ls", True), ("git status", False), ("bash -c 'git log'", False)])
def test_git_is_only_safe_in_the_thread_s_own_directory(script: str, safe: bool) -> None:
    assert is_known_safe(("bash", "-lc", script), in_thread_cwd=False) is safe


DANGEROUS = r"""
rm -rf /
rm -f a
rm -fr a
rm -r -f a
rm -Rfv a
rm --force a
rm --forc a
rm a -f
rm -r a b -f
rm '-rf' a
rm "-r"f a
r'm' -rf a
\rm -rf a
/bin/rm -rf a
sudo rm -rf a
sudo -u root -E rm -f a
sudo -- rm -f a
sudo FOO=1 rm -f a
doas rm -f a
env rm -f a
env -i X=1 rm -f a
env -u X rm -f a
command rm -f a
exec rm -f a
nohup rm -f a
nice -n 5 rm -f a
nice rm -f a
time rm -f a
timeout 5 rm -f a
timeout -k 1 5 rm -f a
xargs rm -f
xargs -0 -n 1 rm -f
busybox rm -rf a
setsid rm -f a
X=1 rm -f a
X=$(pwd) rm -f a
ls; rm -rf a
ls && rm -rf a
ls || rm -rf a
ls | xargs rm -rf
ls & rm -rf a
(rm -rf a)
( cd x && rm -rf a )
{ rm -rf a; }
! rm -rf a
if true; then rm -rf a; fi
if rm -rf a; then :; fi
for i in a; do rm -rf "$i"; done
while rm -f a; do :; done
case x in x) rm -rf a;; esac
f() { rm -rf a; }; f
rm -rf "$TARGET"
rm -rf $TARGET
rm -rf ${TARGET:?}
rm -rf a > log 2>&1
>log rm -rf a
2>/dev/null rm -rf a
rm >/dev/null -rf a
echo $(rm -rf a)
echo "$(rm -rf a)"
echo `rm -rf a`
echo "`rm -rf a`"
echo "${X:-$(rm -rf a)}"
cat <(rm -rf a)
cat <<E; rm -rf a
bash -c 'rm -rf a'
bash -lc "rm -rf a"
bash -xec 'rm -rf a'
sh -c "sh -c 'rm -rf a'"
sudo bash -c 'rm -rf a'
eval 'rm -rf a'
eval rm -rf a
eval "rm" "-rf" a
find . -exec rm -rf {} \;
find . -name x -execdir rm -f {} +
find . -exec sh -c 'rm -rf "$1"' _ {} \;
$'rm' -rf a
$'\x72m' -rf a
$'\162m' $'-rf' a
echo "a" ; rm -rf "b c"
trap 'x' EXIT; rm -rf a # cleanup
time -p -- rm -rf a
$sudo rm -rf a
rm $"-rf" a
echo "it$'s $(rm -rf a)"
"$sudo" 'rm' -rf a
$(true) rm -rf a
"""
MORE_DANGEROUS = [
    "ls\nrm -rf a",
    "r\\\nm -rf a",
    "rm -r\\\nf a",
    "cat <<E\nhi\nE\nrm -rf a",
    "cat <<-'E'\n\thi\n\tE\nrm -rf a",
    "cat <<A <<B\na\nA\nb\nB\nrm -rf a",
    "cat <<E\nit's \"$(rm -rf a)\nE",
    "cat <<E\n`rm -rf a`",
    "$\\\n'rm' -rf a",
    "echo \\\\\nrm -rf a",
]

HARMLESS = r"""
rm a
rm -r a
rm -i a
rm -- -f
rm -r -- -rf
rmdir a
echo rm -rf a
echo 'rm -rf a'
echo "rm -rf a"
# rm -rf a
ls # rm -rf a
git commit -m 'rm -rf a'
grep -f a b
git rm a
git reset --hard
sudo ls
sudo
env
cp -f a b
mv -f a b
ln -sf a b
trash -rf a
arm -rf a
rm=1; ls -rf a
cmd=rm; $cmd -rf a
find . -name '-rf'
xargs
timeout 5
bash
bash script -rf
bash -c
echo a > rm -rf
"""
MORE_HARMLESS = [
    "cat <<E\nrm -rf a\nE",
    "cat <<'E' > clean.sh\nrm -rf build\nE\nchmod +x clean.sh",
    "cat <<-E\n\trm -rf a\n\tE",
    "cat <<'E'\n$(rm -rf a)\nE",
    "cat <<\\E\n`rm -rf a`\nE",
    "'rm\n-rf'",
    "",
]


@pytest.mark.parametrize("script", scripts(DANGEROUS) + MORE_DANGEROUS)
def test_removing_by_force_is_dangerous_however_it_is_said(script: str) -> None:
    assert is_dangerous(("/bin/bash", "-lc", script))
    assert not is_known_safe(("/bin/bash", "-lc", script))


@pytest.mark.parametrize("script", scripts(HARMLESS) + MORE_HARMLESS)
def test_what_only_looks_like_it_is_not_dangerous(script: str) -> None:
    assert not is_dangerous(("/bin/bash", "-lc", script))


@pytest.mark.parametrize(
    "script",
    [
        "$(" * 5_000 + "rm -rf a",
        "`" * 5_001,
        "(" * 20_000,
        '"$(' * 2_000,
        "bash -c " * 3_000 + "x",
        "sudo " * 5_000 + "rm -f a",
        "<<" * 5_000,
        "a" * 200_000,
        "\\" * 50_001,
        "${" * 5_000,
        "eval " * 3_000,
        "$'\\" * 1_000,
    ],
)
def test_hostile_scripts_are_answered_at_once(script: str) -> None:
    argv = ("bash", "-c", script)

    is_dangerous(argv)

    assert not is_known_safe(argv)
