"""settings_values.py TOOL TOP SEED ROUNDS: values as they may stand in a file, read by ConfigObj and by us; see
settings.t.  Runs with the interpreter that has DVC."""
import os
import random
import subprocess
import sys

from configobj import ConfigObj, ConfigObjError

tool, top, seed, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rnd = random.Random(seed)
BITS = ["a", "b", " ", "  ", ",", ",", "#", '"', "'", '"x"', "'y'", '"a, b"', "=", "[", "]", "\\", "%", "\u00e9", '"""',
        "'''", " # c", "x y"]
d = os.path.join(top, "v", ".dvc")
os.makedirs(d, exist_ok=True)
readable = 0
for number in range(6 * rounds):
    text = "[cache]\n    local = " + "".join(rnd.choice(BITS) for _ in range(rnd.randrange(7))) + "\n"
    try:
        value = ConfigObj(text.split("\n"), interpolation=False)["cache"]["local"]
    except (ConfigObjError, KeyError):
        value = None
    with open(os.path.join(d, "config"), "w") as f:
        f.write(text)
    got = subprocess.run([tool, d, "get", "2", "cache", "local"], capture_output=True, text=True)
    ours = got.stdout[:-1] if got.returncode == 0 else None
    if isinstance(value, list):  # which none of these settings may be
        same = ours is None and "is no list" in got.stderr
    else:
        same = ours == value and "is no list" not in got.stderr
    readable += value is not None
    if not same:
        print(f"seed {seed}, {number}: {text!r}: ConfigObj {value!r}, we {ours!r} {got.stderr}")
        sys.exit(1)
print(f"{6 * rounds} values are read alike, {readable} of them readable")
sys.exit(0 if readable > rounds else 1)
