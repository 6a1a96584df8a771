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
    if runs "$isa_flags"; then
        kernels "$isa" "${1:-}"
        # Tests are not in a hurry, but their sources are long.
        compile $(optimization "${1:-}") -O1 $(flags KERNEL_FLAGS) $isa_flags -DCHAINRULE_ISA_NAMESPACE=$isa \
            tests/native/test_kernels.cpp "$(objects "$isa" "${1:-}")"/*.o -o "$build/$isa"
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
