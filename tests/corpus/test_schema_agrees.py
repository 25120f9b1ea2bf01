"""The JSON Schema and the loader agree: on every file of the corpus, and on many small changes of good ones.

The schema takes what is in good/ and bad/meaning/ (it cannot know names and instants) and refuses what is in
bad/shape/. The loader takes good/ alone, and says of each bad file where it is bad and why: the text of its first
line, `# expect: ...`. DOORBUSTER is the program.
"""

import json
import os
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
EXIT_GOOD, EXIT_BAD = 0, 104
VARIANTS_MAX, BATCH = 4000, 200


class CoreLoader(yaml.SafeLoader):
    """Types plain scalars by YAML 1.2's core schema, as the program does; PyYAML's own are YAML 1.1's."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", list("-+.0123456789")),
]:
    CoreLoader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), first)


def construct_int(loader, node):
    text = node.value
    return int(text, 0) if text.startswith(("0x", "0o")) else int(text)


def construct_map(loader, node):
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


CoreLoader.add_constructor("tag:yaml.org,2002:int", construct_int)
CoreLoader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(node.value))
CoreLoader.add_constructor("tag:yaml.org,2002:map", construct_map)


def parse(text):
    return yaml.load(text, CoreLoader)


def corpus(folder):
    path = os.path.join(HERE, folder)
    return [os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith(".yaml")]


def check(path):
    """Exit code and errors of the program."""
    done = subprocess.run([os.environ["DOORBUSTER"], "check", path], capture_output=True, check=False)
    return done.returncode, done.stderr.decode()


def findings(validator):
    for path in corpus("good"):
        code, errors = check(path)
        if code != EXIT_GOOD:
            yield path, f"the program refuses it: {errors}"
    for folder in ("good", "bad/meaning"):
        for path in corpus(folder):
            with open(path, encoding="utf-8-sig") as file:
                error = jsonschema.exceptions.best_match(validator.iter_errors(parse(file)))
            if error is not None:
                yield path, f"the schema refuses it: {error.message}"
    for path in corpus("bad/shape"):
        with open(path, encoding="utf-8") as file:
            if validator.is_valid(parse(file)):
                yield path, "the schema takes it"
    for folder in ("bad/syntax", "bad/shape", "bad/meaning"):
        for path in corpus(folder):
            yield from refusals(path)


def refusals(path):
    code, errors = check(path)
    if code != EXIT_BAD:
        yield path, f"the program's exit code is {code}, not {EXIT_BAD}: {errors}"
    with open(path, "rb") as file:
        wanted = re.match(rb"# expect: (.*)", file.readline())
    if wanted and wanted.group(1).decode() not in errors:
        yield path, f"{wanted.group(1).decode()!r} is not in: {errors}"
    for line in errors.splitlines():
        if not re.match(re.escape(path) + r":[1-9][0-9]*:[1-9][0-9]*: [^ ]+: expected .+, found ", line):
            yield path, f"not file:line:col: path: expected, found: {line}"


# ---- Small changes ----

CHANGES = [None, True, 0, 1, -1, 7.5, 1e3, "", "x", "5", "90s", "1h30m", "30m1h", "5 m", "-5m", "0.5us", "800/min", "1/s",
           "5/d", "75%", "7.5%", "%", "all", "a b", "Frontend", "a.b", "x" * 101, [], {}, ["0m", "x"], [["0m", "1/s"]],
           [["0m", 5]], {"p50": "1ms", "p99": "2ms"}, {"not": {}}, {"unknown": 1}]


def changed(value):
    """The value with one thing below it replaced, removed or added, in every way."""
    if isinstance(value, dict):
        for key in value:
            for other in changed(value[key]):
                yield {**value, key: other}
            yield {k: v for k, v in value.items() if k != key}
        yield {**value, "unknown": 1}
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for other in changed(item):
                yield value[:index] + [other] + value[index + 1:]
            yield value[:index] + value[index + 1:]
            yield value + [item]
    yield from CHANGES


# How the program's errors of shape sound; it looks at meaning when the shape is right. Ranges of digits are left to it.
SHAPE = re.compile(
    r": expected (the key |one of the keys |exactly one of |[0-9]+ to [0-9]+ of them|a map |a list |pairs |a rate |"
    r"a duration with its unit|a delay like|a whole number from|a number from|text of|an expectation in quotes|"
    r"a share like|"
    r"a name like|a call like|a route like|never or|baseline or|mailbox or|emergent or|1, found)")
BY_PROGRAM = re.compile(r"\((too fine|above 1000h)\)$")


def disagreements(validator, scratch):
    """Changed files, judged by both."""
    variants = {}
    for path in corpus("good"):
        with open(path, encoding="utf-8-sig") as file:
            value = parse(file)
        if len(json.dumps(value)) < 2500:
            variants.update((json.dumps(other, ensure_ascii=False), other) for other in changed(value))
    variants = list(variants.items())[::max(1, len(variants) // VARIANTS_MAX)]
    for start in range(0, len(variants), BATCH):
        batch = variants[start:start + BATCH]
        errors = check_texts([text for text, _ in batch], scratch)
        for (text, value), lines in zip(batch, errors):
            refused = any(SHAPE.search(line) and not BY_PROGRAM.search(line) for line in lines)
            if validator.is_valid(value) == refused:
                yield text, "the schema takes it, the program refuses its shape" if refused else "the schema refuses it"
    print(f"{len(variants)} changed files compared")


def check_texts(texts, scratch):
    """The program's errors for each; many files a call, for each start costs more than a check."""
    paths = [os.path.join(scratch, f"{number}.yaml") for number in range(len(texts))]
    for path, text in zip(paths, texts):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    done = subprocess.run([os.environ["DOORBUSTER"], "check", *paths], capture_output=True, check=False)
    errors = {path: [] for path in paths}
    for line in done.stderr.decode().splitlines():
        errors.get(line.split(":")[0], []).append(line)
    return [errors[path] for path in paths]


def main():
    with open(os.path.join(ROOT, "scenarios", "scenario.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    found = list(findings(validator))
    with tempfile.TemporaryDirectory() as scratch:
        found += list(disagreements(validator, scratch))
    for where, what in found[:20]:
        print(f"{where}: {what}")
    print(f"{len(found)} findings; {len(corpus('good'))} good files, "
          f"{sum(len(corpus('bad/' + kind)) for kind in ('syntax', 'shape', 'meaning'))} bad ones")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
