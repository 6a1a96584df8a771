// A network lowered to operations, and the memory to run them in.
//
// A batch is cut into blocks of `lanes` samples. In each stage every block walks through all operations of
// the stage, on whichever thread its shard belongs to; between stages the threads wait for each other, and
// what couples samples is finished. A shard is a fixed range of blocks with raw gradients of its own. Shards
// depend on the batch alone and are added in their order, so the same bits come out at any number of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "memory.hpp"
#include "records.hpp"
#include "threads.hpp"

namespace chainrule {

struct Stage {
  std::vector<Operation> operations;
  std::vector<Between> between;  // what follows when all blocks have finished
};

struct Batch {
  const void* inputs;
  Source source;
  const void* targets;
  const int64_t* labels;
  const double* weights;  // of each sample; null: 1
  const int64_t* order;   // null: samples in their order
  int64_t samples;
  std::vector<void*> exports;
  uint64_t seed;
  uint32_t step;
};

// `samples` of a batch, or of an epoch, that are computed together.
struct Step {
  const Batch& batch;
  int64_t first, samples;
  uint32_t number;
  double scale;  // what the weighted sum over the samples is multiplied by
};

// The part of n pieces that belongs to a thread.
struct Part {
  int64_t begin, end;
};
inline Part part_of(int64_t n, int thread, int threads) {
  return {n * thread / threads, n * (thread + 1) / threads};
}

struct Optimizer {
  UpdateOp op;
  int memories;
  std::vector<int64_t> trainable;  // begin, end, begin, end, ... in the natural parameters
};

// Steps first .. first + rates.size() of an epoch: batches of `batch_size` out of batch.order, each with a
// rate and a scale of its loss, on at most so many threads.
struct EpochRequest {
  Batch batch;
  int64_t batch_size, first;
  std::span<const double> rates, scales;
  Optimizer optimizer;
  int threads;
};

class Plan {
 public:
  // Throws std::invalid_argument if the description is malformed.
  explicit Plan(const PlanDescription& description);

  // Begins anew: with these values, and an optimizer that remembers nothing.
  void set_values(const double* parameters, const double* buffers);
  void get_values(double* parameters, double* buffers) const;
  const void* gradient() const { return gradient_.data(); }

  // One pass over a batch, on at most `limit` threads: all stages, then the natural gradient if there are
  // parameters to finish. The weighted sum over the samples, times `scale`, is the loss.
  Totals run(const Batch& batch, double scale, int limit);

  // Stops before the update of a step whose loss or gradient is not finite. Returns the number of steps done;
  // totals has one entry for each. Throws std::invalid_argument if the request is malformed.
  int64_t train(const EpochRequest& request, Totals* totals);

  int64_t memory_bytes() const;

 private:
  Operation with_kernel(const std::string& name, const Operation& operation) const;
  void prepare(int64_t samples, int threads, int memories);
  int useful_threads(int64_t samples, int limit) const;
  void run_stages(const Step& step, const Member& member);
  void run_stage(const Stage& stage, bool first_stage, const Step& step, int thread, int threads);
  void run_operations(const Stage& stage, const Block* group, int count);
  void start_shard(int64_t shard);
  Block block_of(const Step& step, int64_t n, int64_t shard);
  void finish_between(const Stage& stage, int64_t samples);
  bool finish_gradients(int64_t samples, int thread, int threads);
  void expect_sound(const EpochRequest& request) const;
  bool train_steps(const EpochRequest& request, int64_t count, Totals* totals, int64_t& done);
  template <class Then>
  bool finish_rows(int64_t samples, int thread, int threads, Then&& then);
  bool finish_and_update(const Optimizer& optimizer, double rate, int64_t step, int64_t samples, int thread,
                         int threads);
  bool buffers_finite() const;
  void pack(int thread, int threads);
  Totals totals(int64_t samples) const;
  int64_t shards(int64_t samples) const { return std::min(blocks(samples), sizes_.shard_limit); }
  int64_t blocks(int64_t samples) const { return (samples + table_.lanes - 1) / table_.lanes; }

  const KernelTable& table_;
  Sizes sizes_;
  Storage storage_;
  std::vector<Stage> stages_;
  std::vector<FinishOp> finishes_;
  std::vector<PackOp> packs_;
  std::vector<FoldOp> folds_;

  Memory parameters_, gradient_, memories_[kMostMemories], raw_, scratch_, kept_, backup_[1 + kMostMemories];
  std::vector<double> statistics_, shared_;
  std::vector<Totals> block_totals_;
  int64_t updates_ = 0;
  size_t scratch_bytes_ = 0, kept_bytes_ = 0, raw_bytes_ = 0;
};

}  // namespace chainrule
