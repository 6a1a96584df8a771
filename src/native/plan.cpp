#include "plan.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#include "dispatch.hpp"
#include "fold.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(_OPENMP)
#include <omp.h>
#endif
#if !defined(_WIN32)
#include <unistd.h>
#endif
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace chainrule {

namespace {

constexpr size_t kAlignment = 64, kHugePage = size_t(2) << 20;
constexpr size_t kBeyond = 4 * kAlignment;  // a tile of filters may read four vectors past the last weight

size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// Sizes come from the user's shapes and batches: products that no machine can hold must not wrap around.
size_t times(size_t a, size_t b) {
  size_t product;
  if (__builtin_mul_overflow(a, b, &product) || product > size_t(1) << 62) throw std::bad_alloc();
  return product;
}

#if !defined(_OPENMP)
int omp_get_thread_num() { return 0; }
int omp_get_num_threads() { return 1; }
int omp_get_max_threads() { return 1; }
#endif

// Numbers too small for full precision cost a hundred cycles each on many processors. While a plan runs they
// count as zero; the caller's setting comes back afterwards.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(before_));
    asm volatile("msr fpcr, %0" : : "r"(before_ | (uint64_t(1) << 24)));
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" : : "r"(before_)); }

 private:
  uint64_t before_;
#endif
};

constexpr int64_t kStretch = 4096;  // numbers of a gradient that are summed and applied at a time
constexpr int64_t kTile = 8;        // rows that a dense layer's gradient computes at a time
constexpr int kSpins = 4000;        // about 50 microseconds

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The part of n pieces that belongs to a thread.
struct Part {
  int64_t begin, end;
};
Part part_of(int64_t n, int thread, int threads) {
  return {n * thread / threads, n * (thread + 1) / threads};
}

}  // namespace

void Meeting::wait(int threads) {
  if (threads == 1) return;
  const uint32_t round = round_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    return;
  }
  for (int spin = 0; spin < kSpins; ++spin) {
    if (round_.load(std::memory_order_acquire) != round) return;
    pause();
  }
  while (round_.load(std::memory_order_acquire) == round) round_.wait(round, std::memory_order_acquire);
}

void Memory::Free::operator()(char* p) const { std::free(p); }

void Memory::reserve(size_t bytes) {
  if (bytes <= size_) return;
  data_.reset();
  size_ = 0;
  const size_t alignment = bytes >= kHugePage ? kHugePage : kAlignment;
  const size_t total = rounded(bytes + kAlignment, alignment);
  if (total < bytes) throw std::bad_alloc();
  data_.reset(static_cast<char*>(std::aligned_alloc(alignment, total)));
  if (!data_) throw std::bad_alloc();
#if defined(__linux__)
  if (alignment == kHugePage) madvise(data_.get(), total, MADV_HUGEPAGE);
#endif
  std::memset(data_.get(), 0, total);
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(data_.get() + bytes, total - bytes);
#endif
  size_ = bytes;
}

void Memory::copy(const Memory& other) {
  reserve(other.size_);
  if (other.size_ > 0) std::memcpy(data_.get(), other.data_.get(), other.size_);
}

#if !defined(_WIN32)
static const pid_t first_process = getpid();  // when the library is loaded, before anyone can fork
#endif

int thread_count() {
#if !defined(_WIN32)
  if (getpid() != first_process) return 1;
#endif
  return omp_get_max_threads();
}

