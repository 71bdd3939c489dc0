#!/usr/bin/python3
"""dag and DVC take turns on one repository: tests/dvc/walk.py, two walks side by side.

DAG_WALK_SEEDS and DAG_WALK_STEPS ask for other and longer ones.
"""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap

python = tap.python()
if os.path.abspath(sys.executable) != os.path.abspath(python):
    os.execv(python, [python, "-B", os.path.abspath(__file__)] + sys.argv[1:])
import oracle
import tools

build = os.environ.get("DAG_BUILD", os.path.join(oracle.HERE, "../../build/dev"))
program = os.path.join(build, "bin/dag")
lacks = [verb for verb in ("add", "commit", "checkout", "status")
         if not os.access(program, os.X_OK) or not tools.DagTool(program, oracle.environment(tap.scratch())).has([verb])]
if lacks:
    print(f"1..0 # SKIP this dag has no `{lacks[0]}`")
    sys.exit(0)
seeds = os.environ.get("DAG_WALK_SEEDS", "1 2").split()
steps = os.environ.get("DAG_WALK_STEPS", "75")
at_once = 2
for first in range(0, len(seeds), at_once):
    walks = [(seed, subprocess.Popen([python, "-B", os.path.join(oracle.HERE, "walk.py"), "--tools", "dag,dvc", "--dag", program,
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
