#!/bin/sh
# Builds and runs the kernel tests once for each instruction set of this machine, with the flags of CMakeLists.txt.
#   tests/native/run.sh                       as shipped
#   tests/native/run.sh address,undefined     under sanitizers
set -eu
cd "$(dirname "$0")/../.."
build=build/native-test
mkdir -p "$build"

flags() { sed -n "s/^set($1 \"\{0,1\}\([^\")]*\)\"\{0,1\}).*/\1/p" CMakeLists.txt; }

# Can the machine run what this compiler makes with these flags? Prints a vector's size in bytes.
vector_bytes() {
    printf '%s\n' '#include <cstdio>' 'int main() {' '#ifdef __AVX512F__' \
        'if (!__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) return 1; std::puts("64");' \
        '#elif defined(__AVX2__)' 'if (!__builtin_cpu_supports("avx2")) return 1; std::puts("32");' \
        '#else' 'std::puts("16");' '#endif' '}' |
        ${CXX:-c++} -x c++ $1 - -o "$build/probe" 2> /dev/null && "$build/probe" 2> /dev/null
}

optimization=-O3
if [ -n "${1:-}" ]; then optimization="-O1 -g -fsanitize=$1 -fno-sanitize-recover=all"; fi
for isa in baseline avx2 avx512; do
    isa_flags=$(flags "ISA_FLAGS_$isa")
    if bytes=$(vector_bytes "$isa_flags"); then
        echo "$isa"
        ${CXX:-c++} -std=c++20 $optimization -Wall -Wextra $(flags KERNEL_FLAGS) $isa_flags \
            -DCHAINRULE_ISA_NAMESPACE=$isa -DCHAINRULE_VECTOR_BYTES="$bytes" \
            tests/native/test_kernels.cpp -o "$build/$isa"
        "$build/$isa"
    else
        echo "$isa: not on this machine"
    fi
done
