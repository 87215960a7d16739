# What users type. The work is done by the scripts in tools/, which run from a path with spaces as well.

DUT ?= haproxy
ARGS ?=
export DUT

PYTHON_HERE = .venv/bin/python

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup certify test nightly kill-matrix bench apparmor docker clean

help:
	@echo 'make certify    certify HAProxy, the reference load balancer, and compare the result with what is known'
	@echo '                make certify DUT=./my-lb    your own: a folder with dut.yaml, or a name in duts/'
	@echo '                make certify ARGS="-k RDP-FAIL-01"    further arguments of pytest'
	@echo 'make test       run all tests of the suite itself'
	@echo 'make nightly    the same with those that are too long for every day, and every balancer in duts/ certified'
	@echo 'make kill-matrix    every defective balancer against every requirement (hours), and docs/kill-matrix.md from it'
	@echo 'make bench      measure: labs, handshakes per second, sessions held at once, what a verdict costs'
	@echo 'make setup      what the others do first: system packages (as root) and .venv; PYTHON=... chooses the Python'
	@echo 'make apparmor   as root, where AppArmor keeps ordinary users from making labs: allow it to this checkout'
	@echo 'make docker     make what --topology docker needs: its image, and Docker Compose in .venv'
	@echo 'make clean      remove .venv and caches; runs in reports/runs stay'

setup:
	@tools/setup.sh

certify: setup
	@tools/owned.sh tools/certify.sh $(ARGS)

# Side by side: most tests wait for something most of their time.
test: setup
	tools/owned.sh $(PYTHON_HERE) -m pytest tests -n 4 --dist loadgroup $(ARGS)

nightly: setup
	@tools/owned.sh tools/nightly.sh $(ARGS)

kill-matrix: setup
	tools/owned.sh $(PYTHON_HERE) -m lbcert.controls.kill_matrix $(ARGS)

bench: setup
	tools/owned.sh $(PYTHON_HERE) benchmarks $(ARGS)

apparmor:
	@tools/apparmor.sh

docker: setup
	@tools/owned.sh tools/docker.sh $(ARGS)

clean:
	rm -rf .venv .pytest_cache .hypothesis harness/*.egg-info
	find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
