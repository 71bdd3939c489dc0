"""What the two tools answer otherwise when they are asked for the state of a repository, and why.

A rule is given the table (deliberate.py), the command and what dag and DVC answer, each as (whether it could, the
JSON, stderr); where it applies it returns both without what is meant, else None.
"""
import ast
import json
import os
import re

import yaml

TRUSTED = "that a list is on the remote is no proof for its files: those that are nowhere are told; DVC takes it as proof"
IGNORED = re.compile(r"Path '.*' is ignored by \.dvcignore:\d+:|failed to collect 'workspace', skipping")


def without(value, below):
    """JSON without the entries whose path ${below} tells to be meant, and without what is empty by that."""
    def among(entry):
        if isinstance(entry, dict):
            return any(among(v) for v in entry.values())
        return isinstance(entry, str) and below(entry)

    if isinstance(value, dict):
        rest = {key: without(v, below) for key, v in value.items()}
        return {key: v for key, v in rest.items() if v not in ([], {})}
    return [v for v in value if not among(v)] if isinstance(value, list) else value


def trusted_lists(table, argv, ours, theirs):
    """Of a file that is nowhere DVC says that the remote has it, where that has the list which names it."""
    if argv[0] != "status" or "--cloud" not in argv or not ours[0] or not theirs[0]:
        return None
    stores = [os.path.join(table.repo, ".dvc/cache")] + [os.path.join(os.path.dirname(table.repo), name) for name in ("rem1", "rem2", "rem3", "near")]
    nowhere = set()
    for store in stores[1:]:
        for base, _, names in os.walk(os.path.join(store, "files/md5")):
            for name in names:
                if name.endswith(".dir"):
                    with open(os.path.join(base, name), encoding="utf-8") as f:
                        nowhere.update("/" + entry["relpath"] for entry in json.load(f)
                                       if not any(os.path.exists(os.path.join(there, "files/md5", entry["md5"][:2], entry["md5"][2:]))
                                                  for there in (stores[0], store)))
    said = {path: "missing" if state == "deleted" and ours[1].get(path) == "missing" and any(path.endswith(name) for name in nowhere)
            else state for path, state in theirs[1].items()}
    return (ours, (True, said, "")) if said != theirs[1] else None


def ignored_paths(table, argv, ours, theirs):
    """Where DVC answers nothing, as .dvcignore has a tracked path in it."""
    return (theirs, theirs) if ours[0] and not theirs[0] and IGNORED.search(theirs[2]) else None


def names_of_one(table, argv, ours, theirs):
    """DVC tells each object under one name only, whichever comes first."""
    if argv[0] == "status" and "--cloud" in argv and ours[0] and theirs[0] and theirs[1].items() <= ours[1].items():
        return theirs, theirs
    return None


def is_comparison(argv):
    return argv[:2] == ["data", "status"] or argv[0] == "diff"


def unpaired(value, below):
    """A comparison in which a rename from or to a path of which ${below} is true is the other file, added or deleted."""
    if not isinstance(value, dict):
        return value
    value = {key: unpaired(v, below) for key, v in value.items()}
    for entry in value.get("renamed", []):
        names = entry.get("path", entry)
        for end, other, part in (("old", "new", "added"), ("new", "old", "deleted")):
            if below(names[end]) and not below(names[other]):
                value["renamed"] = [e for e in value["renamed"] if e is not entry]
                value[part] = sorted(value.get(part, []) + [dict(entry, path=names[other]) if "path" in entry else names[other]],
                                     key=lambda e: json.dumps(e, sort_keys=True))
    return value


def apart(ours, theirs):
    """A comparison in which a rename is two files where the other comparison has those as added and deleted."""
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return ours
    value = {key: apart(v, theirs.get(key)) for key, v in ours.items()}
    for entry in value.get("renamed", []):
        old, new = (entry["old"], entry["new"]) if "old" in entry else (dict(entry, path=entry["path"][end]) for end in ("old", "new"))
        if old in theirs.get("deleted", []) and new in theirs.get("added", []):
            value["renamed"] = [e for e in value["renamed"] if e is not entry]
            for part, one in (("deleted", old), ("added", new)):
                value[part] = sorted(value.get(part, []) + [one], key=lambda e: json.dumps(e, sort_keys=True))
    return {key: v for key, v in value.items() if v not in ([], {})}


