#!/usr/bin/python3 -B
"""Settings changed by both tools: random verbs on two repositories, the files the same byte for byte.

DAG_SETTINGS_SEED and DAG_SETTINGS_ROUNDS choose others and more than the usual.
"""
import os
import subprocess

import oracle
import tap

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
here = os.path.dirname(os.path.abspath(__file__))
tool = os.path.join(oracle.BUILD, "tests", "settings")
seed = os.environ.get("DAG_SETTINGS_SEED", "1")
rounds = os.environ.get("DAG_SETTINGS_ROUNDS", "30")
for script, what in (("settings_verbs.py", "verbs"), ("settings_values.py", "values")):
    done = subprocess.run((python, "-B", os.path.join(here, script), tool, top, seed, rounds), env=env,
                          capture_output=True, text=True)
    if not tap.ok(done.returncode == 0, f"{what}: {done.stdout.strip().splitlines()[-1:]}"):
        tap.diag(done.stdout[:6000] + done.stderr[-3000:])
tap.done()
