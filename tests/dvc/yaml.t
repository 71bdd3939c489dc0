#!/usr/bin/python3 -B
"""YAML and .dvc files written as DVC writes them: cases made here and now by DVC itself.

DAG_YAML_SEED and DAG_YAML_CASES choose others and more than the usual.
"""
import os
import subprocess

import oracle
import tap
from tap import diag, ok

python = tap.python()
top = tap.scratch()
home = os.path.join(top, "home")
os.mkdir(home)
env = oracle.environment(home)
seed = int(os.environ.get("DAG_YAML_SEED", "100000"))
count = int(os.environ.get("DAG_YAML_CASES", "400"))
replay = os.path.join(oracle.BUILD, "tests", "yaml_replay")
here = os.path.dirname(os.path.abspath(__file__))

for what, n, options in (("round trips and changes", count, ()), (".dvc files", count // 2, ("--files",))):
    path = os.path.join(top, "cases")
    with open(path, "wb") as f:
        made = subprocess.run((python, os.path.join(here, "yaml_cases.py"), str(seed), str(n)) + options,
                              stdout=f, env=env, cwd=top)
    ok(made.returncode == 0, f"{what}: {n} cases from seed {seed}")
    got = subprocess.run((replay, path), capture_output=True, text=True, errors="replace")
    last = got.stdout.strip().splitlines()[-1:]
    if not ok(got.returncode == 0, f"{what}: byte for byte what DVC writes: {last}"):
        diag(got.stdout[:4000] + got.stderr[:4000])
    refused = int(last[0].split(" the same, ")[1].split()[0]) if last else n
    ok(refused * 5 < n, f"{what}: {refused} refused, of texts that few would write")
tap.done()
