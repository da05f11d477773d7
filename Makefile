# The same commands that CI runs. `make` alone lists them.
PYTHON ?= python3
DEMO_ARGS ?=
TRANSPORT ?= rest
PYTEST_ARGS ?=
export PYTHON

RUN = .venv/bin
# For commands that need settings but no configuration of this machine.
BARE = env DJANGO_ENV_FILE=/dev/null DJANGO_SETTINGS_MODULE=marketo_admin.settings_test

.PHONY: help install demo test check coverage format lock faults fault-matrix pictures messages

help:
	@echo "make demo      everything on this machine with sample data (DEMO_ARGS=--once: stop again at once; TRANSPORT=soap: over SOAP)"
	@echo "make install   set up .venv, nothing else"
	@echo "make test      the whole test suite (PYTEST_ARGS='-k name')"
	@echo "make check     format, lint, types, layers, migrations, deployment checks, then the whole test suite"
	@echo "make coverage  the whole test suite with its branch coverage, which takes more than twice as long"
	@echo "make format    format and fix what can be fixed"
	@echo "make faults    every fault at every call, kills, clocks and lanes, over SOAP and REST: before each release"
	@echo "make fault-matrix  try every fault anew and write docs/fault-matrix.md"
	@echo "make pictures  take the pictures of docs/ anew, from the demo's history (PICTURES_LANGUAGE=ko: the front page's in Korean)"
	@echo "make messages  read all texts into the catalogue of a language (needs GNU gettext; LANGUAGE=ko)"
	@echo "make lock      resolve the dependencies anew into requirements/ (needs uv)"

install:
	@scripts/install local

demo: install
	@exec $(RUN)/python manage.py demo --transport $(TRANSPORT) $(DEMO_ARGS)

test:
	@scripts/install dev
	$(RUN)/pytest $(PYTEST_ARGS)

check:
	@scripts/install dev
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .
	$(RUN)/djlint --lint --quiet templates
	$(RUN)/mypy .
	$(BARE) $(RUN)/python manage.py makemigrations --check --dry-run
	scripts/check-deploy
	$(RUN)/pytest $(PYTEST_ARGS)

coverage:
	@scripts/install dev
	$(RUN)/pytest --cov --cov-report=term:skip-covered $(PYTEST_ARGS)

format:
	@scripts/install dev
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

lock:
	scripts/lock

faults:
	@scripts/install dev
	$(RUN)/pytest tests/flow/test_faults.py tests/flow/test_rest_faults.py tests/flow/test_program_calls.py \
		tests/flow/test_clocks.py tests/flow/test_kill.py tests/flow/test_machine.py tests/jobs/test_lanes.py \
		tests/marketo/rest/programs/test_faults_at_each_call.py $(PYTEST_ARGS)

messages: LANGUAGE = ko
messages:
	@scripts/install dev
	$(BARE) $(RUN)/python manage.py makemessages --locale $(LANGUAGE) --no-location --no-wrap --no-obsolete \
		--ignore .venv --ignore tests --ignore bench --ignore docs
	$(BARE) $(RUN)/python manage.py compilemessages --locale $(LANGUAGE) --ignore .venv

pictures:
	@scripts/install dev
	WRITE_PICTURES=1 $(RUN)/pytest tests/browser/test_pictures.py
	WRITE_PICTURES=1 $(RUN)/pytest tests/browser/test_import.py -k upload_mapping

fault-matrix:
	@scripts/install dev
	WRITE_FAULT_MATRIX=1 $(RUN)/pytest tests/flow/test_faults.py tests/flow/test_rest_faults.py \
		tests/flow/test_program_calls.py tests/flow/test_undo_faults.py -k "tells or look_up or each_call"
