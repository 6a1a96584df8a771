#include "dispatch.hpp"

#include <stdexcept>

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

const KernelTable& table_for(const std::string& isa, int number_bytes, int lanes) {
  for (const InstructionSet& set : kSets) {
    if (isa != set.name || !set.supported()) continue;
    const KernelTables tables = set.tables();
    for (int k = 0; k < tables.count; ++k)
      if (tables.tables[k].number_bytes == number_bytes && tables.tables[k].lanes == lanes)
        return tables.tables[k];
  }
  throw std::invalid_argument("no kernels for " + isa + " with " + std::to_string(lanes) + " lanes of " +
                              std::to_string(number_bytes) + " bytes");
}

}  // namespace chainrule
