#!/usr/bin/env bash
# Train a student on a rented RunPod GPU: the same `python -m finetune run` as on a laptop, with caches and results on the
# volume, the training's own exit code, and no pod left running.
#
#   on the pod:  git clone … && cd slm-forest && ./runpod_train.sh --config configs/finetune/gemma3-12b.yaml
#
# Options
#   --config FILE     finetune config (required)
#   --dataset DIR     dataset folder; default: the one the config names
#   --keep            leave the pod running afterwards (it goes on billing)
#   --plan            print what would be done, then exit
# Environment
#   HF_TOKEN          needed when the config's base is a gated hub model (Gemma); set it as a RunPod secret, never in a file
#   WORKSPACE         the volume's mount point; default /workspace
set -Eeuo pipefail

usage() { sed -n '2,16p' "$0" | sed 's/^# \{0,1\}//'; }
say() { printf '▸ %s\n' "$*"; }
fail() { printf '✗ %s\n' "$*" >&2; exit 2; }

config="" dataset="" keep=0 plan=0
while [ $# -gt 0 ]; do
    case "$1" in
        --config) config="${2:-}"; shift 2 || fail "--config 뒤에 파일 이름이 필요합니다" ;;
        --dataset) dataset="${2:-}"; shift 2 || fail "--dataset 뒤에 폴더 이름이 필요합니다" ;;
        --keep) keep=1; shift ;;
        --plan) plan=1; shift ;;
        -h | --help) usage; exit 0 ;;
        *) fail "모르는 옵션입니다: $1 (--help를 보세요)" ;;
    esac
done
[ -n "$config" ] || fail "--config가 필요합니다. 예: ./runpod_train.sh --config configs/finetune/gemma3-12b.yaml"
[ -f "$config" ] || fail "설정 파일이 없습니다: $config"
[ -z "$dataset" ] || [ -f "$dataset/train.jsonl" ] || fail "데이터셋 폴더에 train.jsonl이 없습니다: $dataset"

cd "$(dirname "$0")"
workspace="${WORKSPACE:-/workspace}"
[ -d "$workspace" ] || fail "볼륨이 없습니다: $workspace (RunPod 볼륨을 붙이거나 WORKSPACE를 지정하세요)"
python="${PYTHON:-python3}"
name="$(basename "$config" .yaml)"
out="$workspace/runs/$name"
log="$workspace/logs/$name-$(date -u +%Y%m%dT%H%M%SZ).log"

# The virtualenv stays on the container disk: thousands of small files are slow on a network volume.
export HF_HOME="$workspace/cache/huggingface"
export PIP_CACHE_DIR="$workspace/cache/pip"
export SLM_FOREST_CACHE="$workspace/cache/slm-forest"

if grep -Eq '^[[:space:]]+hub:[[:space:]]*google/gemma' "$config" && [ -z "${HF_TOKEN:-}" ]; then
    fail "이 설정은 이용 조건에 동의해야 하는 Gemma 가중치를 씁니다. HF_TOKEN을 RunPod secret으로 넣어 주세요."
fi

command=(.venv/bin/python -m finetune run --config "$config" --out "$out")
[ -z "$dataset" ] || command+=(--dataset "$dataset")

if [ "$plan" = 1 ]; then
    say "명령: ${command[*]}"
    say "결과: $out"
    say "기록: $log"
    say "캐시: $workspace/cache"
    [ "$keep" = 1 ] && say "끝나도 pod을 멈추지 않습니다" || say "끝나면 성공이든 실패든 pod을 멈춥니다"
    exit 0
fi

stop_pod() {
    [ -n "${RUNPOD_POD_ID:-}" ] || return 0
    if [ "$keep" = 1 ]; then
        say "pod을 그대로 둡니다 (요금이 계속 나갑니다): $RUNPOD_POD_ID"
    elif command -v runpodctl >/dev/null && runpodctl pod stop "$RUNPOD_POD_ID"; then
        say "pod을 멈췄습니다: $RUNPOD_POD_ID"
    else
        printf '✗ pod을 멈추지 못했습니다: %s  RunPod 콘솔에서 직접 멈춰 주세요 (요금이 계속 나갑니다).\n' "$RUNPOD_POD_ID" >&2
    fi
}
finish() {
    local code=$?
    trap - EXIT
    say "종료 코드 $code"
    stop_pod
    exit "$code"
}
trap finish EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

mkdir -p "$workspace/runs" "$workspace/logs" "$HF_HOME" "$PIP_CACHE_DIR" "$SLM_FOREST_CACHE"
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader || say "GPU가 보이지 않습니다: CPU로 학습합니다"

PYTHON="$python" scripts/setup.sh run
if [ -z "$dataset" ] && [ ! -f datasets/demo/train.jsonl ]; then
    .venv/bin/python -m data_gen build --config configs/data_gen/demo.yaml
fi

say "학습을 시작합니다: ${command[*]}"
# pipefail is set, so the status of this line is the training's own, not tee's.
"${command[@]}" 2>&1 | tee "$log"
say "결과가 $out 에 있습니다"