def tabs(table, argv, ours, theirs):
    if argv[0] == "ls" and ours[0] and theirs[0] and any(set("\t#") & set(entry["path"]) for entry in ours[1]):
        lists = [[dict(entry, path=re.sub(r"[\t\n\r]|/(?=#)", "", entry["path"])) for entry in said[1]] for said in (ours, theirs)]
        return tuple((True, sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True)), "") for entries in lists)
    outs = {out for out in table.outs if "\t" in out or "/#" in out}
    outs |= {re.sub("(^|/)[^/]*/#", r"#", out).replace("\t", "") for out in outs}
    if not outs or not is_comparison(argv) or not ours[0] or not theirs[0]:
        return None

    def below(path):
        return any(path == out or path.startswith(out + "/") for out in outs)

    ours, theirs = (without(unpaired(said[1], below), below) for said in (ours, theirs))
    return (True, apart(ours, theirs), ""), (True, theirs, "")


def dangling(table, argv, ours, theirs):
    """A link that leads nowhere: status of DVC fails, diff of DVC calls it modified."""
    def leads_nowhere(path):
        path = os.path.join(table.repo, path)
        return os.path.islink(path) and not os.path.exists(path)

    if argv[0] == "status" and ours[0] and not theirs[0]:
        gone = re.search(r"ERROR: unexpected error - \[Errno 2\] No such file or directory: (.*)", theirs[2])
        return (theirs, theirs) if gone and leads_nowhere(ast.literal_eval(gone[1])) else None
    if argv[0] == "diff" and ours[0] and theirs[0]:
        links = [entry for entry in theirs[1].get("modified", []) if isinstance(entry["path"], str) and leads_nowhere(entry["path"])]
        if links:
            said = dict(theirs[1], modified=[e for e in theirs[1]["modified"] if e not in links],
                        deleted=sorted(theirs[1]["deleted"] + links, key=lambda e: json.dumps(e, sort_keys=True)))
            return ours, (True, said, "")
    return None


def links_to_directories(table, argv, ours, theirs):
    """Of untracked files, as git tells them; DVC takes them for directories without files."""
    if argv[:2] != ["data", "status"] or not ours[0] or not theirs[0] or not ours[1].get("untracked"):
        return None

    def links_to_one(path):
        path = os.path.join(table.repo, path)
        return os.path.islink(path) and os.path.isdir(path)

    left = [path for path in ours[1]["untracked"] if not links_to_one(path) or path in theirs[1].get("untracked", [])]
    if left == ours[1]["untracked"]:
        return None
    said = {key: v for key, v in dict(ours[1], untracked=left).items() if v}
    return (True, said, ""), theirs


def known_by_files(table, argv, ours, theirs):
    """The list of a directory is not in the cache, but the files are there, and are what it lists."""
    if not is_comparison(argv) or not ours[0] or not theirs[0]:
        return None
    if argv[0] == "diff":
        missing = [entry["path"] for entry in theirs[1].get("not in cache", [])]
        lists = [path for path in missing if path.endswith("/") and not any(e != path and e.startswith(path) for e in missing)]
        left = [entry for entry in ours[1].get("not in cache", [])
                if not any(entry["path"] != out and entry["path"].startswith(out) for out in lists)]
        return ((True, dict(ours[1], **{"not in cache": left}), ""), theirs) if lists else None
    unknown = [e for e in theirs[1].get("uncommitted", {}).get("unknown", []) if isinstance(e, str)]
    lists = [path for path in theirs[1].get("not_in_cache", []) if path.endswith("/") and any(e.startswith(path) for e in unknown)]
    if not lists:
        return None

    def below(path):
        return any(path != out and path.startswith(out) for out in lists)

    return tuple((True, without(said[1], below), "") for said in (ours, theirs))


