#!/usr/bin/python3 -B
"""dag and DVC take turns on one repository: tests/dvc/walk.py, two walks side by side.

DAG_WALK_SEEDS and DAG_WALK_STEPS ask for other and longer ones.
"""
import os
import subprocess

import oracle
import tap

python = tap.python()
seeds = os.environ.get("DAG_WALK_SEEDS", "1 2").split()
steps = os.environ.get("DAG_WALK_STEPS", "75")
at_once = 2
for first in range(0, len(seeds), at_once):
    walks = [(seed, subprocess.Popen([python, "-B", os.path.join(oracle.HERE, "walk.py"), "--tools", "dag,dvc", "--dag", oracle.PROGRAM,
                                      "--seed", seed, "--steps", steps], stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
             for seed in seeds[first:first + at_once]]
    for seed, walk in walks:
        out = walk.communicate()[0].decode(errors="backslashreplace")
        if tap.ok(walk.returncode == 0, f"seed {seed}, {steps} turns"):
            for line in out.splitlines():
                print("# " + line)
        else:
            tap.diag(out)
tap.done()
