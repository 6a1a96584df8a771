#!/bin/sh
# Builds the native engine without Python and repeats whole networks with it, on one to four threads.
#   tests/native/plans.sh                       as shipped
#   tests/native/plans.sh address,undefined     under sanitizers
#   tests/native/plans.sh thread
# The networks are written down by the installed package: PYTHON=.venv/bin/python
set -eu
cd "$(dirname "$0")/../.."
. tests/native/common.sh

sanitizer=${1:-}
name=${sanitizer:-shipped}
tested=$isas
if [ "$sanitizer" = thread ]; then # one instruction set: what threads share is the same in all
    tested=baseline
fi

objects=
for isa in $isas; do
    kernels "$isa" "$sanitizer"
    objects="$objects $(objects "$isa" "$sanitizer")/*.o"
done
for source in src/native/affinity.cpp src/native/barrier.cpp src/native/batch_sums.cpp \
    src/native/convolution_extents.cpp src/native/dispatch.cpp src/native/extents.cpp src/native/memory.cpp \
    src/native/plan.cpp src/native/records.cpp src/native/threads.cpp tests/native/test_plans.cpp; do
    object="$build/$(basename "$source" .cpp)-$name.o"
    compile $(optimization "$sanitizer") -c "$source" -o "$object"
    objects="$objects $object"
done
compiled

# What several objects define weakly the linker takes from any of them: a function that is not in the instruction set's
# own namespace could be AVX-512 code in the baseline.
for isa in $isas; do
    symbols=$($($compiler -print-prog-name=nm) "$(objects "$isa" "$sanitizer")"/*.o)
    inside="[A-Z]*N[A-Z]*9chainrule${#isa}$isa" # mangled
    if printf '%s\n' "$symbols" | grep ' [VWuvw] ' | grep -v " _Z$inside\| DW\.ref\.__gxx_personality"; then
        echo "FAILED: these weak symbols are outside of chainrule::$isa"
        exit 1
    fi
done

program="$build/plans-$name"
compile $(optimization "$sanitizer") $objects -pthread -o "$program"
compiled
for isa in $tested; do
    if runs "$(flags "ISA_FLAGS_$isa")"; then
        ${PYTHON:-.venv/bin/python} -m tests.native.write_plans "$build/$isa.plans" $isa
        $EMULATOR "$program" "$build/$isa.plans"
    else
        echo "$isa: not on this machine"
    fi
done
