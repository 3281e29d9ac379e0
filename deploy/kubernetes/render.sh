#!/usr/bin/env bash
# Renders swarmledger.yaml anew from the chart; after every change of the chart. It needs helm.
set -euo pipefail
cd "$(dirname "$0")"
command -v helm >/dev/null || { echo "error: helm: not found; see https://helm.sh/docs/intro/install" >&2; exit 1; }
{
    echo "# Rendered from deploy/helm/swarmledger by render.sh: change the chart, not this file."
    helm template swarmledger ../helm/swarmledger
} >swarmledger.yaml.new
mv swarmledger.yaml.new swarmledger.yaml
