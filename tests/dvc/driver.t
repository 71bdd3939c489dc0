#!/usr/bin/python3 -B
"""The driver of the real DVC: every command as if it had been typed in a fresh shell."""
import json
import os
import signal
import subprocess
import time

import oracle
import tap
from tap import ok, put, same

python = tap.python()
top = tap.scratch()
home = os.path.join(top, "home")
os.mkdir(home)
env = oracle.environment(home)
dvc = oracle.Dvc(python)
same(dvc.ping()["dvc"], "3.67.1", "the DVC that is the oracle")


def run(cwd, *argv, **more):
    return dvc.run([dict(cwd=cwd, argv=list(argv), env=env, **more)])[0]


def git(cwd, *argv):
    subprocess.run(("git",) + argv, cwd=cwd, env=env, check=True, stdout=subprocess.DEVNULL)


def repository(name):
    path = os.path.join(top, name)
    os.mkdir(path)
    git(path, "init", "-q")
    same(run(path, "init", "-q")["rc"], 0, "dvc init")
    git(path, "commit", "-qm", "init")
    return path


one, two = repository("one"), repository("two")

# One after the other in two repositories, and what changes between two calls is seen.
for path in (one, two):
    put(path + "/a", path)
    same(run(path, "add", "a")["rc"], 0, "dvc add")
for n, path in enumerate((one, two)):
    same(run(path, "status", "--json")["out"], "{}\n", "clean")
    put(path + "/a", "x" * len(path))  # as long as before, perhaps in the same second
    same(json.loads(run(path, "status", "--json")["out"]), {"a.dvc": [{"changed outs": {"a": "modified"}}]}, "an edit is seen")
    git(path, "add", "-A")
    git(path, "commit", "-qm", "a")
    same(json.loads(run(path, "diff", "HEAD^", "--json")["out"])["added"], [{"path": "a"}], "a commit is seen")
    same(run(path, "config", "cache.type", "hardlink")["rc"], 0, "dvc config")
    same(run(path, "config", "cache.type")["out"], "hardlink\n", "a setting is seen")
    same(run(path, "commit", "-f")["rc"], 0, "dvc commit")
    same(os.stat(path + "/a").st_nlink, 2, "... and heeded")

# Like a process of its own, to the letter.
put(one + "/b", "b")
for argv in (["status"], ["status", "-q"], ["data", "status"], ["diff", "HEAD^"], ["add", "nope"], ["push"],
             ["checkout", "nope"], ["gc", "-w"], ["nope"], ["config", "nope.nope", "1"]):
    fresh = subprocess.run([python, "-m", "dvc"] + argv, cwd=one, env=dict(env, PWD=one), capture_output=True,
                           stdin=subprocess.DEVNULL, text=True)
    here = run(one, *argv)
    same((here["rc"], here["out"], here["err"]), (fresh.returncode, fresh.stdout, fresh.stderr), "dvc " + " ".join(argv))

# Exits, and output that is not UTF-8.
same(run(top, "status")["rc"], 253, "not in a repository")
same(run(one, "add")["rc"], 254, "misuse")
put(one.encode() + b"/caf\xe9", "x")
ok("\\xe9" in run(one, "add", "caf\udce9")["err"] or run(one, "add", "caf\udce9")["rc"], "a name that is not UTF-8 breaks DVC, not the driver")

# Side by side.
rcs = [a["rc"] for a in dvc.run([dict(cwd=path, argv=["status", "-q"], env=env) for path in (one, two, top)])]
same(rcs, [0, 0, 253], "three at once, answered in their order")

# Nothing of the user's is touched or heeded.
same(run(one, "config", "--global", "core.autostage", "true")["rc"], 0, "a global setting")
ok(os.path.isfile(home + "/dvc_global_config_dir/config"), "... lies below the test's home")
ok(os.path.isdir(home + "/dvc_site_cache_dir/repo"), "and so do DVC's databases")
same(dvc.run([dict(cwd=one, argv=["config", "core.autostage"], env=oracle.environment(top + "/h2"))])[0]["out"], "", "another home, other settings")

# Hanging, dying.
os.mkfifo(two + "/fifo")
start = time.monotonic()
same(run(two, "add", "fifo", timeout=2)["rc"], "timeout", "a command that hangs is killed")
ok(time.monotonic() - start < 20, "... in time")
same(run(two, "status", "--json")["out"], "{}\n", "and the next one works")
os.kill(dvc.ping()["pid"], signal.SIGKILL)
dvc.process.wait()
same(run(two, "status", "--json")["out"], "{}\n", "a driver that died is started again")
same(dvc.started, 2, "once")
os.kill(dvc.ping()["pid"], signal.SIGSTOP)
try:
    dvc._ask({"ping": True}, 1)
    ok(False, "a driver that hangs is told")
except oracle.Broken:
    ok(True, "a driver that hangs is told")
same(run(two, "status", "--json")["out"], "{}\n", "and replaced")
dvc.close()
tap.done()
