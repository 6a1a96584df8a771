#!/bin/sh
# Builds the native engine for 64-bit ARM, whose NEON is its baseline, and runs kernel tests and whole networks under an
# emulator. Needs on Debian: apt-get install g++-aarch64-linux-gnu qemu-user
set -eu
cd "$(dirname "$0")/../.."
export CXX=aarch64-linux-gnu-g++ BUILD=build/native-test/neon
export EMULATOR="qemu-aarch64 -L ${SYSROOT:-/usr/aarch64-linux-gnu}"
for tool in $CXX qemu-aarch64; do
    if ! command -v $tool > /dev/null; then
        echo "$tool is not here; on Debian: apt-get install g++-aarch64-linux-gnu qemu-user" >&2
        exit 1
    fi
done
tests/native/run.sh
tests/native/plans.sh
tests/native/threads.sh
