#!/usr/bin/env bash
# Train a student on a rented RunPod GPU: the same `python -m finetune run` as on a laptop.
#
#   on a laptop:  ./runpod_train.sh --config configs/finetune/gemma3-12b.yaml --max-usd 5 --max-hours 2
#     plans, checks the Hugging Face token and licence, shows GPUs and live prices, rents one, trains, brings the results to
#     runs/, compares every SHA-256 and only then deletes the pod.  Run it again to go on watching the same pod.
#   on the pod:   git clone … && cd slm-forest && ./runpod_train.sh --config configs/finetune/gemma3-12b.yaml
#     trains with caches, checkpoints and results on /workspace, goes on where it was interrupted, stops the pod at the end.
#
# Options on a laptop
#   --config FILE     finetune config (required)
#   --max-usd N       most that may be spent (required)
#   --max-hours N     longest the pod may live (required); the pod deletes itself at the sooner of the two
#   --dataset DIR     dataset folder; default: the one the config names
#   --plan            print the exact requests that would be sent, then exit
#   --orphans         list every pod that still bills
#   --delete POD      delete one
# Options on a pod (RUNPOD_POD_ID is set there)
#   --config, --dataset, --plan
#   --keep            leave the pod running afterwards (it goes on billing)
# Environment
#   RUNPOD_API_KEY    laptop: the account's key; never an argument, never in a log
#   HF_TOKEN          needed when the config's base is a gated hub model (Gemma)
#   RUNPOD_POLL_SECONDS  laptop: how often to look; default 20
#   WORKSPACE         pod: the volume's mount point; default /workspace
set -Eeuo pipefail

usage() { sed -n '2,/^set -/p' "$0" | sed '$d; s/^# \{0,1\}//'; }
say() { printf '▸ %s\n' "$*"; }
fail() { printf '✗ %s\n' "$*" >&2; exit 2; }

if [ -z "${RUNPOD_POD_ID:-}" ]; then
    case " $* " in *" --help "* | *" -h "*) usage; exit 0 ;; esac
    cd "$(dirname "$0")"
    [ -x .venv/bin/python ] || scripts/setup.sh run
    exec .venv/bin/python -m scripts.runpod "$@"
fi

config="" dataset="" keep=0 plan=0 managed=0
while [ $# -gt 0 ]; do
    case "$1" in
        --config) config="${2:-}"; shift 2 || fail "--config 뒤에 파일 이름이 필요합니다" ;;
        --dataset) dataset="${2:-}"; shift 2 || fail "--dataset 뒤에 폴더 이름이 필요합니다" ;;
        --keep) keep=1; shift ;;
        --managed) managed=1; shift ;; # a laptop watches, fetches and deletes
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
    say "결과: $out (끊겼다 다시 시작하면 $out.partial 의 체크포인트에서 이어 간다)"
    say "기록: $log"
    say "캐시: $workspace/cache"
    [ "$keep" = 1 ] && say "끝나도 pod을 멈추지 않습니다" || say "끝나면 성공이든 실패든 pod을 멈춥니다"
    exit 0
fi

stop_pod() {
    if [ "$managed" = 1 ]; then
        say "결과를 가져가기를 기다립니다 (waiting to be fetched): $out"
    elif [ "$keep" = 1 ]; then
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

PYTHON="$python" scripts/setup.sh run
if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader
    # A driver too old for this torch would let the training run on the CPU, at the price of the GPU.
    .venv/bin/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' ||
        fail "GPU는 있지만 torch가 쓰지 못합니다. configs/runpod.yaml의 min_cuda를 올리세요 (driver too old for this torch)."
else
    say "GPU가 보이지 않습니다: CPU로 학습합니다"
fi
if [ -z "$dataset" ] && [ ! -f datasets/demo/train.jsonl ]; then
    .venv/bin/python -m data_gen build --config configs/data_gen/demo.yaml
fi

say "학습을 시작합니다: ${command[*]}"
# pipefail is set, so the status of this line is the training's own, not tee's.
# tee outlives a SIGTERM to the group, or the training could not say that it has written its checkpoint.
"${command[@]}" 2>&1 | (trap '' TERM INT && exec tee "$log")
say "결과가 $out 에 있습니다"
