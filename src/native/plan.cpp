#include "plan.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "batch_sums.hpp"
#include "denormals.hpp"
#include "dispatch.hpp"
#include "extents.hpp"
#include "fold.hpp"

namespace chainrule {

namespace {

// A tile of filters may read four vectors past the last weight.
constexpr size_t kBeyond = 4 * Memory::kAlignment;

}  // namespace

Plan::Plan(const PlanDescription& description)
    : table_(table_for(description.isa, description.number_bytes, description.lanes)),
      sizes_(make_sizes(description.sizes)) {
  const Room room = {sizes_, table_.lanes, table_.channel_vector, table_.registers};
  for (const PlanDescription::Part& part : description.stages) {
    Stage& stage = stages_.emplace_back();
    for (const NamedFields& named : part.operations)
      stage.operations.push_back(with_kernel(named.name, make_operation(named, room, storage_)));
    for (const NamedFields& named : part.between) stage.between.push_back(make_between(named, room));
  }
  for (const Fields& fields : description.finishes) finishes_.push_back(make_finish(fields, room, storage_));
  for (const Fields& fields : description.packs) packs_.push_back(make_pack(fields, room, storage_));
  for (const Fields& fields : description.folds) folds_.push_back(make_fold(fields, room));
  const size_t bytes = table_.number_bytes;
  parameters_.reserve(times(sizes_.parameters + sizes_.buffers + sizes_.packed, bytes) + kBeyond);
  gradient_.reserve(times(sizes_.parameters, bytes));
  shared_.resize(sizes_.shared);
}

// The operation, which the table must have a kernel for: some exist for one lane only, some for several.
Operation Plan::with_kernel(const std::string& name, const Operation& operation) const {
  const bool large = operation.kind == OpKind::convolve_large;
  if (large ? table_.convolve_large == nullptr : table_.run[int(operation.kind)] == nullptr)
    throw std::invalid_argument("there is no kernel for '" + name + "' in " + table_.isa + " with " +
                                std::to_string(table_.lanes) + " lanes of " +
                                std::to_string(table_.number_bytes) + " bytes");
  return operation;
}

namespace {

template <class T>
void narrow(const double* from, T* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = T(from[i]);
}
template <class T>
void widen(const T* from, double* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = double(from[i]);
}

}  // namespace

void Plan::set_values(const double* parameters, const double* buffers) {
  std::vector<double> folded;
  if (!folds_.empty()) {
    folded.assign(parameters, parameters + sizes_.parameters);
    folded.insert(folded.end(), buffers, buffers + sizes_.buffers);
    for (const FoldOp& op : folds_) fold(op, folded.data());
    parameters = folded.data(), buffers = folded.data() + sizes_.parameters;
  }
  const auto fill = [&]<class T>(T* to) {
    narrow(parameters, to, sizes_.parameters);
    narrow(buffers, to + sizes_.parameters, sizes_.buffers);
  };
  if (table_.number_bytes == 4)
    fill(reinterpret_cast<float*>(parameters_.data()));
  else
    fill(reinterpret_cast<double*>(parameters_.data()));
  for (Memory& memory : memories_)
    if (memory.size() > 0) std::memset(memory.data(), 0, memory.size());
  updates_ = 0;
  pack(0, 1);
}

void Plan::get_values(double* parameters, double* buffers) const {
  const auto read = [&]<class T>(const T* from) {
    widen(from, parameters, sizes_.parameters);
    widen(from + sizes_.parameters, buffers, sizes_.buffers);
  };
  if (table_.number_bytes == 4)
    read(reinterpret_cast<const float*>(parameters_.data()));
  else
    read(reinterpret_cast<const double*>(parameters_.data()));
}

// Memory for a batch. Scratch does not grow with it; kept memory is there only where values cross a stage.
void Plan::prepare(int64_t samples, int threads, int memories) {
  const size_t bytes = table_.number_bytes;
  const int64_t blocks = this->blocks(samples);
  scratch_bytes_ = rounded(times(sizes_.scratch, bytes), Memory::kAlignment);
  kept_bytes_ = rounded(times(sizes_.kept, bytes), Memory::kAlignment);
  raw_bytes_ = rounded(times(sizes_.raw, bytes), Memory::kAlignment);
  scratch_.reserve(times(times(scratch_bytes_, sizes_.group), threads));
  kept_.reserve(times(kept_bytes_, blocks));
  raw_.reserve(times(raw_bytes_, shards(samples)));
  times(times(sizes_.statistics, blocks), sizeof(double));
  statistics_.resize(sizes_.statistics * blocks);
  block_totals_.resize(blocks);
  for (int k = 0; k < memories; ++k) memories_[k].reserve(sizes_.parameters * bytes);
}

int Plan::useful_threads(int64_t samples, int limit) const {
  return int(std::clamp<int64_t>(shards(samples), 1, std::max(limit, 1)));
}

void Plan::start_shard(int64_t shard) {
  char* raw = raw_.data() + shard * raw_bytes_;
  for (size_t k = 0; k + 1 < sizes_.zeroed.size(); k += 2)
    std::memset(raw + sizes_.zeroed[k] * table_.number_bytes, 0,
                (sizes_.zeroed[k + 1] - sizes_.zeroed[k]) * table_.number_bytes);
}

Block Plan::block_of(const Step& step, int64_t n, int64_t shard) {
  const Batch& batch = step.batch;
  Block block = {};
  block.kept = kept_.data() + n * kept_bytes_;
  block.parameters = parameters_.data();
  block.gradients = raw_.data() + shard * raw_bytes_;
  block.fresh = n == part_of(blocks(step.samples), int(shard), int(shards(step.samples))).begin;
  block.statistics = statistics_.data() + n * sizes_.statistics;
  block.shared = shared_.data();
  block.inputs = batch.inputs;
  block.source = batch.source;
  block.order = batch.order == nullptr ? nullptr : batch.order + step.first;
  block.first = n * table_.lanes;
  block.lanes = table_.lanes;
  block.used = int32_t(std::min<int64_t>(table_.lanes, step.samples - block.first));
  block.targets = batch.targets;
  block.labels = batch.labels;
  block.weights = batch.weights;
  block.exports = batch.exports.data();
  block.seed = batch.seed;
  block.step = step.number;
  block.loss_scale = step.scale;
  block.totals = &block_totals_[n];
  return block;
}

void Plan::run_operations(const Stage& stage, const Block* group, int count) {
  for (const Operation& operation : stage.operations)
    if (operation.kind == OpKind::convolve_large)
      table_.convolve_large(*static_cast<const LargeConvolveOp*>(operation.record), group, count);
    else
      for (int k = 0; k < count; ++k) table_.run[int(operation.kind)](operation.record, group[k]);
}

// The thread's shards, in groups of blocks that walk through the operations side by side. A group ends with a
// shard or a whole number of groups after its beginning, so that the order in which a shard's raw gradients
// are added to does not depend on the number of threads.
void Plan::run_stage(const Stage& stage, bool first_stage, const Step& step, int thread, int threads) {
  const int64_t blocks = this->blocks(step.samples), shards = this->shards(step.samples);
  Block group[kMostGroup];
  int count = 0;
  const auto flush = [&] {
    if (count > 0) run_operations(stage, group, count);
    count = 0;
  };
  for (int64_t shard = thread; shard < shards; shard += threads) {
    if (first_stage) start_shard(shard);
    const Part mine = part_of(blocks, int(shard), int(shards));
    if (count + (mine.end - mine.begin) > sizes_.group) flush();
    for (int64_t n = mine.begin; n < mine.end; ++n) {
      if (first_stage) block_totals_[n] = {0, 0, true};
      group[count] = block_of(step, n, shard);
      group[count].scratch = scratch_.data() + (thread * sizes_.group + count) * scratch_bytes_;
      if (++count == sizes_.group) flush();
    }
  }
  flush();
}

void Plan::run_stages(const Step& step, const Member& member) {
  for (size_t s = 0; s < stages_.size(); ++s) {
    run_stage(stages_[s], s == 0, step, member.thread, member.threads);
    member.barrier.wait();
    if (!stages_[s].between.empty()) {
      if (member.thread == 0) finish_between(stages_[s], step.samples);
      member.barrier.wait();
    }
  }
}

void Plan::finish_between(const Stage& stage, int64_t samples) {
  const BatchSums sums = {table_,
                          samples,
                          blocks(samples),
                          statistics_.data(),
                          sizes_.statistics,
                          shared_.data(),
                          parameters_.data(),
                          raw_.data()};
  for (const Between& between : stage.between)
    if (between.backward)
      sums.finish_backward(between.op);
    else
      sums.finish_forward(between.op);
}

Totals Plan::totals(int64_t samples) const {
  Totals sum = {0, 0, true};
  for (int64_t n = 0; n < blocks(samples); ++n) {
    const Totals& block = block_totals_[n];
    sum.loss += block.loss, sum.correct += block.correct, sum.finite &= block.finite;
  }
  return sum;
}

Totals Plan::run(const Batch& batch, double scale, int limit) {
  const int wanted = useful_threads(batch.samples, limit);
  prepare(batch.samples, wanted, 0);
  in_team(wanted, limit, [&](const Member& member) {
    const FlushDenormals flush;
    run_stages({batch, 0, batch.samples, batch.step, scale}, member);
    finish_gradients(batch.samples, member.thread, member.threads);
  });
  return totals(batch.samples);
}

int64_t Plan::memory_bytes() const {
  int64_t bytes = int64_t(statistics_.size() + shared_.size()) * 8;
  for (const Memory* memory : {&parameters_, &gradient_, &raw_, &scratch_, &kept_})
    bytes += int64_t(memory->size());
  for (const Memory& memory : memories_) bytes += int64_t(memory.size());
  return bytes;
}

}  // namespace chainrule
