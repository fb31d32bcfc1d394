#!/usr/bin/env bash
# The main job of `make run`: a year of the UK fleet, then a real trace where one is present. $1 is the gridhall command.
set -euo pipefail
gridhall=$1
openb=data/openb
beside=../shared/data

"$gridhall" simulate examples/scenarios/uk-build-out.yaml

if [ ! -d "$openb" ] && [ -d "$beside/traces/openb" ]; then
  echo
  "$gridhall" data get openb --from "$beside"
fi
echo
if [ -d "$openb" ]; then
  "$gridhall" simulate examples/scenarios/openb.yaml
else
  echo "gridhall: no real trace here; get one with: $gridhall data get openb, and run make run again"
fi
