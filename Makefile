# Two commands for a newcomer:  make demo   and   make test
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
QUESTION ?= 부모님께 20억원을 증여받았는데 증여세는 얼마인가요?
# The student that comes with this repository, and where it is opened.  MODEL: what `make serve` serves, else the newest run.
STUDENT ?= students/gemma3-270m-tax
OPENED := runs/$(notdir $(STUDENT:/=))
MODEL ?=

.PHONY: help demo open test lint setup setup-test data distill serve clean

help: ## 이 목록
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: open data ## 설치 → 담긴 학생 열기 → http://127.0.0.1:7860 (DEMO_NO_UI=1: 답 하나만 출력)
	@if [ -n "$$DEMO_NO_UI" ]; then $(PY) -m serve --question "$(QUESTION)" --model_path $(OPENED); \
	else $(PY) -m serve app --model_path $(OPENED); fi

open: setup ## 저장소에 담긴 학생을 연다 (바뀐 것이 없으면 건너뛴다)
	@$(PY) -m finetune open --student $(STUDENT) --out $(OPENED)

data: setup ## 원자료에서 검증된 질문-답변 데이터셋을 만든다
	@$(PY) -m data_gen build --config configs/data_gen/demo.yaml

distill: data ## 데이터셋으로 5분 동안 학생을 학습·양자화한다 (바뀐 것이 없으면 건너뛴다)
	@$(PY) -m finetune run --config configs/finetune/demo.yaml

serve: setup ## 가장 나중에 만든 학생을 교사 옆에 띄운다 (MODEL=runs/demo: 그 학생을)
	@$(PY) -m serve app $(if $(MODEL),--model_path $(MODEL))

test: setup-test ## 시험 (오프라인; 화면 사진은 build/screenshots에 남는다)
	@SLM_FOREST_SCREENSHOTS="$${SLM_FOREST_SCREENSHOTS:-$(CURDIR)/build/screenshots}" $(PY) -m pytest -n $${TEST_WORKERS:-2} --dist loadfile

lint: setup-test ## ruff
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .

setup:
	@scripts/setup.sh run

setup-test:
	@scripts/setup.sh test

clean: ## 만든 것을 지운다 (가상환경과 캐시는 남긴다)
	rm -rf datasets runs
