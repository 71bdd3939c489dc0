"""The two tools under one face: run(argv, cwd) -> (exit status, stdout, stderr)."""
import subprocess

import oracle


class DvcTool:
    name = "dvc"

    def __init__(self, driver, env):
        self.driver, self.env = driver, env

    def run(self, argv, cwd, timeout=120):
        answer = self.driver.run([dict(cwd=cwd, argv=list(argv), env=self.env, timeout=timeout)])[0]
        return answer["rc"], answer["out"], answer["err"]


class DagTool:
    name = "dag"

    def __init__(self, program, env):
        self.program, self.env = program, env

    def run(self, argv, cwd, timeout=120):
        argv = list(argv)
        if argv[:2] == ["data", "status"]:
            argv[:2] = ["status", "--data"]
        if argv[0] == "gc":  # what is young would stay, for an hour
            argv[1:1] = ["--grace", "0s"]
        try:
            done = subprocess.run([self.program] + argv, cwd=cwd, env=dict(self.env, PWD=cwd), timeout=timeout,
                                  stdin=subprocess.DEVNULL, capture_output=True)
        except subprocess.TimeoutExpired as late:
            return "timeout", str(late.stdout), str(late.stderr)
        return (done.returncode, done.stdout.decode("utf-8", "surrogateescape"),
                done.stderr.decode("utf-8", "surrogateescape"))


class WrongTool(DvcTool):
    """DVC with a defect behind it: what a walk must find."""

    name = "wrong"

    def __init__(self, driver, env, defect):
        super().__init__(driver, env)
        self.defect = defect

    def run(self, argv, cwd, timeout=120):
        answer = super().run(argv, cwd, timeout)
        return self.defect(argv, cwd, answer) or answer


def both(python, env):
    """dag, and DVC with a driver of its own."""
    return DagTool(oracle.PROGRAM, env), DvcTool(oracle.Dvc(python), env)


def make(name, driver, program, env, defect=None):
    """A tool by name; the driver of DVC is shared."""
    if name == "dag":
        return DagTool(program, env)
    if name == "wrong":
        return WrongTool(driver, env, defect)
    return DvcTool(driver, env)
