#!/usr/bin/python3 -B
"""What both tools say of stages that have run: dependencies, params, commands, edited at random.

DAG_STAGES_SEED and DAG_STAGES_STEPS choose others and more than the usual.
"""
import json
import os
import random
import subprocess

import oracle
import tap
import tools

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
rnd = random.Random(int(os.environ.get("DAG_STAGES_SEED", "1")))
steps = int(os.environ.get("DAG_STAGES_STEPS", "60"))
repo = os.path.join(top, "repo")

FILES = {
    "params.yaml": "lr: 1e-5\nn: 1_000\nlist: [1, {a: 2}]\nnested: {deep: {er: x}}\nflag: true\nnames: [u, v]\ndir: w\n",
    "p.json": '{"a": 1, "b": {"c": [1.5, null]}, "d": "s"}\n',
    "p.toml": "x = 1\n[t]\ny = 'z'\nlist = [1, 2]\n",
    "in.txt": "1\n",
    "data/a": "a\n",
    "data/b": "b\n",
    "w/in": "w\n",
    "dvc.yaml": """\
stages:
  one:
    cmd: cp in.txt out.txt
    deps: [in.txt, data]
    params: [lr, nested.deep.er, list, flag, p.json: [a, b.c]]
    outs: [out.txt]
  whole:
    cmd: [echo a > whole.txt, 'echo b >> whole.txt']
    deps: [out.txt]
    params: [{p.toml: null}, {params.yaml: null}]
    outs: [whole.txt]
  many:
    foreach: ${names}
    do:
      wdir: ${dir}
      cmd: cp in ${item}.txt
      deps: [in]
      params: [../params.yaml: [n, list.1.a]]
      outs: ["${item}.txt"]
  quiet:
    cmd: echo
  ice:
    cmd: cp in.txt ice.txt
    deps: [in.txt]
    frozen: true
    outs: [ice.txt]
""",
}

VALUES = ["1", "1.0", "true", "1e-05", "0.00001", "x", "[1, {a: 2}]", "[1, {a: 3}]", "{a: 2}", "null", "1000", "'1000'"]


def path(name):
    return os.path.join(repo, name)


def read(name):
    with open(path(name), encoding="utf-8") as f:
        return f.read()


def write(name, text):
    tap.put_anew(path(name), text)


def replace_line(name, key, value):
    lines = read(name).splitlines()
    write(name, "\n".join(f"{key}: {value}" if line.startswith(key + ":") else line for line in lines) + "\n")


EDITS = [
    lambda: write("in.txt", f"{rnd.randint(1, 3)}\n"),
    lambda: write("data/a", f"{rnd.randint(1, 3)}\n"),
    lambda: write(f"data/{rnd.choice('cd')}", "new\n"),
    lambda: os.path.exists(path("data/b")) and os.unlink(path("data/b")),
    lambda: write("data/b", "b\n"),
    lambda: write("w/in", f"{rnd.randint(1, 3)}\n"),
    lambda: write("out.txt", f"{rnd.randint(1, 3)}\n"),
    lambda: os.path.exists(path("w/u.txt")) and os.unlink(path("w/u.txt")),
    lambda: replace_line("params.yaml", rnd.choice(["lr", "n", "list", "flag"]), rnd.choice(VALUES)),
    lambda: replace_line("params.yaml", "nested", rnd.choice(["{deep: {er: x}}", "{deep: 1}", "{}", "{deep: {er: y}}"])),
    lambda: write("params.yaml", FILES["params.yaml"] + rnd.choice(["", "more: 1\n"])),
    lambda: write("p.json", rnd.choice(['{"a": 1.0, "b": {"c": [1.5, null]}}\n', '{"a": 2}\n', FILES["p.json"]])),
    lambda: write("p.toml", rnd.choice(["x = 2\n", "x = 1.0\n[t]\nlist = [1, 2]\ny = \"z\"\n", FILES["p.toml"]])),
    lambda: write("dvc.yaml", read("dvc.yaml").replace("cp in.txt out.txt", "cp  in.txt out.txt")),
    lambda: write("dvc.yaml", read("dvc.yaml").replace("deps: [in.txt, data]", "deps: [in.txt, data/a, no]")),
    lambda: write("dvc.yaml", read("dvc.yaml").replace("[echo a > whole.txt, ", "[echo b > whole.txt, ")),
    lambda: write("dvc.yaml", read("dvc.yaml").replace("cmd: echo\n", "cmd: echo\n    always_changed: true\n", 1)),
    lambda: write("dvc.yaml", read("dvc.yaml").replace("params: [lr, ", "params: [lr, extra, ")),
    lambda: replace_line("params.yaml", "names", rnd.choice(["[u, v]", "[v, t]", "{u: 1, v: 2}"])),
    lambda: write("dvc.yaml", FILES["dvc.yaml"]),
    lambda: os.path.exists(path("p.json")) and os.unlink(path("p.json")),
]


WORDS = [[], ["many"], ["quiet"], ["whole", "many@u"], ["dvc.yaml"], ["dvc.yaml:one"]]


def status(tool, words=()):
    rc, out, err = tool.run(["status", "--json", *words], repo)
    try:
        return json.loads(out)
    except ValueError:
        return f"fails: {err}" if tool.name == "dag" else "fails"


for name, text in FILES.items():
    write(name, text)
subprocess.run(["git", "init", "-q", repo], check=True, env=env)
dag, dvc = tools.both(python, env)
dvc.run(["init", "-q"], repo)
before = status(dag)
tap.same(before, status(dvc), "before anything has run")
# What is frozen has to be there: DVC runs it no more.
write("ice.txt", "1\n")
rc, out, err = dvc.run(["repro"], repo)
tap.ok(rc == 0, "all has run") or tap.diag(err)
tap.same(status(dag), status(dvc), "after that")
differ = 0
for step in range(steps):
    rnd.choice(EDITS)()
    words = WORDS[step % len(WORDS)]
    ours, theirs = status(dag, words), status(dvc, words)
    if theirs == "fails":
        good = isinstance(ours, str)
    else:
        good = ours == theirs
        differ += len(theirs) > 1
    if not good:
        tap.same(ours, theirs, f"step {step} {words}")
        tap.diag(read("dvc.yaml") + read("params.yaml"))
        break
    if step % 20 == 19:
        write("dvc.yaml", FILES["dvc.yaml"])
        write("params.yaml", FILES["params.yaml"])
        dvc.run(["repro"], repo)
tap.ok(step == steps - 1, f"{steps} edits, after each of which both say the same")
tap.ok(differ > steps // 4, f"{differ} of them made a difference")
dvc.driver.close()
tap.done()
