"""Fixed rules: those that every policy begins with, and those for system services and platform paths."""

from __future__ import annotations

from codex_sandbox_seatbelt.rules import named, pattern, rule

_SYSCTLS = (
    "hw.activecpu", "hw.busfrequency_compat", "hw.byteorder", "hw.cacheconfig", "hw.cachelinesize_compat",
    "hw.cpufamily", "hw.cpufrequency_compat", "hw.cputype", "hw.l1dcachesize_compat", "hw.l1icachesize_compat",
    "hw.l2cachesize_compat", "hw.l3cachesize_compat", "hw.logicalcpu", "hw.logicalcpu_max", "hw.machine", "hw.memsize",
    "hw.model", "hw.ncpu", "hw.nperflevels", "hw.packages", "hw.pagesize", "hw.pagesize_compat", "hw.physicalcpu",
    "hw.physicalcpu_max", "hw.tbfrequency_compat", "hw.vectorunit", "kern.argmax", "kern.bootargs", "kern.hostname",
    "kern.maxfilesperproc", "kern.maxproc", "kern.osproductversion", "kern.osrelease", "kern.ostype",
    "kern.osvariant_status", "kern.osversion", "kern.secure_kernel", "kern.usrstack64", "kern.version",
    "machdep.cpu.brand_string", "sysctl.proc_cputype", "vm.loadavg",
)  # fmt: skip
_SYSCTL_PREFIXES = (
    "hw.optional.arm.", "hw.optional.armv8_", "hw.perflevel", "kern.proc.pgrp.", "kern.proc.pid.", "net.routetable.",
)  # fmt: skip
_NETWORK_SERVICES = (
    "com.apple.SecurityServer", "com.apple.SystemConfiguration.DNSConfiguration",
    "com.apple.SystemConfiguration.configd", "com.apple.bsd.dirhelper", "com.apple.networkd", "com.apple.ocspd",
    "com.apple.system.opendirectoryd.membership", "com.apple.trustd.agent",
)  # fmt: skip
_PLATFORM_TREES = (
    "/Library/Apple", "/Library/Developer/CommandLineTools", "/Library/Filesystems/NetFSPlugins", "/Library/Fonts",
    "/Library/Preferences/Logging", "/System", "/bin", "/opt/homebrew", "/private/etc",
    "/private/var/db/DarwinDirectory", "/private/var/db/dyld", "/private/var/db/timezone", "/private/var/select",
    "/sbin", "/usr",
)  # fmt: skip
_PLATFORM_NAMES = (
    "/", "/dev", "/dev/autofs_nowait", "/dev/fd", "/dev/null", "/dev/random", "/dev/tty", "/dev/urandom", "/dev/zero",
    "/etc", "/private", "/private/tmp", "/private/var", "/private/var/tmp", "/tmp", "/var",  # noqa: S108
)  # fmt: skip
_PLATFORM_SERVICES = (
    "com.apple.analyticsd", "com.apple.cfprefsd.agent", "com.apple.cfprefsd.daemon", "com.apple.diagnosticd",
    "com.apple.dt.automationmode.reader", "com.apple.logd", "com.apple.logd.events", "com.apple.runningboard",
    "com.apple.secinitd", "com.apple.system.DirectoryService.libinfo_v1", "com.apple.system.logger",
    "com.apple.system.notification_center", "com.apple.trustd", "com.apple.xpc.activity.unmanaged",
)  # fmt: skip

CACHE_PARAMETER = "DARWIN_USER_CACHE_DIR"


def base_rules() -> str:
    """Return the rules of every policy: deny by default, allow processes, terminals and system information."""
    return "\n".join([
        "(version 1)",
        "(deny default)",
        rule("allow", "process-exec"),
        rule("allow", "process-fork"),
        rule("allow", "signal", ["(target same-sandbox)"]),
        rule("allow", "process-info*", ["(target same-sandbox)"]),
        rule("allow", "file-write-data", ['(require-all (path "/dev/null") (vnode-type CHARACTER-DEVICE))']),
        rule("allow", "sysctl-read", [*named("sysctl-name", _SYSCTLS), *named("sysctl-name-prefix", _SYSCTL_PREFIXES)]),
        rule("allow", "sysctl-write", named("sysctl-name", ["kern.grade_cputype"])),
        rule("allow", "iokit-open", named("iokit-registry-entry-class", ["RootDomainUserClient"])),
        rule(
            "allow",
            "mach-lookup",
            named("global-name", ["com.apple.PowerManagement.control", "com.apple.system.opendirectoryd.libinfo"]),
        ),
        rule("allow", "ipc-posix-sem"),
        rule(
            "allow",
            ["ipc-posix-shm-read-data", "ipc-posix-shm-write-create", "ipc-posix-shm-write-unlink"],
            ['(ipc-posix-name-regex #"^/__KMP_REGISTERED_LIB_[0-9]+$")'],
        ),
        rule("allow", "pseudo-tty"),
        rule("allow", ["file-read*", "file-write*", "file-ioctl"], ['(literal "/dev/ptmx")']),
        rule(
            "allow",
            ["file-read*", "file-write*"],
            [f'(require-all {pattern("^/dev/ttys[0-9]+")} (extension "com.apple.sandbox.pty"))'],
        ),
        rule("allow", "file-ioctl", [pattern("^/dev/ttys[0-9]+")]),
        rule(
            "allow",
            "mach-lookup",
            [*named("global-name", ["com.apple.cfprefsd.daemon", "com.apple.cfprefsd.agent"]),
             *named("local-name", ["com.apple.cfprefsd.agent"])],
        ),
        rule("allow", "ipc-posix-shm-read*", named("ipc-posix-name-prefix", ["apple.cfprefs."])),
        rule("allow", "user-preference-read"),
    ])  # fmt: skip


def network_service_rules() -> str:
    """Return the rules for what any network access needs: name resolution, certificates, routes."""
    return "\n".join([
        rule("allow", "system-socket", ["(require-all (socket-domain AF_SYSTEM) (socket-protocol 2))"]),
        rule("allow", "mach-lookup", named("global-name", _NETWORK_SERVICES)),
        rule("allow", "sysctl-read", ['(sysctl-name-regex #"^net.routetable")']),
        rule("allow", "file-write*", [f'(subpath (param "{CACHE_PARAMETER}"))']),
    ])  # fmt: skip


def platform_rules() -> str:
    """Return the rules for what platform programs read, used when the policy restricts reading."""
    trees = named("subpath", _PLATFORM_TREES)
    return "\n".join([
        rule("allow", ["file-read*", "file-test-existence"], [*trees, *named("literal", _PLATFORM_NAMES)]),
        rule("allow", "file-read*", [pattern("^/dev/(fd/[0-9]+|ttys[0-9]+|std(in|out|err))$")]),
        rule("allow", ["file-map-executable", "process-exec"], trees),
        rule("allow", "system-mac-syscall", ['(mac-policy-name "vnguard")']),
        rule("allow", "mach-lookup", named("global-name", _PLATFORM_SERVICES)),
    ])  # fmt: skip
