#!/usr/bin/env bash
# Make .venv hold exactly the locked versions.  Usage: scripts/setup.sh run|test
# Done work is remembered by the hash of the lock files, so a second call takes a second.
set -Eeuo pipefail
cd "$(dirname "$0")/.."

want="${1:-run}"
python="${PYTHON:-python3}"
venv=".venv"
torch="${TORCH:-torch==2.13.0}"

say() { printf '\033[1m▸ %s\033[0m\n' "$*" >&2; }
fail() { printf '✗ %s\n' "$*" >&2; exit 1; }

command -v "$python" >/dev/null || fail "Python이 없습니다. Python 3.11 이상을 설치하고 PYTHON=python3.11 make demo 처럼 알려 주세요."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 이상이 필요합니다 ($("$python" --version)). PYTHON=python3.11 make demo 처럼 알려 주세요."

locks=(requirements.lock)
[ "$want" = test ] && locks+=(requirements-test.lock)
stamp="$venv/.ready-$want"
hash="$(cat pyproject.toml scripts/setup.sh "${locks[@]}" | "$python" -c 'import hashlib,sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())')"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$hash" ]; then
    exit 0
fi

if ! command -v c++ >/dev/null && ! command -v g++ >/dev/null && ! command -v clang++ >/dev/null; then
    fail "C++ 컴파일러가 없습니다 (llama-cpp-python을 소스에서 빌드합니다). 리눅스: build-essential, macOS: xcode-select --install"
fi

say "가상환경을 준비합니다 ($venv)"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@"; }

say "torch를 설치합니다 ($torch; 리눅스에서 GPU가 없으면 CPU 빌드를 먼저 넣거나 TORCH=… 로 고를 수 있습니다)"
pip install -q "$torch"

say "잠근 판본을 설치합니다 (${locks[*]})"
for lock in "${locks[@]}"; do
    grep -v '^llama-cpp-python==' "$lock" >"$venv/lock.txt"
    pip install -q --no-deps -r "$venv/lock.txt"
done

if [ "$("$venv/bin/python" -c 'from importlib.metadata import version; print(version("llama-cpp-python"))' 2>/dev/null)" != "$(sed -n 's/^llama-cpp-python==//p' requirements.lock)" ]; then
    say "llama-cpp-python을 소스에서 빌드합니다. 두 코어에서 6~8분쯤 걸리고, 한 번만 합니다 (compiling llama.cpp, once)."
    pip install -q --no-deps "$(grep '^llama-cpp-python==' requirements.lock)"
fi

"$venv/bin/python" -c 'import torch, transformers, peft, llama_cpp, gradio, openai, datasets, gguf' ||
    fail "설치한 패키지를 불러오지 못했습니다. 위의 오류를 보고, .venv를 지운 뒤 다시 해 보세요."
printf '%s' "$hash" >"$stamp"
say "준비가 끝났습니다"
