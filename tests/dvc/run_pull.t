#!/usr/bin/python3 -B
"""dag run --pull and --allow-missing beside dvc repro, in clones that have nothing yet: the same comes from the remote, the
same runs, and then every file is the same in both."""
import os
import re
import subprocess

import oracle
import tap
import tools

python = tap.python()
top = tap.scratch(memory=True)
home = os.path.join(top, "home")
os.mkdir(home)
env = oracle.environment(home)
dag, dvc = tools.both(python, env)
origin = os.path.join(top, "origin")
PIPELINE = """\
stages:
  a: {cmd: cat raw/x one > a.txt, deps: [raw, one], outs: [a.txt]}
  b: {cmd: mkdir b; cat a.txt src > b/y; cp src b/z, deps: [a.txt, src], outs: [b]}
  c: {cmd: cat b/y >> c.txt, deps: [b], params: [p], outs: [c.txt]}
  m: {cmd: cat c.txt > m.json, deps: [c.txt], metrics: [{m.json: {cache: false}}]}
  side: {cmd: cat src > side.txt, deps: [src], outs: [side.txt]}
"""


def git(root, *argv):
    subprocess.run(["git", "-C", root, "-c", "user.name=t", "-c", "user.email=t@t", *argv], check=True, env=env)


def put(root, name, text):
    tap.put(os.path.join(root, name), text)


def snapshot(root):
    found = {}
    for where, dirs, names in os.walk(root):
        rel = os.path.relpath(where, root)
        if rel == ".":
            dirs[:] = [d for d in dirs if d not in (".git", ".dag")]
        if rel == ".dvc":
            dirs[:] = [d for d in dirs if d != "tmp"]
        for name in names:
            with open(os.path.join(where, name), "rb") as f:
                found[os.path.normpath(os.path.join(rel, name))] = f.read()
    return found


os.mkdir(origin)
git(origin, "init", "-q")
tap.works(dvc, ["init", "-q"], origin)
for name, text in {"raw/x": "x\n", "one": "1\n", "src": "s\n", "params.yaml": "p: 1\n", "dvc.yaml": PIPELINE}.items():
    put(origin, name, text)
tap.works(dvc, ["add", "-q", "raw", "one"], origin)
tap.works(dvc, ["repro", "-q"], origin)
tap.works(dvc, ["remote", "add", "-q", "-d", "far", os.path.join(top, "far")], origin)
git(origin, "add", ".")
git(origin, "commit", "-qm", "x")
tap.works(dvc, ["push", "-q", "--run-cache"], origin)
put(origin, "params.yaml", "p: 2\n")
put(origin, "src", "t\n")
tap.works(dvc, ["repro", "-q"], origin)
tap.works(dvc, ["push", "-q", "--run-cache"], origin)
git(origin, "checkout", "-q", ".")
put(origin, "raw/x", "new\n")
tap.works(dvc, ["add", "-q", "raw"], origin)
tap.works(dvc, ["push", "-q"], origin)
git(origin, "add", "raw.dvc")
git(origin, "commit", "-qm", "y")

OLD = ["git", "checkout", "-q", "HEAD~1"]
EARLIER = {"params.yaml": "p: 2\n", "src": "t\n"}
# Edits, or a command, and then words.
CASES = [
    (OLD, ["--pull"]),
    (OLD, ["--allow-missing"]),
    (OLD, ["--pull", "--allow-missing"]),
    (OLD, {"params.yaml": "p: 3\n"}, ["--pull", "--allow-missing"]),
    (OLD, {"src": "u\n"}, ["--pull", "--allow-missing"]),
    (OLD, EARLIER, ["--pull"]),
    (OLD, EARLIER, ["--pull", "--no-run-cache"]),
    (OLD, EARLIER, ["--pull", "side"]),
    (OLD, {"params.yaml": "p: 3\n"}, ["--pull", "-s", "c"]),
    (OLD, ["--pull", "-s", "c"]),
    # The pointer is newer than the lock.
    (["--pull"],),
    (["--pull", "--allow-missing"],),
    (["--allow-missing", "side"],),
    (["rm", "-r", os.path.join(top, "far", "files")], OLD, ["--pull", "side"]),
]
number = 0
for case in CASES:
    sides = {}
    number += 1
    for tool in (dvc, dag):
        root = sides[tool.name] = os.path.join(top, tool.name, str(number))
        git(top, "clone", "-q", origin, root)
        for edit in case[:-1]:
            if isinstance(edit, dict):
                for name, text in edit.items():
                    put(root, name, text)
            elif edit[0] != "rm" or os.path.exists(edit[-1]):
                subprocess.run(edit, cwd=root, check=True, env=env)
    call = case[-1]
    rc, out, err = dvc.run(["repro"] + call, sides["dvc"])
    mine = dag.run(["run", "-j1"] + (call if not call[-1].startswith("-") else ["dvc.yaml"] + call), sides["dag"])
    theirs, ours = snapshot(sides["dvc"]), snapshot(sides["dag"])
    name = f"{number}: {' '.join(call)}"
    # Where DVC only pulls it notes no run, and dag does.
    ours = {n: text for n, text in ours.items() if n in theirs or not n.startswith(".dvc/cache/runs/")}
    wrong = [n for n in sorted(set(theirs) | set(ours)) if theirs.get(n) != ours.get(n)]
    ran = re.findall(r"^Running stage '(.*)':$", out, re.M)
    if not tap.ok((rc != 0) == (mine[0] != 0) and not wrong, f"{name}: exit {rc}, ran {ran}, {len(theirs)} files"):
        tap.diag("\n".join(f"{n}: dvc {theirs.get(n)!r:.300}\n    dag {ours.get(n)!r:.300}" for n in wrong))
        tap.diag(f"dvc {rc}\n{out}{err}\ndag {mine[0]}\n{mine[1]}{mine[2]}")
# Without a remote what can be run is run; DVC fails.
root = os.path.join(top, "none")
git(top, "clone", "-q", origin, root)
put(root, ".dvc/config", "")
rc, out, err = dag.run(["run", "--pull", "side"], root)
tap.ok(rc == 0 and "earlier runs are not fetched: no remote is set" in err and os.path.exists(os.path.join(root, "side.txt")),
       "no remote is told, and what can be run is run") or tap.diag(out + err)
rc, out, err = dag.run(["run", "--pull", "a"], root)
tap.ok(rc == 1 and "is tracked (raw.dvc), but not here" in out and not os.path.exists(os.path.join(root, "a.txt")), "... what cannot fails") or tap.diag(out + err)
# A dry run fetches nothing, and takes what would come for what it is.
root = os.path.join(top, "dry")
git(top, "clone", "-q", origin, root)
subprocess.run(OLD, cwd=root, check=True, env=env)
before = snapshot(root)
out = tap.works(dag, ["run", "--pull", "--dry-run"], root, "a dry run of --pull")
tap.ok("would run" not in out and snapshot(root) == before, "... nothing would run, and nothing has come") or tap.diag(out)
dvc.driver.close()
tap.done()
