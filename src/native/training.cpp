// What a plan does with gradients: they are finished, parameters move, and steps follow each other.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <string>

#include "denormals.hpp"
#include "plan.hpp"

namespace chainrule {

namespace {

constexpr int64_t kStretch = 4096;  // numbers of a gradient that are summed and applied at a time
constexpr int64_t kTile = 8;        // rows that a dense layer's gradient computes at a time

}  // namespace

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
  void* memories[kMostMemories] = {};
  for (int k = 0; k < optimizer.memories; ++k) memories[k] = memories_[k].data();
  return finish_rows(samples, thread, threads, [&](int64_t begin, int64_t end) {
    bool finite = true;
    for (size_t k = 0; k + 1 < optimizer.trainable.size(); k += 2) {
      const int64_t low = std::max(begin, optimizer.trainable[k]),
                    high = std::min(end, optimizer.trainable[k + 1]);
      if (low >= high) continue;
      table_.update(optimizer.op, parameters_.data(), gradient_.data(), memories, rate, step, low, high);
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

void Plan::expect_sound(const EpochRequest& request) const {
  const auto expect = [](bool sound, const char* wrong) {
    if (!sound) throw std::invalid_argument(std::string("the request of an epoch is malformed: ") + wrong);
  };
  const int64_t samples = request.batch.samples, count = int64_t(request.rates.size());
  expect(request.scales.size() == request.rates.size(), "a step has one rate and one scale");
  expect(request.batch_size > 0 && request.first >= 0, "there is no such batch");
  expect(request.first <= samples / request.batch_size &&
             (count == 0 || request.first + count - 1 <= (samples - 1) / request.batch_size),
         "there are more steps than batches");
  expect(request.optimizer.memories >= 0 && request.optimizer.memories <= kMostMemories,
         "an optimizer remembers too much");
  const std::vector<int64_t>& trainable = request.optimizer.trainable;
  expect(trainable.size() % 2 == 0, "'trainable' has a beginning without an end");
  for (size_t k = 0; k < trainable.size(); k += 2)
    expect(0 <= trainable[k] && trainable[k] <= trainable[k + 1] && trainable[k + 1] <= sizes_.parameters,
           "'trainable' lies outside of the parameters");
}

int64_t Plan::train(const EpochRequest& request, Totals* totals) {
  expect_sound(request);
  const int64_t largest = std::min(request.batch_size, request.batch.samples);
  prepare(largest, useful_threads(largest, request.threads), request.optimizer.memories);
  backup_[0].copy(parameters_);
  for (int k = 0; k < kMostMemories; ++k) backup_[1 + k].copy(memories_[k]);
  const int64_t updates = updates_;
  int64_t done = 0;
  if (train_steps(request, int64_t(request.rates.size()), totals, done)) return done;
  // Something in the last step was not finite. Steps are repeatable to the bit: begin again and stop before
  // it.
  parameters_.copy(backup_[0]);
  for (int k = 0; k < kMostMemories; ++k) memories_[k].copy(backup_[1 + k]);
  updates_ = updates;
  const int64_t good = done - 1;
  train_steps(request, good, totals, done);
  return good;
}

// The first `count` steps. Returns whether losses, gradients and parameters were finite in all of the `done`.
bool Plan::train_steps(const EpochRequest& request, int64_t count, Totals* totals, int64_t& done) {
  std::atomic<bool> finite{true};
  done = 0;
  const Batch& epoch = request.batch;
  const int64_t batch_size = request.batch_size;
  const int team = useful_threads(std::min(batch_size, epoch.samples), request.threads);
  in_team(team, request.threads, [&](const Member& member) {
    const FlushDenormals flush;
    const int thread = member.thread, threads = member.threads;
    for (int64_t k = 0; k < count; ++k) {
      const int64_t begin = (request.first + k) * batch_size,
                    samples = std::min(batch_size, epoch.samples - begin);
      member.barrier.wait();  // all of the step before is done
      if (!finite) return;
      run_stages({epoch, begin, samples, epoch.step + uint32_t(k), request.scales[k]}, member);
      if (!finish_and_update(request.optimizer, request.rates[k], updates_ + k + 1, samples, thread, threads))
        finite = false;
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

}  // namespace chainrule
