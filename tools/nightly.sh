#!/bin/sh
# All tests, those included that are too long for every day, and each balancer in duts/ against its expected.yaml.
# Then the reference again and again, to see whether a verdict changes (lbcert.controls.stability). Arguments go to pytest. Exit status: 0 if all went well; the rest is done even if something did not.
set -u
cd -- "$(dirname -- "$0")/.." || exit
tier='ci or nightly'
status=0
.venv/bin/python -m pytest tests -n 4 --dist loadgroup -m "$tier" "$@" || status=1
for folder in duts/*/; do
    dut=${folder%/}
    DUT=${dut##*/} tools/certify.sh -m "$tier" "$@" || status=1
done
# Until no verdict of the reference has been judged fewer than 300 times beside a busy core.
.venv/bin/python -m lbcert.controls.stability || status=1
exit "$status"
