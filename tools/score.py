#!/usr/bin/env python3
"""Scores how well the bot recognises copies, on data sets of which it is known what repeats what.

Runs `firsthand replay --verdicts` over every data set of a folder, one after the other, and counts the verdicts against
the truth. `docs/evaluation.md` has the format of the folder and tells how each figure is counted.

Needs cargo (or a bot that is built already, with --bot) and Python's standard library.
"""

import argparse
import collections
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The two files beside the sets; `--set` takes these names too.
TEMPLATES, PAIRS = "templates", "hard_pairs"

# The two kinds of errors, as `--list` names them.
FALSE_SKIPS, LET_THROUGH = "false-skips", "let-through"


def main():
    options = arguments()
    folder = pathlib.Path(options.folder)
    names = parts_of(folder)
    if options.set and options.set not in names:
        sys.exit(f"score: {folder} has no {options.set}; it has {', '.join(names)}")
    bot = Bot(options.bot or build(), options.replay)
    parts = [score(bot, folder, name) for name in ([options.set] if options.set else names)]
    if options.list:
        print("\n\n".join(error for part in parts for error in part.errors[options.list]) or "none")
        return 0
    counts = sum((part.counts for part in parts), collections.Counter())
    missed = below(options.floor, figures(counts)) if options.floor else []
    if options.json:
        each = {part.name: figures(part.counts) for part in parts}
        print(json.dumps({"parts": each, "all": figures(counts), "missed": missed}, indent=2))
    else:
        print(report(parts, counts))
    for line in missed:
        say(f"score: {line}")
    return 1 if missed else 0


def arguments():
    own, handed_on = sys.argv[1:], []
    if "--" in own:
        at = own.index("--")
        own, handed_on = own[:at], own[at + 1:]
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0],
                                     epilog="What stands behind -- is handed on to `firsthand replay`.")
    parser.add_argument("folder", nargs="?", default=os.environ.get("FIRSTHAND_EVAL_DIR"),
                        help="the folder of the data sets (default: $FIRSTHAND_EVAL_DIR)")
    parser.add_argument("--bot", type=pathlib.Path, help="a built bot (default: builds the release binary)")
    parser.add_argument("--set", metavar="NAME", help=f"only this set, or only {TEMPLATES} or {PAIRS}")
    parser.add_argument("--list", choices=[FALSE_SKIPS, LET_THROUGH],
                        help="print these posts instead of figures, each beside the post that it was, or should have "
                             "been, taken for")
    parser.add_argument("--floor", type=pathlib.Path, metavar="FILE",
                        help="fail if a figure of all sets together is beyond what this file allows")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    options = parser.parse_args(own)
    options.replay = handed_on
    if not options.folder:
        parser.error("name the folder of the data sets, or set FIRSTHAND_EVAL_DIR")
    if options.floor and (options.set or options.list):
        parser.error("a floor is one of all sets together, so it goes with neither --set nor --list")
    return options


def say(text):
    """Progress and faults go to standard error, so that standard output holds the result alone."""
    print(text, file=sys.stderr, flush=True)


# The folder.

def parts_of(folder):
    """The names of the sets, and of what else is there."""
    sets = {path.name.split(".")[0] for path in folder.glob("*.posts.jsonl*")}
    parts = sorted(sets) + [name for name in (TEMPLATES, PAIRS) if find(folder, name)]
    if not parts:
        sys.exit(f"score: {folder} holds no data sets; docs/evaluation.md has their format")
    return parts


