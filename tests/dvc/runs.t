#!/usr/bin/python3 -B
"""The run cache between the two tools: what `dvc repro` has run, pushed by one and fetched by the other."""
import os
import shutil
import subprocess

import oracle
import tap
import tools
from tap import ok, same

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
dag, dvc = tools.both(python, env)


def do(tool, where, *argv):
    return tap.works(tool, argv, os.path.join(top, where))


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
    subprocess.run(["git", *args], cwd=os.path.join(top, where), env=env, check=True, capture_output=True)


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
for name, text in FILES.items():
    tap.put(os.path.join(top, "r", name), text)
git("r", "init", "-q", "-b", "main")
do(dvc, "r", "init", "-q")
do(dvc, "r", "remote", "add", "-q", "-d", "r", os.path.join(top, "rem"))
do(dvc, "r", "add", "-q", "raw")
do(dvc, "r", "repro", "-q")
cache = runs("r/.dvc/cache")
ok(len(cache) == 3, "three stages were run")

same(do(dag, "r", "push", "--run-cache", "-q"), "", "dag pushes quietly")
same(runs("rem"), cache, "the remote has it as it is in the cache")
shutil.rmtree(os.path.join(top, "rem", "runs"))
do(dvc, "r", "push", "-q", "--run-cache")
same(runs("rem"), cache, "dvc pushes the same")
same(do(dag, "r", "push", "--run-cache", "--verify").splitlines()[-1], "Everything is up to date.", "and dag finds all of it right")

git("r", "add", "-A")
git("r", "commit", "-qm", "1")
git("", "clone", "-q", "r", "c")
do(dag, "c", "pull", "-q", "--run-cache")
same(runs("c/.dvc/cache"), cache, "a clone has it by dag")
# Another state of the work tree, then the old one: what was run needs not be run again.
os.remove(os.path.join(top, "c", "dvc.lock"))
os.remove(os.path.join(top, "c", "model"))
said = do(dvc, "c", "repro", "--pull")
ok("Stage 'train' is cached - skipping run" in said and "Stage 'prep' is cached - skipping run" in said, "dvc takes it instead of running") or tap.diag(said)
with open(os.path.join(top, "c", "dvc.lock"), "rb") as a, open(os.path.join(top, "r", "dvc.lock"), "rb") as b:
    same(a.read(), b.read(), "with the same dvc.lock")
tap.done()