Plan::Plan(const PlanDescription& description)
    : table_(table_for(description.isa, description.number_bytes, description.lanes)),
      sizes_(make_sizes(description.sizes)) {
  for (const PlanDescription::Part& part : description.stages) {
    Stage& stage = stages_.emplace_back();
    for (const NamedFields& named : part.operations) {
      stage.operations.push_back(make_operation(named, sizes_, storage_));
      const Operation& made = stage.operations.back();
      if (made.kind == OpKind::loss) losses_.push_back(static_cast<LossOp*>(const_cast<void*>(made.record)));
    }
    for (const NamedFields& named : part.between) stage.between.push_back(make_between(named));
  }
  for (const Fields& fields : description.finishes)
    finishes_.push_back(make_finish(fields, sizes_, storage_));
  for (const Fields& fields : description.packs) packs_.push_back(make_pack(fields, storage_));
  for (const Fields& fields : description.folds) folds_.push_back(make_fold(fields, sizes_));
  const size_t bytes = table_.number_bytes;
  parameters_.reserve(times(sizes_.parameters + sizes_.buffers + sizes_.packed, bytes) + kBeyond);
  gradient_.reserve(times(sizes_.parameters, bytes));
  shared_.resize(sizes_.shared);
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
  for (Memory* moment : {&first_moment_, &second_moment_})
    if (moment->size() > 0) std::memset(moment->data(), 0, moment->size());
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

template <class Body>
void Plan::in_parallel(int threads, Body&& body) {
#if defined(_OPENMP)
#pragma omp parallel num_threads(threads) if (threads > 1)
#endif
  {
    FlushDenormals flush;
    body(omp_get_thread_num(), omp_get_num_threads());  // may be fewer than asked for
  }
}

// Memory for a batch. Scratch does not grow with it; kept memory is there only where values cross a stage.
void Plan::prepare(int64_t samples, int threads, bool moments, int memories) {
  const size_t bytes = table_.number_bytes;
  const int64_t blocks = this->blocks(samples);
  scratch_bytes_ = rounded(times(sizes_.scratch, bytes), kAlignment);
  kept_bytes_ = rounded(times(sizes_.kept, bytes), kAlignment);
  raw_bytes_ = rounded(times(sizes_.raw, bytes), kAlignment);
  scratch_.reserve(times(times(scratch_bytes_, sizes_.group), threads));
  kept_.reserve(times(kept_bytes_, blocks));
  raw_.reserve(times(raw_bytes_, shards(samples)));
  times(times(sizes_.statistics, blocks), sizeof(double));
  statistics_.resize(sizes_.statistics * blocks);
  block_totals_.resize(blocks);
  if (moments && memories > 0) first_moment_.reserve(sizes_.parameters * bytes);
  if (moments && memories > 1) second_moment_.reserve(sizes_.parameters * bytes);
}

void Plan::set_scale(int64_t samples) {
  const double scale = sizes_.loss_divisor == 0 ? 1.0 : 1.0 / (double(samples) * double(sizes_.loss_divisor));
  for (LossOp* loss : losses_) loss->scale = scale;
}

void Plan::start_shard(int64_t shard) {
  char* raw = raw_.data() + shard * raw_bytes_;
  for (size_t k = 0; k + 1 < sizes_.zeroed.size(); k += 2)
    std::memset(raw + sizes_.zeroed[k] * table_.number_bytes, 0,
                (sizes_.zeroed[k + 1] - sizes_.zeroed[k]) * table_.number_bytes);
}

Block Plan::block_of(const Batch& batch, int64_t first, int64_t samples, uint32_t step, int64_t n,
                     int64_t shard) {
  Block block = {};
  block.kept = kept_.data() + n * kept_bytes_;
  block.parameters = parameters_.data();
  block.gradients = raw_.data() + shard * raw_bytes_;
  block.fresh = n == part_of(blocks(samples), int(shard), int(shards(samples))).begin;
  block.statistics = statistics_.data() + n * sizes_.statistics;
  block.shared = shared_.data();
  block.inputs = batch.inputs;
  block.source = batch.source;
  block.order = batch.order == nullptr ? nullptr : batch.order + first;
  block.first = n * table_.lanes;
  block.lanes = table_.lanes;
  block.used = int32_t(std::min<int64_t>(table_.lanes, samples - block.first));
  block.targets = batch.targets;
  block.labels = batch.labels;
  block.exports = batch.exports.data();
  block.seed = batch.seed;
  block.step = step;
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
void Plan::run_stage(const Stage& stage, bool first_stage, const Batch& batch, int64_t first, int64_t samples,
                     uint32_t step, int thread, int threads) {
  const int64_t blocks = this->blocks(samples), shards = this->shards(samples);
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
      group[count] = block_of(batch, first, samples, step, n, shard);
      group[count].scratch = scratch_.data() + (thread * sizes_.group + count) * scratch_bytes_;
      if (++count == sizes_.group) flush();
    }
  }
  flush();
}

void Plan::run_stages(const Batch& batch, int64_t first, int64_t samples, uint32_t step, int thread,
                      int threads) {
  for (size_t s = 0; s < stages_.size(); ++s) {
    run_stage(stages_[s], s == 0, batch, first, samples, step, thread, threads);
    meeting_.wait(threads);
    if (!stages_[s].between.empty()) {
      if (thread == 0) finish_between(stages_[s], samples);
      meeting_.wait(threads);
    }
  }
}