def directories_inside(table, argv, ours, theirs):
    """Of a directory whose list is not there DVC tells the directories in it too, where dag tells the files."""
    if argv[:2] != ["data", "status"] or not ours[0] or not theirs[0]:
        return None
    said = dict(theirs[1])
    for part in ("committed", "uncommitted"):
        unknown = said.get(part, {}).get("unknown", [])
        files = [path for path in unknown if not path.endswith("/")]
        if any(path.endswith("/") and any(f.startswith(path) for f in files) for path in unknown):
            said[part] = dict(said[part], unknown=[path for path in unknown if path in files or not any(f.startswith(path) for f in files)])
    return (ours, (True, said, "")) if said != theirs[1] else None


def recorded(repo):
    """The outputs that the dvc.lock files have, or None where there is no dvc.yaml."""
    found = None
    for base, dirs, files in os.walk(repo):
        dirs[:] = [d for d in dirs if d not in (".git", ".dvc", ".dag")]
        if "dvc.yaml" in files:
            found = found or set()
        if "dvc.lock" in files:
            with open(os.path.join(base, "dvc.lock"), encoding="utf-8") as f:
                stages = (yaml.load(f, yaml.BaseLoader) or {}).get("stages") or {}
            found = (found or set()) | {os.path.normpath(os.path.join(os.path.relpath(base, repo), out["path"]))
                                        for stage in stages.values() for out in stage.get("outs") or []}
    return found


def never_run(table, argv, ours, theirs):
    """What a stage is to make, and has never made, is gone for DVC's diff."""
    if argv[0] != "diff" or not ours[0] or not theirs[0] or not theirs[1].get("deleted"):
        return None
    known = recorded(table.repo)
    if known is None:
        return None
    left = [entry for entry in theirs[1]["deleted"] if entry["path"] in known | table.outs or os.path.lexists(os.path.join(table.repo, entry["path"]))]
    said = dict(theirs[1], deleted=left)
    return (ours, (True, said if any(said.values()) else {}, "")) if left != theirs[1]["deleted"] else None


def own_state(table, argv, ours, theirs):
    """DVC lists what git ignores, and by that what dag keeps for itself."""
    if argv[0] != "ls" or not ours[0] or not theirs[0]:
        return None
    left = [entry for entry in theirs[1] if not (entry["path"] + "/").startswith(".dag/")]
    return (ours, (True, left, "")) if left != theirs[1] else None


RULES = [
    ("ignored paths", "a tracked path that .dvcignore has in it is told; DVC answers nothing at all", ignored_paths),
    ("trusted lists", TRUSTED, trusted_lists),
    ("names of one object", "status --cloud tells all files that an object is the content of, not one of them", names_of_one),
    ("tabs", "a name is a name; DVC reads it as a URL's where it reads other revisions, and in ls: tabs go, and slashes or directories before #", tabs),
    ("dangling links", "a link that leads nowhere is a file that is gone; DVC's status fails, its diff says modified", dangling),
    ("links to directories", "a link that git does not know is untracked; DVC takes one to a directory for a directory", links_to_directories),
    ("directories inside", "a tracked directory is a list of files; where DVC does not know that list it tells the directories in it too",
     directories_inside),
    ("known by its files", "a directory whose list is not in the cache is known where its files are those that the pointer means; DVC "
     "says that it knows nothing", known_by_files),
    ("never run", "what has never been there is not deleted", never_run),
    ("dag's own state", "DVC's ls shows the directory of the other tool", own_state),
]


def drawn(text):
    """What `plots --json --split` draws: ids in their order, revisions, labels, points."""
    kept = {}
    for name, parts in json.loads(text).get("data", {}).items():
        kept[name] = [(p["type"], p["revisions"],
                       {k: p["anchor_definitions"][f"<DVC_METRIC_{k}>"] for k in ("TITLE", "X_LABEL", "Y_LABEL", "DATA")})
                      for p in parts]
    return kept
