#!/usr/bin/python3 -B
"""dag and DVC in turns on one repository that is never copied, and at once: whatever one of them has
done, the other finds nothing to do, and git sees nothing.
"""
import json
import os
import shutil
import subprocess

import oracle
import tap
import tools
from place import Place
from tap import ok, same

python = tap.python()
place = Place(tap.scratch())
repo = place.repo
both = {tool.name: tool for tool in tools.both(python, place.env)}
CLEAN = [["status", "--json"], ["data", "status", "--json"]]


def put(path, text, mode=None):
    tap.put(place.path(path), text, mode)


def do(tool, *argv):
    rc, out, err = both[tool].run(list(argv), repo)
    return ok(rc == 0, f"{tool} {' '.join(argv)}") or tap.diag(f"exit {rc}\n{out}{err}")


def answers(argv):
    said = []
    for name, tool in both.items():
        rc, out, err = tool.run(argv, repo)
        said.append(json.loads(out) if rc == 0 else (rc, err))
    return said


def clean(what):
    """Both find nothing to do, and git nothing to commit."""
    found = {" ".join(argv): answers(argv) for argv in CLEAN}
    found["git"] = place.git("status", "--porcelain")[1].decode()
    same({key: value for key, value in found.items() if value not in ([{}, {}], "")}, {}, f"nothing to do {what}")


def save():
    place.git("add", "-A")
    place.git("commit", "-q", "--allow-empty", "-m", "save")


def sums(path="."):
    found = {}
    for base, dirs, names in os.walk(place.path(path)):
        dirs[:] = [d for d in dirs if d not in (b".git", b".dvc", b".dag")]
        for name in names:
            with open(os.path.join(base, name), "rb") as f:
                found[os.path.relpath(os.path.join(base, name), place.path("."))] = f.read()
    return found


place.git("init", "-q")
do("dvc", "init", "-q")
do("dvc", "remote", "add", "-q", "-d", "rem", place.now + "/rem")
for n in range(30):
    put(f"d/{'sub/' * (n % 3)}ü {n}", f"{n % 20}\n" * n)
put("f", "one\n")
put("run.sh", "#!/bin/sh\n", 0o755)
put("sp ace/[b]", "b\n")
do("dag", "add", "d", "run.sh")
do("dvc", "add", "f", "sp ace/[b]")
save()
clean("after each has added its own")
whole = sums()
for one, other in (("dag", "dvc"), ("dvc", "dag")):
    # What is recorded is recorded the same way again.
    do(other, "add", "d", "f", "run.sh")
    clean(f"after {other} added it again")
    do(other, "commit", "-f")
    clean(f"after {other} committed it again")
    do(other, "checkout", "--relink")
    clean(f"after {other} made it anew")

    # What one changes is right for the other.
    put("d/more", f"more of {one}\n")
    put("f", f"of {one}\n")
    said = answers(["data", "status", "--granular", "--json"])
    same(said[0], {"uncommitted": {"modified": ["d/", "f"], "added": ["d/more"]}}, "a change")
    said[1].get("uncommitted", {}).get("modified", []).sort()
    same(said[1], said[0], "... is the same for both")
    do(one, "add", "d", "f")
    save()
    clean(f"after {one} added a change")
    os.unlink(place.path("d/more"))
    do(one, "commit", "-f", "d.dvc")
    save()
    clean(f"after {one} committed one")

    # There and back again.
    do(one, "push")
    same([{}, {}], answers(["status", "--cloud", "--json"]), f"what {one} pushed is there")
    do(other, "push")
    shutil.rmtree(place.path(".dvc/cache"))
    shutil.rmtree(place.path("d"))
    do(other, "pull")
    clean(f"after {other} pulled what {one} pushed")
    place.git("switch", "-q", "-c", "of-" + one)
    put("d/sub/ü 1", f"branch of {one}\n")
    do(one, "add", "d")
    save()
    there = sums()
    place.git("switch", "-q", "main")
    do(other, "checkout")
    clean(f"after {other} checked out what {one} had left")
    ok(sums() != there, "... which is something else")
    place.git("switch", "-q", "of-" + one)
    do(one, "checkout")
    clean("and back")
    same(sums(), there, "... it is what it was")
    place.git("switch", "-q", "main")
    do(one, "checkout")

    # Names.
    do(one, "move", "f", "g")
    save()
    clean(f"after {one} moved a file")
    do(other, "move", "g", "f")
    save()
    clean(f"after {other} moved it back")
    do(one, "remove", "run.sh.dvc")
    do(other, "add", "run.sh")
    save()
    clean(f"after {one} gave a file up, which {other} added again")
    do(one, "gc", "-w", "-f")
    clean(f"after a gc of {one}")
whole["f".encode()] = b"of dvc\n"
same({k: v for k, v in sums("d").items()}, {k: v for k, v in whole.items() if k.startswith(b"d/")}, "the data is what it was")

# At once: each waits for the others.
for n in range(3):
    for k in range(40):
        put(f"at once {n}/{k}", f"{n} {k}\n")
dag = [subprocess.Popen([oracle.PROGRAM, "add", "-q", f"at once {n}"], cwd=repo, env=dict(place.env, PWD=repo),
                        stderr=subprocess.PIPE, text=True) for n in (0, 1)]
rc, _, err = both["dvc"].run(["add", "-q", "at once 2"], repo)
same(rc, 0, "dvc beside two dag") or tap.diag(err)
for n, process in enumerate(dag):
    err = process.communicate()[1]
    same(process.returncode, 0, f"dag {n}") or tap.diag(err)
with open(place.path(".gitignore")) as f:
    lines = f.read().splitlines()
same([line for line in lines if "at once" in line], sorted(set(line for line in lines if "at once" in line), key=lines.index), "no line of .gitignore is there twice")
same(sorted(line for line in lines if "at once" in line), [f"/at once {n}" for n in range(3)], "and none is lost")
save()
clean("after all three")

# dag waits for a DVC that works, and says so.
hold = subprocess.Popen([python, "-B", "-c", "import sys\nfrom dvc.lock import make_lock\nwith make_lock(sys.argv[1]):\n"
                         "    print('taken', flush=True)\n    sys.stdin.read()\n", place.path(".dvc/tmp/lock")],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=place.env)
hold.stdout.readline()
put("f", "later\n")
waits = subprocess.Popen([oracle.PROGRAM, "add", "f"], cwd=repo, env=dict(place.env, PWD=repo), stderr=subprocess.PIPE, text=True)
ok(f"process {hold.pid}" in waits.stderr.readline(), "dag says for whom it waits")
same(place.git("status", "--porcelain")[1], b"", "and does nothing meanwhile")
hold.communicate("")
waits.communicate()
same(waits.returncode, 0, "then goes on")
save()
clean("after that")
both["dvc"].driver.close()
tap.done()
