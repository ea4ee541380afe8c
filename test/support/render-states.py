"""Renders Salt's states for one machine as Salt would (Jinja, then YAML) and prints them as JSON.

render-states.py <deploy> <id of the machine>: {"pillar": ..., "states": {file: ...}}
Undefined names are errors. Salt itself is not in Debian.
"""

import json
import sys
from pathlib import Path

import jinja2
import yaml

deploy = Path(sys.argv[1])
grains = {"id": sys.argv[2]}
salt = deploy / "salt"


def render(file, **names):
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["yaml_dquote"] = lambda text: json.dumps(str(text))
    return environment.from_string(file.read_text()).render(grains=grains, **names)


pillar = {}
for name in yaml.safe_load(render(salt / "pillar/top.sls"))["base"]["*"]:
    pillar |= yaml.safe_load(render(salt / f"pillar/{name}.sls"))

states = {}
for file in sorted((salt / "states").rglob("*.sls")):
    states[str(file.relative_to(salt / "states"))] = yaml.safe_load(render(file, pillar=pillar))

for file in sorted((salt / "states").rglob("*.env")):
    render(file, pillar=pillar)

print(json.dumps({"pillar": pillar, "states": states}))