namespace {

// Mean and squared deviations of all blocks from those of each, by Chan's rule, in the order of the blocks.
struct Merged {
  double count = 0, mean = 0, deviations = 0;
  void add(double n, double block_mean, double block_deviations) {
    if (n == 0) return;
    const double total = count + n, delta = block_mean - mean;
    deviations += block_deviations + delta * delta * count * n / total;
    mean += delta * n / total;
    count = total;
  }
};

}  // namespace

void Plan::finish_between(const Stage& stage, int64_t samples) {
  const int64_t blocks = this->blocks(samples);
  const auto number = [&](int64_t offset, double value, bool mix, double share) {
    const auto put = [&]<class T>(T* p) {
      *p = mix ? T((1 - share) * double(*p) + share * value) : T(value);
    };
    if (table_.number_bytes == 4)
      put(reinterpret_cast<float*>(parameters_at(offset)));
    else
      put(reinterpret_cast<double*>(parameters_at(offset)));
  };
  const auto add_raw = [&](int64_t offset, double value) {
    if (table_.number_bytes == 4)
      reinterpret_cast<float*>(raw_.data())[offset] += float(value);
    else
      reinterpret_cast<double*>(raw_.data())[offset] += value;
  };
  for (const Between& between : stage.between) {
    const BatchNormOp& op = between.op;
    const double count = double(samples) * op.places;
    for (int64_t c = 0; c < op.channels; ++c) {
      if (!between.backward) {
        Merged merged;
        for (int64_t n = 0; n < blocks; ++n) {
          const double* own = statistics_.data() + n * sizes_.statistics + op.forward_statistics + 2 * c;
          const int64_t used = std::min<int64_t>(table_.lanes, samples - n * table_.lanes);
          merged.add(double(used) * op.places, own[0], own[1]);
        }
        const double variance = merged.deviations / count;
        double* shared = shared_.data() + op.forward_statistics + 2 * c;
        shared[0] = merged.mean;
        shared[1] = 1 / std::sqrt(variance + op.eps);
        number(op.running_mean + c, merged.mean, true, op.momentum);
        number(op.running_var + c, merged.deviations / (count - 1), true, op.momentum);
      } else {
        double dy = 0, product = 0;
        for (int64_t n = 0; n < blocks; ++n) {
          const double* own = statistics_.data() + n * sizes_.statistics + op.backward_statistics + 2 * c;
          dy += own[0], product += own[1];
        }
        double* shared = shared_.data() + op.backward_statistics + 2 * c;
        shared[0] = dy / count, shared[1] = product / count;
        if (const int64_t* raw = op.raw_weight.get()) add_raw(*raw + c, product);
        if (const int64_t* raw = op.raw_bias.get()) add_raw(*raw + c, dy);
      }
    }
  }
}

bool Plan::finish_gradients(int64_t samples, int thread, int threads) {
  return finish_rows(samples, thread, threads, [](int64_t, int64_t) { return true; });
}

// Sums up the raw gradients of the thread's share of rows, a few at a time, and hands each stretch [begin,
// end) of the natural gradient on while it is in cache. Returns whether all is finite.
template <class Then>
bool Plan::finish_rows(int64_t samples, int thread, int threads, Then&& then) {
  bool finite = true;
  for (const FinishOp& op : finishes_) {
    const Part rows = part_of(op.rows, thread, threads);
    const int64_t stretch = std::max<int64_t>(1, kStretch / op.columns / kTile) * kTile;
    for (int64_t row = rows.begin; row < rows.end; row += stretch) {
      const int64_t next = std::min(row + stretch, rows.end);
      if (op.layout == RawLayout::kDense)
        table_.finish_dense(op, kept_.data(), int64_t(kept_bytes_), blocks(samples), gradient_.data(), row,
                            next);
      else
        table_.finish(op, raw_.data(), int64_t(raw_bytes_), int32_t(shards(samples)), gradient_.data(), row,
                      next);
      const int64_t begin = op.natural + row * op.columns, end = op.natural + next * op.columns;
      finite &= table_.all_finite(gradient_.data(), begin, end);
      finite &= then(begin, end);
    }
  }
  return finite;
}

