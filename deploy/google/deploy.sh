#!/usr/bin/env bash
# deploy.sh PROJECT REGION POOL FILE: makes or replaces the worker pool as FILE says (google.cloud.run.v2.WorkerPool), and waits.
set -euo pipefail
project=$1 region=$2 pool=$3 file=$4
api=https://run.googleapis.com/v2
token=$(gcloud auth print-access-token)

ask() { curl --fail-with-body --silent --show-error -H "Authorization: Bearer $token" -H "Content-Type: application/json" "$@"; }

operation=$(ask -X PATCH --data "@$file" \
  "$api/projects/$project/locations/$region/workerPools/$pool?allowMissing=true" |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["name"])')
for _ in $(seq 60); do
  state=$(ask "$api/$operation")
  if [ "$(python3 -c 'import json, sys; print(json.load(sys.stdin).get("done", False))' <<<"$state")" = True ]; then
    python3 -c 'import json, sys; error = json.load(sys.stdin).get("error"); sys.exit(error and f"not deployed: {error}")' <<<"$state"
    echo "deployed $pool"
    exit 0
  fi
  sleep 5
done
echo "not deployed: no answer after five minutes" >&2
exit 1