def find(folder, name):
    """A file by its name, plain or gzipped; None if there is neither."""
    paths = (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz")
    return next((path for path in paths if path.exists()), None)


def read(folder, name):
    path = find(folder, name)
    if path is None:
        sys.exit(f"score: {folder / name}.jsonl is missing")
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


# The bot.

def build():
    say("building …")
    command = ["cargo", "build", "--release", "--locked", "--bin", "firsthand", "--message-format=json"]
    built = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        sys.exit(f"score: `{' '.join(command)}` failed")
    messages = (json.loads(line) for line in built.stdout.splitlines() if line.startswith("{"))
    return [message["executable"] for message in messages if message.get("executable")][-1]


class Bot:
    """The built bot, and what its `replay` is told besides."""

    def __init__(self, binary, options):
        self.command = [str(pathlib.Path(binary).resolve()), "replay", *options]
        # A configuration of whoever runs this would change what is measured.
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("FIRSTHAND_") and key != "CREDENTIALS_DIRECTORY"}

    def replay(self, what, posts):
        """Replays posts (their lines, or a file of them) into an empty archive. Returns the verdicts by the posts' ids,
        and the seconds from the process's start to its end."""
        with tempfile.TemporaryDirectory(prefix="firsthand-score-") as name:
            folder = pathlib.Path(name)
            if not isinstance(posts, pathlib.Path):
                lines = "".join(json.dumps(post, ensure_ascii=False) + "\n" for post in posts)
                posts = folder / "posts.jsonl"
                posts.write_text(lines, encoding="utf-8")
            verdicts = folder / "verdicts.jsonl"
            command = [*self.command, "--database", folder / "replay.db", "--verdicts", verdicts, posts.resolve()]
            began = time.perf_counter()
            done = subprocess.run(command, cwd=folder, env=self.environment, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            seconds = time.perf_counter() - began
            if done.returncode != 0:
                sys.exit(f"score: the bot failed on {what} with exit code {done.returncode}: {done.stderr.strip()}")
            lines = verdicts.read_text(encoding="utf-8").splitlines()
        return {verdict["id"]: verdict for verdict in map(json.loads, lines)}, seconds


# Counting.

class Part:
    """What was counted in one set, or in the templates, or in the pairs."""

    def __init__(self, name):
        self.name = name
        self.counts = collections.Counter()
        self.errors = {FALSE_SKIPS: [], LET_THROUGH: []}

    def error(self, kind, where, post, other, verdict):
        heading = f"{where}: {verdict['rule']}"
        if verdict["similarity"] is not None:
            heading += f", {verdict['similarity']:.0%} alike"
        what = "taken for" if kind == FALSE_SKIPS else "repeats"
        self.errors[kind].append(f"{heading}\n  {shown(post)}\n  {what}\n  {shown(other)}")


def shown(post):
    """A post in one line, whatever control characters strangers have put into it."""
    line = f"{post['id']} @{post.get('author') or '?'}: {post['text']}"
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in line)


def score(bot, folder, name):
    say(f"{name} …")
    part = Part(name)
    {TEMPLATES: score_templates, PAIRS: score_pairs}.get(name, score_set)(bot, folder, part)
    return part


def score_set(bot, folder, part):
    """One stream: is each post a repeat of an earlier one?"""
    truth = read(folder, f"{part.name}.truth")
    verdicts, seconds = bot.replay(part.name, find(folder, f"{part.name}.posts"))
    posts = {post["id"]: post for post in read(folder, f"{part.name}.posts")}
    if [told["id"] for told in truth] != list(posts):
        sys.exit(f"score: the posts and the truth of {part.name} are not the same posts in the same order")
    part.counts.update(posts=len(truth), microseconds=round(seconds * 1e6))
    seen, first_of_class = set(), {}
    for told in truth:
        verdict = verdicts.get(told["id"])
        if verdict is None:
            sys.exit(f"score: the bot wrote no verdict on {told['id']} of {part.name}")
        other = verdict["duplicate_of"]
        if other is not None and other not in seen:
            sys.exit(f"score: {told['id']} of {part.name} is called a duplicate of {other}, which is no earlier post")
        seen.add(told["id"])
        first = first_of_class.setdefault(told["class"], told["id"])
        if told["ignore"]:
            continue
        skipped = other is not None
        if told["repeat"]:
            of_it = ["repeats", f"{told['level']} repeats"]
            if told["kind"] == "orig_after":
                of_it.append("originals after their copy")
            part.counts.update(of_it)
            if skipped:
                part.counts.update(f"{what} found" for what in of_it)
            else:
                part.error(LET_THROUGH, part.name, posts[told["id"]], posts[first], verdict)
        else:
            part.counts["first sightings"] += 1
            if skipped:
                part.counts["false skips"] += 1
                part.error(FALSE_SKIPS, part.name, posts[told["id"]], posts[other], verdict)


def score_templates(bot, folder, part):
    """Each family is a stream of its own, in which nothing is a repeat."""
    families = collections.defaultdict(list)
    for post in read(folder, TEMPLATES):
        families[post.pop("family")].append(post)
    for family, posts in families.items():
        verdicts, _ = bot.replay(family, posts)
        by_id = {post["id"]: post for post in posts}
        part.counts["templates"] += len(posts)
        for post in posts:
            verdict = verdicts[post["id"]]
            if verdict["duplicate_of"] is not None:
                part.counts["templates merged"] += 1
                part.error(FALSE_SKIPS, f"{TEMPLATES}, {family}", post, by_id[verdict["duplicate_of"]], verdict)


