#!/usr/bin/python3 -B
"""What dvc.yaml files stand for: stages made of templates, foreach and matrix, judged by DVC.

DAG_PIPELINE_SEED and DAG_PIPELINE_CASES choose others and more than the usual.
"""
import os
import subprocess

import oracle
import tap

python = tap.python()
top = tap.scratch()
home = os.path.join(top, "home")
os.mkdir(home)
seed = os.environ.get("DAG_PIPELINE_SEED", "1")
count = os.environ.get("DAG_PIPELINE_CASES", "150")
program = os.path.join(oracle.BUILD, "tests", "pipeline_dump")
made = subprocess.run([python, "-B", os.path.join(oracle.HERE, "pipeline_cases.py"), program, seed, count],
                      env=oracle.environment(home), cwd=top, capture_output=True, text=True, errors="replace")
last = made.stdout.strip().splitlines()[-1:]
if not tap.ok(made.returncode == 0, f"{count} files from seed {seed}: {last}"):
    tap.diag(made.stdout[:6000] + made.stderr[:2000])
same = int(last[0].split()[0]) if last and made.returncode == 0 else 0
tap.ok(same > int(count) // 2, f"{same} of them were more than refused")
tap.done()
