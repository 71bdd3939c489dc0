#!/usr/bin/python3 -B
"""The run cache between the two tools: what `dvc repro` has run, pushed by one and fetched by the other."""
import os
import shutil
import subprocess

import oracle
import tap
from tap import ok, same

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
dag = oracle.PROGRAM


def dvc(where, *args):
    done = subprocess.run([python, "-B", "-m", "dvc", *args], cwd=os.path.join(top, where), env=env, capture_output=True, text=True)
    if not ok(done.returncode == 0, "dvc " + " ".join(args)):
        tap.diag(done.stdout + done.stderr)
    return done.stdout


def run(where, *args):
    done = subprocess.run([dag, *args], cwd=os.path.join(top, where), env=env, capture_output=True, text=True)
    if not ok(done.returncode == 0, "dag " + " ".join(args)):
        tap.diag(done.stdout + done.stderr)
    return done.stdout


def runs(where):
    """What the run cache of a store holds: path -> bytes."""
    found = {}
    for base, _, names in os.walk(os.path.join(top, where, "runs")):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, os.path.join(top, where))] = f.read()
    return found


def git(where, *args):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *args], cwd=os.path.join(top, where), env=env, check=True, capture_output=True)


# Values whose spelling the hashes depend on.
FILES = {
    "raw": "raw\n",
    "params.yaml": 'lr: 0.001\neps: 1e-8\nhuge: 1.5e300\nwhole: 3.0\nbig: 12345678901234567890\nname: "\\xfcmlaut \\U0001F600 \\"q\\" \\\\"\n'
                   'list: [1, 2.5, null, true, "x", "1", "yes"]\nempty: {}\nnested: {size: 3, nfiles: 4, z: [{b: 1, a: -0.5}]}\n',
    "dvc.yaml": """stages:
  prep:
    cmd: mkdir -p mid && cp raw mid/a && cp raw 'mid/b c'
    deps: [raw]
    outs: [mid]
  train:
    cmd:
      - cat mid/a > model
      - echo >> model
    deps: [mid]
    params: [lr, eps, huge, whole, big, name, list, empty, nested]
    outs: [model]
  score:
    cmd: echo '{"a":1}' > m.json
    deps: [model]
    metrics: [{m.json: {cache: false}}]
""",
}
os.mkdir(os.path.join(top, "r"))
for name, text in FILES.items():
    with open(os.path.join(top, "r", name), "w", encoding="utf-8") as f:
        f.write(text)
git("r", "init", "-q", "-b", "main")
dvc("r", "init", "-q")
dvc("r", "remote", "add", "-q", "-d", "r", os.path.join(top, "rem"))
dvc("r", "add", "-q", "raw")
dvc("r", "repro", "-q")
cache = runs("r/.dvc/cache")
ok(len(cache) == 3, "three stages were run")

same(run("r", "push", "--run-cache", "-q"), "", "dag pushes quietly")
same(runs("rem"), cache, "the remote has it as it is in the cache")
shutil.rmtree(os.path.join(top, "rem", "runs"))
dvc("r", "push", "-q", "--run-cache")
same(runs("rem"), cache, "dvc pushes the same")
same(run("r", "push", "--run-cache", "--verify").splitlines()[-1], "Everything is up to date.", "and dag finds all of it right")

git("r", "add", "-A")
git("r", "commit", "-qm", "1")
git("", "clone", "-q", "r", "c")
run("c", "pull", "-q", "--run-cache")
same(runs("c/.dvc/cache"), cache, "a clone has it by dag")
# Another state of the work tree, then the old one: what was run needs not be run again.
os.remove(os.path.join(top, "c", "dvc.lock"))
os.remove(os.path.join(top, "c", "model"))
said = dvc("c", "repro", "--pull")
ok("Stage 'train' is cached - skipping run" in said and "Stage 'prep' is cached - skipping run" in said, "dvc takes it instead of running") or tap.diag(said)
with open(os.path.join(top, "c", "dvc.lock"), "rb") as a, open(os.path.join(top, "r", "dvc.lock"), "rb") as b:
    same(a.read(), b.read(), "with the same dvc.lock")
tap.done()
