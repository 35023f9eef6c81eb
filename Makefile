# Every step of CI is a target here; what a target does is in the script it calls.
.DEFAULT_GOAL := help
.PHONY: help run down test check openapi sim fuzz chaos images e2e defences mutants bench-api dashboard screenshots

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

run: ## a running system in one command: cluster, images, control plane (SIMULATED=1: no root, no cluster)
	@scripts/run

down: ## removes everything that `make run` made
	@scripts/down

test: ## all tiers on real parts, with a table of what ran; says loudly what it had to leave out
	@tests/run

check: ## the quick ones: format, lints, docs, crate graph, licences, unit tests
	@tests/run static lint unit

openapi: ## writes docs/openapi.json anew from the code
	@cargo run --locked --quiet -p shopwright-api-actix --example openapi > docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

sim: ## deterministic simulation: every single fault and 2,000 seeds; SEEDS=n [FROM=m] many, SEED=n one with a line per step
	@cargo run --locked --quiet --profile sim -p shopwright-simulation --bin sim -- $(if $(SEED),replay $(SEED),$(if $(SEEDS),seeds $(SEEDS) $(FROM),all))

fuzz: ## the fuzz targets, each for SECONDS=n (default 60) from SEED=n; not guided by coverage
	@FUZZ_SECONDS=$(or $(SECONDS),60) FUZZ_SEED=$(or $(SEED),1) cargo nextest run --locked -p shopwright-system-tests --no-capture -E 'binary(fuzz_inputs)'

dashboard: ## builds the dashboard that the program holds, and prints what each page costs
	@dashboard/build --force

screenshots: ## every screen of the dashboard in light, dark and on a phone, into docs/screenshots
	@dashboard/screenshots

chaos: ## three replicas on real parts while everything breaks: KILLS=n [OUTAGE=seconds] [CREATES=n] [SEED=n] [LEASE=seconds]
	@KILLS=$(KILLS) OUTAGE=$(OUTAGE) CREATES=$(CREATES) SEED=$(SEED) LEASE=$(LEASE) tests/chaos

images: ## builds the stores' images from package registries
	@images/build

e2e: ## stores on real pods: order, set-up killed, rotation, upgrades, what goes wrong; MARKERS=all kills at each, RERUNS=n (5), ENGINE=name
	@MARKERS=$(MARKERS) RERUNS=$(RERUNS) ENGINE=$(ENGINE) tests/run e2e

defences: ## takes each defence of the engine away and expects its test to fail (ONLY=word)
	@tests/defences/run $(ONLY)

bench-api: ## requests per second, p50, p99 and memory of a release build: STORES=n SECONDS_EACH=n (docs/BENCHMARKS.md)
	@tests/bench-api

mutants: ## small changes to the plan, the leases and the fence: a test must notice each (GROUP=plan|leases|queue|fence)
	@tests/mutants $(GROUP)
