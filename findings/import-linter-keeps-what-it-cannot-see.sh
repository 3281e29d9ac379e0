#!/usr/bin/env bash
# Guess: a layers contract over a package looks at every module that can be imported from it.
# What happens: a folder without __init__.py is a package for Python (imports, tests, mypy and ruff work), and does
#   not exist for import-linter. An import that turns the layers upside down in there leaves the contract "KEPT", exit
#   code 0, without a note; the only trace is the number of analysed files. An empty __init__.py turns it into
#   "BROKEN".
# Versions: import-linter 2.17, grimp 3.20.
# Why it matters: the floors of a load tester keep the instrument out of the analysis (here: a report that must never
#   load gevent). A new room loses its guard by one forgotten empty file, and the check that should say so is green.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install -qq --disable-pip-version-check import-linter==2.17 grimp==3.20

mkdir -p product/load product/report/tables
touch product/__init__.py product/load/__init__.py product/report/__init__.py
echo "from product import load" >product/report/tables/steps.py # a lower layer imports a higher one
cat >.importlinter <<'INI'
[importlinter]
root_package = product

[importlinter:contract:floors]
name = floors
type = layers
layers =
    product.load
    product.report
INI

lint() {
    PYTHONPATH=. venv/bin/lint-imports --no-cache | grep -E "^Analyzed|^floors (KEPT|BROKEN)"
}
PYTHONPATH=. venv/bin/python -c "import product.report.tables.steps as s; print('Python imports', s.__name__)"
echo "without product/report/tables/__init__.py:"
lint | tee without || true
touch product/report/tables/__init__.py
echo "with it:"
lint | tee with || true
if ! grep -q "floors KEPT" without || ! grep -q "floors BROKEN" with; then
    echo "changed: import-linter judges a folder without __init__.py as any other" >&2
    exit 1
fi