// A thread moves what it has finished, all gradients being known by then. Returns whether all is finite.
bool Plan::finish_and_update(const Optimizer& optimizer, double rate, int64_t step, int64_t samples,
                             int thread, int threads) {
  return finish_rows(samples, thread, threads, [&](int64_t begin, int64_t end) {
    bool finite = true;
    for (size_t k = 0; k + 1 < optimizer.trainable.size(); k += 2) {
      const int64_t low = std::max(begin, optimizer.trainable[k]),
                    high = std::min(end, optimizer.trainable[k + 1]);
      if (low >= high) continue;
      table_.update(optimizer.op, parameters_.data(), gradient_.data(),
                    optimizer.memories > 0 ? first_moment_.data() : nullptr,
                    optimizer.memories > 1 ? second_moment_.data() : nullptr, rate, step, low, high);
      finite &= table_.all_finite(parameters_.data(), low, high);
    }
    return finite;
  });
}

void Plan::pack(int thread, int threads) {
  for (const PackOp& op : packs_) {
    const Part rows = part_of(int64_t(op.groups) * op.out, thread, threads);
    table_.pack(op, parameters_.data(), rows.begin, rows.end);
  }
}

Totals Plan::totals(int64_t samples) const {
  Totals sum = {0, 0, true};
  for (int64_t n = 0; n < blocks(samples); ++n) {
    const Totals& block = block_totals_[n];
    sum.loss += block.loss, sum.correct += block.correct, sum.finite &= block.finite;
  }
  return sum;
}

Totals Plan::run(const Batch& batch, int threads) {
  threads = int(std::clamp<int64_t>(shards(batch.samples), 1, std::max(threads, 1)));
  prepare(batch.samples, threads, false, 0);
  set_scale(batch.samples);
  in_parallel(threads, [&](int thread, int threads) {
    run_stages(batch, 0, batch.samples, batch.step, thread, threads);
    finish_gradients(batch.samples, thread, threads);
  });
  return totals(batch.samples);
}

int64_t Plan::train(const Batch& epoch, int64_t batch_size, const double* rates, int64_t first, int64_t count,
                    const Optimizer& optimizer, Totals* totals, int threads) {
  const int64_t largest = std::min(batch_size, epoch.samples);
  threads = int(std::clamp<int64_t>(shards(largest), 1, std::max(threads, 1)));
  prepare(largest, threads, true, optimizer.memories);
  const Memory* states[] = {&parameters_, &first_moment_, &second_moment_};
  for (int k = 0; k < 3; ++k) backup_[k].copy(*states[k]);
  const int64_t updates = updates_;
  int64_t done = 0;
  if (train_steps(epoch, batch_size, rates, first, count, optimizer, totals, threads, done)) return done;
  // Something in the last step was not finite. Steps are repeatable to the bit: begin again and stop before
  // it.
  parameters_.copy(backup_[0]), first_moment_.copy(backup_[1]), second_moment_.copy(backup_[2]);
  updates_ = updates;
  const int64_t good = done - 1;
  train_steps(epoch, batch_size, rates, first, good, optimizer, totals, threads, done);
  return good;
}

// Returns whether losses, gradients and parameters were finite in all of the `done` steps.
bool Plan::train_steps(const Batch& epoch, int64_t batch_size, const double* rates, int64_t first,
                       int64_t count, const Optimizer& optimizer, Totals* totals, int threads,
                       int64_t& done) {
  std::atomic<bool> finite{true};
  done = 0;
  in_parallel(threads, [&](int thread, int threads) {
    for (int64_t k = 0; k < count; ++k) {
      const int64_t begin = (first + k) * batch_size, samples = std::min(batch_size, epoch.samples - begin);
      if (thread == 0) set_scale(samples);  // all blocks of the step before are done
      meeting_.wait(threads);
      if (!finite) return;
      run_stages(epoch, begin, samples, epoch.step + uint32_t(k), thread, threads);
      if (!finish_and_update(optimizer, rates[k], updates_ + k + 1, samples, thread, threads)) finite = false;
      pack(thread, threads);
      if (thread == 0) {
        totals[k] = this->totals(samples);
        if (!std::isfinite(totals[k].loss) || !buffers_finite()) finite = false;
        done = k + 1;
      }
    }
  });
  updates_ += done;
  return finite;
}

bool Plan::buffers_finite() const {
  return table_.all_finite(parameters_.data(), sizes_.parameters, sizes_.parameters + sizes_.buffers);
}

int64_t Plan::memory_bytes() const {
  int64_t bytes = int64_t(statistics_.size() + shared_.size()) * 8;
  for (const Memory* memory :
       {&parameters_, &gradient_, &first_moment_, &second_moment_, &raw_, &scratch_, &kept_})
    bytes += int64_t(memory->size());
  return bytes;
}

}  // namespace chainrule
