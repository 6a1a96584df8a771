#include "dispatch.hpp"

#include "processor.hpp"

namespace chainrule {

namespace {

#if defined(__x86_64__)
const Processor& processor() {
  static const Processor asked;
  return asked;
}
#endif

const InstructionSet kSets[] = {
#if defined(__x86_64__)
    {"avx512", [] { return processor().avx512; }, avx512::kernel_tables},
    {"avx2", [] { return processor().avx2; }, avx2::kernel_tables},
#endif
    {"baseline", [] { return true; }, baseline::kernel_tables},
};

}  // namespace

const InstructionSet* instruction_sets() { return kSets; }
int instruction_set_count() { return int(sizeof(kSets) / sizeof(kSets[0])); }

}  // namespace chainrule