def score_pairs(bot, folder, part):
    """Each pair is a stream of two."""
    for number, pair in enumerate(read(folder, PAIRS), start=1):
        label = pair["label"]
        if label == "unsure":
            continue
        # Posts without a time get one, so that neither is held for longer than the other is late.
        posts = [{"created_at": f"2020-01-01T00:00:0{second}Z", **pair[which]}
                 for second, which in enumerate(("earlier", "later"))]
        verdicts, _ = bot.replay(f"line {number} of {PAIRS}", posts)
        earlier, later = posts
        verdict = verdicts[later["id"]]
        merged = verdict["duplicate_of"] is not None
        part.counts[f"pairs {label}"] += 1
        part.counts[f"pairs {label} merged"] += merged
        if merged != (label == "same"):
            kind = FALSE_SKIPS if merged else LET_THROUGH
            part.error(kind, f"{PAIRS}, line {number}", later, earlier, verdict)


# Figures.

def figures(counts):
    """What is told of some counts; a figure of which nothing was counted is left out."""
    found, repeats, first = counts["repeats found"], counts["repeats"], counts["first sightings"]
    told = {}
    if counts["posts"]:
        told["posts"] = counts["posts"]
        told |= share("precision", found, found + counts["false skips"])
        told |= share("recall", found, repeats)
        for level in sorted(key.removesuffix(" repeats") for key in counts if key.endswith(" repeats")):
            told |= share(f"recall_{level}", counts[f"{level} repeats found"], counts[f"{level} repeats"])
        told |= share("originals_after_copy", counts["originals after their copy found"],
                      counts["originals after their copy"])
        told |= {"repeats": repeats, "first_sightings": first, "false_skips": counts["false skips"]}
        if first:
            told["false_skips_per_1000"] = 1000 * counts["false skips"] / first
        told["let_through"] = repeats - found
        told["posts_per_second"] = round(1e6 * counts["posts"] / counts["microseconds"])
    if counts["templates"]:
        told |= {"templates": counts["templates"], "templates_merged": counts["templates merged"]}
    for label, key in ("same", "pairs_same_found"), ("different", "pairs_different_merged"):
        if counts[f"pairs {label}"]:
            told |= {f"pairs_{label}": counts[f"pairs {label}"], key: counts[f"pairs {label} merged"]}
    return told


def share(name, found, of):
    """A share, and the two counts that it is made of."""
    return {name: found / of, f"{name}_counts": [found, of]} if of else {}


def report(parts, counts):
    rows = {part.name: figures(part.counts) for part in parts if part.counts["posts"]}
    lines = []
    if rows:
        rows["ALL"] = figures(counts)
        levels = [name for name in rows["ALL"] if name.startswith("recall_") and not name.endswith("_counts")]
        columns = ["posts", "precision", "recall", *levels, "false_skips", "false_skips_per_1000", "let_through",
                   "originals_after_copy", "posts_per_second"]
        lines += markdown([["set", *(name.replace("_", " ") for name in columns)],
                           *([name, *(cell(row, column) for column in columns)] for name, row in rows.items())])
    told = figures(counts)
    if "templates" in told:
        lines.append(f"templates merged: {told['templates_merged']} of {told['templates']}")
    if "pairs_same" in told:
        lines.append(f"hard pairs that are the same, found: {told['pairs_same_found']} of {told['pairs_same']}")
    if "pairs_different" in told:
        lines.append(f"hard pairs that are different, merged: {told['pairs_different_merged']} of "
                     f"{told['pairs_different']}")
    return "\n".join(lines)


def cell(row, column):
    if column == "originals_after_copy" and column in row:
        return "{:,}/{:,}".format(*row["originals_after_copy_counts"])
    value = row.get(column)
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"


def markdown(rows):
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["| " + " | ".join([row[0].ljust(widths[0]), *(text.rjust(width) for text, width in
                                                              zip(row[1:], widths[1:]))]) + " |" for row in rows]
    rule = "|-" + "-" * widths[0] + "-|" + "|".join("-" * (width + 1) + ":" for width in widths[1:]) + "|"
    return [lines[0], rule, *lines[1:]]


# Floors.

BOUNDS = {"at_least": lambda value, bound: value >= bound, "at_most": lambda value, bound: value <= bound,
          "exactly": lambda value, bound: value == bound}


def below(path, told):
    """What is beyond the floor, each in a sentence. A figure that was not counted is beyond it too."""
    missed = []
    for name, bounds in json.loads(path.read_text(encoding="utf-8")).items():
        for how, bound in bounds.items():
            if how not in BOUNDS:
                sys.exit(f"score: {path}: {name}: {how} is none of {', '.join(BOUNDS)}")
            value = told.get(name)
            if value is None:
                missed.append(f"{name} was not counted, and must be {how.replace('_', ' ')} {bound}")
            elif not BOUNDS[how](value, bound):
                missed.append(f"{name} is {value}, and must be {how.replace('_', ' ')} {bound}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
