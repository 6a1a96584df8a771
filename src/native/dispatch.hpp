// Which instruction sets this build has, and which of them this processor can run.
#pragma once

#include <string>

#include "tables.hpp"

namespace chainrule {

struct InstructionSet {
  const char* name;
  bool (*supported)();
  KernelTables (*tables)();
};

// Fastest first; the first that is supported is the default.
const InstructionSet* instruction_sets();
int instruction_set_count();

// Throws std::invalid_argument if there is none.
const KernelTable& table_for(const std::string& isa, int number_bytes, int lanes);

}  // namespace chainrule
