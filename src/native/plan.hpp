// A network lowered to operations, and the memory to run them in.
//
// A batch is cut into blocks of `lanes` samples. In each stage every block walks through all operations of
// the stage, on whichever thread its shard belongs to; between stages the threads meet, and what couples
// samples is finished. A shard is a fixed range of blocks with raw gradients of its own. Shards depend on the
// batch alone and are added in their order, so the same bits come out at any number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "records.hpp"

namespace chainrule {

// Zeroed memory, aligned for the widest vectors and offered to the kernel as huge pages. Throws
// std::bad_alloc.
class Memory {
 public:
  void reserve(size_t bytes);
  void copy(const Memory& other);
  char* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(char* p) const;
  };
  std::unique_ptr<char, Free> data_;
  size_t size_ = 0;
};

// Where the threads of a step wait for each other. They spin for a moment, then sleep: on a busy machine a
// spinning thread would hold the very core that the others wait for, as OpenMP's own barrier does.
class Meeting {
 public:
  void wait(int threads);

 private:
  std::atomic<int> arrived_{0};
  std::atomic<uint32_t> round_{0};
};

struct Stage {
  std::vector<Operation> operations;
  std::vector<Between> between;  // what follows when all blocks have finished
};

struct Batch {
  const void* inputs;
  Source source;
  const void* targets;
  const int64_t* labels;
  const int64_t* order;  // null: samples in their order
  int64_t samples;
  std::vector<void*> exports;
  uint64_t seed;
  uint32_t step;
};

struct Optimizer {
  UpdateOp op;
  int memories;
  std::vector<int64_t> trainable;  // begin, end, begin, end, ... in the natural parameters
};

class Plan {
 public:
  // Throws std::invalid_argument if the description is malformed.
  explicit Plan(const PlanDescription& description);

  // Begins anew: with these values, and an optimizer that remembers nothing.
  void set_values(const double* parameters, const double* buffers);
  void get_values(double* parameters, double* buffers) const;
  const void* gradient() const { return gradient_.data(); }

  // One pass over a batch: all stages, then the natural gradient if there are parameters to finish. Returns
  // the loss.
  Totals run(const Batch& batch, int threads);

  // Steps first .. first + count of an epoch: batches of `batch_size` out of batch.order. Stops before the
  // update of a step whose loss or gradient is not finite. Returns the number of steps done; totals has one
  // entry for each.
  int64_t train(const Batch& epoch, int64_t batch_size, const double* rates, int64_t first, int64_t count,
                const Optimizer& optimizer, Totals* totals, int threads);

  int64_t memory_bytes() const;

 private:
  template <class Body>
  void in_parallel(int threads, Body&& body);
  void prepare(int64_t samples, int threads, bool moments, int memories);
  void set_scale(int64_t samples);
  void run_stages(const Batch& batch, int64_t first, int64_t samples, uint32_t step, int thread, int threads);
  void run_stage(const Stage& stage, bool first_stage, const Batch& batch, int64_t first, int64_t samples,
                 uint32_t step, int thread, int threads);
  void run_operations(const Stage& stage, const Block* group, int count);
  void start_shard(int64_t shard);
  Block block_of(const Batch& batch, int64_t first, int64_t samples, uint32_t step, int64_t n, int64_t shard);
  void finish_between(const Stage& stage, int64_t samples);
  bool finish_gradients(int64_t samples, int thread, int threads);
  bool train_steps(const Batch& epoch, int64_t batch_size, const double* rates, int64_t first, int64_t count,
                   const Optimizer& optimizer, Totals* totals, int threads, int64_t& done);
  template <class Then>
  bool finish_rows(int64_t samples, int thread, int threads, Then&& then);
  bool finish_and_update(const Optimizer& optimizer, double rate, int64_t step, int64_t samples, int thread,
                         int threads);
  bool buffers_finite() const;
  void pack(int thread, int threads);
  Totals totals(int64_t samples) const;
  int64_t shards(int64_t samples) const { return std::min(blocks(samples), sizes_.shard_limit); }
  int64_t blocks(int64_t samples) const { return (samples + table_.lanes - 1) / table_.lanes; }
  char* parameters_at(int64_t offset) const { return parameters_.data() + offset * table_.number_bytes; }

  const KernelTable& table_;
  Sizes sizes_;
  Storage storage_;
  std::vector<Stage> stages_;
  std::vector<FinishOp> finishes_;
  std::vector<PackOp> packs_;
  std::vector<FoldOp> folds_;
  std::vector<LossOp*> losses_;

  Meeting meeting_;
  Memory parameters_, gradient_, first_moment_, second_moment_, raw_, scratch_, kept_, backup_[3];
  std::vector<double> statistics_, shared_;
  std::vector<Totals> block_totals_;
  int64_t updates_ = 0;
  size_t scratch_bytes_ = 0, kept_bytes_ = 0, raw_bytes_ = 0;
};

// The number of threads that OpenMP would take, 1 in a forked child: its OpenMP has lost its threads.
int thread_count();

}  // namespace chainrule
