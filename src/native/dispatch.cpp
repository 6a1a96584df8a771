#include "dispatch.hpp"

namespace chainrule {

namespace {

const InstructionSet kSets[] = {
#if defined(__x86_64__)
    {"avx512",
     [] {
       return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
              __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
              __builtin_cpu_supports("fma");
     },
     avx512::kernel_tables},
    {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); },
     avx2::kernel_tables},
#endif
    {"baseline", [] { return true; }, baseline::kernel_tables},
};

}  // namespace

const InstructionSet* instruction_sets() { return kSets; }
int instruction_set_count() { return int(sizeof(kSets) / sizeof(kSets[0])); }

}  // namespace chainrule
