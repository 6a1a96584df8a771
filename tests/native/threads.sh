#!/bin/sh
# Builds the engine's own threads without Python or kernels, and lets teams of them work, fail and fork.
#   tests/native/threads.sh                       as shipped
#   tests/native/threads.sh address,undefined     under sanitizers
#   tests/native/threads.sh thread
set -eu
cd "$(dirname "$0")/../.."
. tests/native/common.sh

program="$build/threads-${1:-shipped}"
compile $(optimization "${1:-}") src/native/affinity.cpp src/native/barrier.cpp src/native/threads.cpp \
    tests/native/test_threads.cpp -pthread -o "$program"
compiled
$EMULATOR "$program"
