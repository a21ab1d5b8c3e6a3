#!/usr/bin/env bash
# setup.sh PROJECT REGION BILLING_ACCOUNT BUDGET: everything around the container, once. May be repeated: what is there stays.
# BUDGET is a month's amount such as 50USD; an e-mail goes to the billing account's administrators at 50, 90 and 100 %.
set -euo pipefail
project=$1 region=$2 billing=$3 budget=$4
here=$(cd "$(dirname "$0")" && pwd)
bucket=$project-melodify
releases=$project-melodify-releases
gcloud config set project "$project" --quiet

try() { "$@" 2>/tmp/melodify-setup.err || grep -qiE "already (exists|own)" /tmp/melodify-setup.err || { cat /tmp/melodify-setup.err >&2; return 1; }; }
account() { echo "$1@$project.iam.gserviceaccount.com"; }
# on BUCKET ACCOUNT ROLE [CONDITION]
on() { gcloud storage buckets add-iam-policy-binding "gs://$1" --member="serviceAccount:$(account "$2")" --role="roles/$3" --condition="${4:-None}" >/dev/null; }
may() { gcloud projects add-iam-policy-binding "$project" --member="serviceAccount:$(account "$1")" --role="$2" --condition=None --quiet >/dev/null; }

gcloud services enable --quiet aiplatform.googleapis.com artifactregistry.googleapis.com billingbudgets.googleapis.com \
  cloudbuild.googleapis.com iamcredentials.googleapis.com run.googleapis.com secretmanager.googleapis.com sqladmin.googleapis.com

try gcloud artifacts repositories create melodify --repository-format=docker --location="$region"
try gcloud artifacts repositories create pipelines --repository-format=kfp --location="$region"
try gcloud storage buckets create "gs://$bucket" --location="$region" --uniform-bucket-level-access --public-access-prevention
gcloud storage buckets update "gs://$bucket" --lifecycle-file="$here/lifecycle.json"
try gcloud storage buckets create "gs://$releases" --location="$region" --uniform-bucket-level-access --public-access-prevention
gcloud storage buckets update "gs://$releases" --versioning

# Three accounts, each with what it needs: the bot, the pipeline's runs, the builds.
for name in melodify-bot melodify-music melodify-build; do
  try gcloud iam service-accounts create "$name"
done
for name in melodify-bot melodify-music; do
  may "$name" roles/aiplatform.user
  may "$name" roles/artifactregistry.reader
done
on "$bucket" melodify-bot storage.objectAdmin
# `melodify check` reads the bucket's rules.
on "$bucket" melodify-bot storage.bucketViewer
# A run reads and writes what lies under pipeline/, no member's picture or song. The bare name too: where the bucket is mounted (Vertex
# AI's /gcs), a folder is looked for as an object first, and "forbidden" would be a failure where "not found" is none.
objects=projects/_/buckets/$bucket/objects
on "$bucket" melodify-music storage.objectUser \
  "title=pipeline,expression=resource.name.startsWith(\"$objects/pipeline/\") || resource.name == \"$objects/pipeline\""
# Listing is a right on the bucket: a condition on an object's name never allows it, and the mount lists. So a run can see the names
# of all objects (ids of jobs), but not their content.
on "$bucket" melodify-music storage.legacyBucketReader
# What earlier versions of this script gave it: everything.
gcloud storage buckets remove-iam-policy-binding "gs://$bucket" --member="serviceAccount:$(account melodify-music)" \
  --role=roles/storage.objectAdmin --condition=None >/dev/null 2>&1 || true
may melodify-bot roles/cloudsql.client
# It starts runs as the music account, and signs links as itself.
gcloud iam service-accounts add-iam-policy-binding "$(account melodify-music)" --member="serviceAccount:$(account melodify-bot)" --role=roles/iam.serviceAccountUser >/dev/null
gcloud iam service-accounts add-iam-policy-binding "$(account melodify-bot)" --member="serviceAccount:$(account melodify-bot)" --role=roles/iam.serviceAccountTokenCreator >/dev/null
may melodify-build roles/artifactregistry.writer
may melodify-build roles/logging.logWriter
may melodify-build roles/run.developer
gcloud iam service-accounts add-iam-policy-binding "$(account melodify-bot)" --member="serviceAccount:$(account melodify-build)" --role=roles/iam.serviceAccountUser >/dev/null
# The sources that `gcloud builds submit --gcs-source-staging-dir gs://$releases/source` uploads, and the releases.
on "$releases" melodify-build storage.objectAdmin

# Empty secrets; put the values in with: printf %s VALUE | gcloud secrets versions add NAME --data-file=-
for secret in melodify-discord-token melodify-openai-key melodify-database-url melodify-salt; do
  try gcloud secrets create "$secret" --replication-policy=automatic
  gcloud secrets add-iam-policy-binding "$secret" --member="serviceAccount:$(account melodify-bot)" --role=roles/secretmanager.secretAccessor >/dev/null
done

if [ -z "$(gcloud billing budgets list --billing-account="$billing" --filter='displayName=melodify' --format='value(name)')" ]; then
  gcloud billing budgets create --billing-account="$billing" --display-name=melodify --budget-amount="$budget" \
    --filter-projects="projects/$project" --threshold-rule=percent=0.5 --threshold-rule=percent=0.9 --threshold-rule=percent=1.0
fi
echo "Done. Now the database (deploy/google/README.md) and the four secrets."
