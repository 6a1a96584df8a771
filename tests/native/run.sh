#!/bin/sh
# Builds and runs the kernel tests once for each instruction set of this machine.
#   tests/native/run.sh                       as shipped
#   tests/native/run.sh address,undefined     under sanitizers
set -eu
cd "$(dirname "$0")/../.."
. tests/native/common.sh

found=
for isa in $isas; do
    isa_flags=$(flags "ISA_FLAGS_$isa")
    if bytes=$(vector_bytes "$isa_flags"); then
        compile $(optimization "${1:-}") $(flags KERNEL_FLAGS) $isa_flags -DCHAINRULE_ISA_NAMESPACE=$isa \
            -DCHAINRULE_VECTOR_BYTES="$bytes" tests/native/test_kernels.cpp -o "$build/$isa"
        found="$found $isa"
    else
        echo "$isa: not on this machine"
    fi
done
compiled
for isa in $found; do
    echo "$isa"
    $EMULATOR "$build/$isa"
done
