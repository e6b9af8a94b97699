#!/usr/bin/env bash
# usage: tests/clients/day.sh
#
# The usual day of clients that others wrote, against `groundcrew up --bare`: boto3, the AWS CLI, s3cmd, s3fs, rclone and the
# JavaScript SDK; then every operation of AWS's models for SQS, SNS, Cognito and SageMaker, called once. Prints what passed and
# what failed, and exits 1 if anything did. The clients come from their package registries (rclone from Debian, which has to be
# there: a client that is not is skipped, with a word). GROUNDCREW_TOOLS names a folder for them.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=$(realpath -m "${GROUNDCREW_TOOLS:-$PWD/target/tools}")
venv() { # name packages...: each in an environment of its own, because they pin each other's parts
  local name=$1; shift
  [ -x "$tools/$name/bin/python" ] || { python3 -m venv "$tools/$name" && "$tools/$name/bin/pip" install -q "$@"; }
}
venv day boto3 awscli s3cmd
venv s3fs s3fs
if command -v npm >/dev/null && [ ! -d "$tools/js/node_modules/@aws-sdk/client-s3" ]; then
  mkdir -p "$tools/js"
  npm install --silent --prefix "$tools/js" @aws-sdk/client-s3 @aws-sdk/lib-storage
fi
[ -n "${GROUNDCREW_BIN:-}" ] || cargo build --package groundcrew
bin=${GROUNDCREW_BIN:-$(realpath "${CARGO_TARGET_DIR:-target}")/debug/groundcrew}

work=$(mktemp -d)
trap 'kill "${pid:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
"$bin" up --bare --data "$work/data" --aws 127.0.0.1:0 --web 127.0.0.1:0 >"$work/log" 2>&1 &
pid=$!
until grep -q AWS_SECRET_ACCESS_KEY "$work/log" && grep -q AWS_ENDPOINT_URL "$work/log"; do
  kill -0 "$pid" 2>/dev/null || { cat "$work/log"; exit 1; }
  sleep 0.2
done
eval "$(grep -oE 'export AWS_[A-Z_]+=[^ ]+' "$work/log")"
export DAY_WORK=$work DAY_TOOLS=$tools AWS_REGION=${AWS_DEFAULT_REGION:-us-east-1}
failed=0
"$tools/day/bin/python" -B tests/clients/day.py || failed=1
"$tools/day/bin/python" -B tests/clients/sweep.py || failed=1
exit $failed
