# For the scripts beside it: how to compile, with the flags of CMakeLists.txt, and where the programs can run.
#   CXX         another compiler
#   EMULATOR    what runs its programs, if it is one for another processor
#   BUILD       where to build
EMULATOR=${EMULATOR:-}
compiler=${CXX:-c++}
build=${BUILD:-build/native-test}
mkdir -p "$build"
case $($compiler -dumpmachine) in
x86_64*) isas="baseline avx2 avx512" ;;
*) isas=baseline ;;
esac

# What CMakeLists.txt sets this name to.
flags() { sed -n "s/^set($1 \"\{0,1\}\([^\")]*\)\"\{0,1\}).*/\1/p" CMakeLists.txt; }

# As shipped, or under the sanitizers that are named: then without the optimizer, which could remove what they look for.
optimization() {
    if [ -n "$1" ]; then
        echo "-O0 -g1 -fsanitize=$1 -fno-sanitize-recover=all -fno-omit-frame-pointer"
    else
        echo -O3
    fi
}

# Can the machine run what the compiler makes with these flags?
runs() {
    printf '%s\n' 'int main() {' '#ifdef __AVX512F__' \
        'if (!__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) return 1;' \
        '#elif defined(__AVX2__)' 'if (!__builtin_cpu_supports("avx2")) return 1;' \
        '#endif' '}' |
        $compiler -x c++ $1 - -o "$build/probe" 2> /dev/null && $EMULATOR "$build/probe" 2> /dev/null
}

# Compilers side by side: `compile ARGUMENTS` starts one, `compiled` waits for all.
compilers=
compile() {
    $compiler -std=c++20 -Wall -Wextra -Isrc/native "$@" &
    compilers="$compilers $!"
}
compiled() {
    for one in $compilers; do wait "$one"; done
    compilers=
}

# The kernels of an instruction set, for run.sh and plans.sh alike: `kernels ISA SANITIZERS` builds them and
# `objects` says where they are.
objects() { echo "$build/${2:-shipped}/$1"; }
kernels() {
    make --no-print-directory -j"$(getconf _NPROCESSORS_ONLN)" -f tests/native/kernels.mk OBJECTS="$(objects "$@")" \
        CXX="$compiler" FLAGS="-std=c++20 -Wall -Wextra -Isrc/native $(optimization "${2:-}") $(flags KERNEL_FLAGS) \
        $(flags "ISA_FLAGS_$1") -DCHAINRULE_ISA_NAMESPACE=$1"
}
