SHELL := bash
.DEFAULT_GOAL := help
.PHONY: bench-ledger bench-payments fuzz help run test setup bindings ui fmt lint bench screens clean-sandbox

help: ## Lists what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Sets up, builds and opens the app in the sandbox (no display: pictures of the screens)
	@scripts/run $(ARGS)

test: ## Sets up, builds, runs every test and check; ends with "N passed, N failed"
	@scripts/test

setup: ## Installs what building, running and testing need
	@scripts/setup tests

bindings: ## Writes the TypeScript bindings anew from the Rust contract
	@. scripts/env; UPDATE_BINDINGS=1 cargo test -q -p aispace-wallet --features e2e --test bindings

ui: ## Builds the pages
	@scripts/build ui

screens: ## Saves pictures of all screens, light and dark, under docs/screens
	@AISPACE_HEADLESS=1 scripts/run --all --themes && mkdir -p docs/screens && cp out/screens/*-light.png out/screens/*-dark.png docs/screens/

.PHONY: screens-recorded
screens-recorded: ## Makes the pictures anew that the tests compare the screens with (docs/screens/recorded)
	@scripts/screens-recorded

fmt: ## Formats Rust and the pages
	@cargo fmt --all && npm run --silent --prefix ui format --if-present

fuzz: ## Gives arbitrary bytes to everything that reads, a minute each (ARGS="10 card": ten seconds, one target)
	@scripts/fuzz $(ARGS)

bench: bench-ledger bench-payments bench-app bench-usage ## Runs the pricing engine beside its peers, the ledger and the window; writes docs/bench/*.md (ARGS=--quick: a try)
	@scripts/bench $(ARGS)

bench-ledger: ## Measures the ledger and its store alone; writes docs/bench/ledger.md
	@scripts/bench-ledger $(ARGS)

.PHONY: bench-app bench-usage
bench-app: ## Measures the release window beside a bare one: start, memory, rest, typing; writes docs/bench/app.md
	@scripts/bench-app $(ARGS)

bench-usage: ## Measures the log with 100,000 entries in the release window; writes docs/bench/usage.md
	@scripts/bench-usage $(ARGS)

.PHONY: bench-blocks
bench-blocks: ## Measures how fast payments are read from full blocks; writes docs/bench/blocks.md
	@scripts/bench-blocks $(ARGS)

lint: ## Runs the checks that need no window
	@scripts/test lint

bench-payments: ## Measures how long a payment takes to be prepared; writes docs/bench/payments.md
	@scripts/bench-payments

clean-sandbox: ## Forgets what a kept sandbox wrote
	@. scripts/env; rm -rf "$$AISPACE_CACHE/sandbox"
