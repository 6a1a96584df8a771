#!/usr/bin/env bash
# Exported C on several processors: each must learn the same bits, and what NumPy comes to in the order of the C.
# STEPS (200) training steps of LeNet-5; FOLDER where the cases are built. A tool that is missing leaves its part out.
set -euo pipefail
cd "$(dirname "$0")/../../.."
python="${PYTHON:-.venv/bin/python}"
folder="${FOLDER:-build/emulated}"
source="$PWD/tests/interchange/c/emulated"
strict=(-std=c99 -pedantic -Wall -Wextra -Wconversion -Werror -ffp-contract=off)
most_code=8192
arm=(-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard)

has() {
  for tool in "$@"; do
    command -v "$tool" >/dev/null || { echo "LEFT OUT: $tool is not installed"; return 1; }
  done
}

# compare CASE NAME: what NAME learned against what is expected; the first to come says it where NumPy does not.
compare() {
  local case="$folder/$1"
  [ -f "$case/expected.bin" ] || cp "$case/learned.bin" "$case/expected.bin"
  cmp "$case/learned.bin" "$case/expected.bin"
  rm "$case/learned.bin"
  echo "  $2: the same bits"
}

on_this_machine() {
  local case="$1" compiler="$2"
  shift 2
  (cd "$folder/$case" && "$compiler" "${strict[@]}" "$@" -I. net.c "$source/main.c" -lm -o native && ./native >/dev/null)
  compare "$case" "$compiler $*"
}

on_cortex_m4() {
  local case="$1"
  shift
  (cd "$folder/$case" &&
    arm-none-eabi-gcc "${strict[@]}" "${arm[@]}" "$@" -c net.c -o net.o &&
    arm-none-eabi-gcc "${arm[@]}" -O1 --specs=rdimon.specs -I. -T "$source/board.ld" "$source/board.c" "$source/main.c" \
      net.o -lm -o board.elf &&
    timeout 500 qemu-system-arm -M mps2-an386 -nographic -icount shift=0 -semihosting-config enable=on,target=native \
      -kernel board.elf && arm-none-eabi-size net.o)
  compare "$case" "Cortex-M4F $*"
  if [ "$case $*" = "lenet5 -Os" ]; then
    local text
    text="$(arm-none-eabi-size "$folder/$case/net.o" | awk 'NR == 2 { print $1 }')"
    [ "$text" -le "$most_code" ] || { echo "LeNet-5 takes $text bytes of code, more than $most_code" >&2; exit 1; }
  fi
}

on_riscv() {
  local case="$1"
  shift
  (cd "$folder/$case" &&
    riscv64-linux-gnu-gcc "${strict[@]}" "$@" -static -I. net.c "$source/main.c" -lm -o riscv &&
    timeout 500 qemu-riscv64 ./riscv >/dev/null)
  compare "$case" "RISC-V $*"
}

rm -rf "$folder"
mkdir -p "$folder"
"$python" -m tests.interchange.c.emulated.write_cases "$folder" "${STEPS:-200}"
for case in lenet5 layers normalised; do
  echo "$case"
  for compiler in gcc clang; do
    if has "$compiler"; then
      for level in -O0 -O2 -O3; do on_this_machine "$case" "$compiler" "$level"; done
    fi
  done
  if has gcc; then on_this_machine "$case" gcc -O1 -fsanitize=address,undefined -fno-sanitize-recover=all; fi
  if has arm-none-eabi-gcc qemu-system-arm; then for level in -Os -O2; do on_cortex_m4 "$case" "$level"; done; fi
  if has riscv64-linux-gnu-gcc qemu-riscv64; then on_riscv "$case" -O2; fi
done
