// Repeats the transcripts that write_plans.py wrote, on one to four threads: the same bits must come out at
// any number of threads, and, but for rounding, what was written down. A program of its own, so that
// sanitizers and emulators of other processors can watch whole networks at work. Arguments: transcripts.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "../../src/native/dispatch.hpp"
#include "transcript.hpp"

namespace chainrule {
namespace {

// Numbers of the plan's type, in memory that ends where they end.
class Numbers {
 public:
  Numbers(const std::vector<double>& values, int bytes) : data_(values.size() * bytes) {
    for (size_t i = 0; i < values.size(); ++i) {
      const float narrow = float(values[i]);
      if (bytes == 1) data_[i] = char(uint8_t(values[i]));
      if (bytes == 4) std::memcpy(&data_[4 * i], &narrow, 4);
      if (bytes == 8) std::memcpy(&data_[8 * i], &values[i], 8);
    }
  }
  char* data() { return data_.data(); }
  std::vector<double> values(int bytes) const {
    std::vector<double> result(data_.size() / bytes);
    for (size_t i = 0; i < result.size(); ++i) {
      float narrow;
      if (bytes == 4) std::memcpy(&narrow, &data_[4 * i], 4), result[i] = narrow;
      if (bytes == 8) std::memcpy(&result[i], &data_[8 * i], 8);
    }
    return result;
  }

 private:
  std::vector<char> data_;
};

// What came out of every event, in its order.
using Results = std::vector<std::vector<double>>;

// One plan, and the events on it.
class Repetition {
 public:
  Repetition(const Transcript& transcript, int threads)
      : transcript_(transcript),
        plan_(std::make_unique<Plan>(transcript.plan)),
        sizes_(make_sizes(transcript.plan.sizes)),
        threads_(threads) {
    for (const Event& event : transcript.events) {
      if (event.what == "values")
        plan_->set_values(event.first.data(), event.second.data());
      else
        on_batch(event);
    }
  }

  const Results& results() const { return results_; }

 private:
  void on_batch(const Event& event) {
    const int bytes = transcript_.plan.number_bytes;
    Numbers inputs(event.inputs, event.bytes ? 1 : bytes), numbers(event.numbers, bytes);
    Batch batch = {};
    batch.inputs = inputs.data();
    batch.source = event.bytes ? Source::kBytes : Source::kSame;
    if (!event.indices.empty())
      batch.targets = event.indices.data();
    else if (!event.numbers.empty())
      batch.targets = numbers.data();
    batch.labels = event.labels.empty() ? nullptr : event.labels.data();
    batch.weights = event.weights.empty() ? nullptr : event.weights.data();
    batch.seed = uint64_t(event.seed), batch.step = uint32_t(event.step);
    if (event.what == "run")
      run(event, batch);
    else
      train(event, batch);
  }

  void run(const Event& event, Batch& batch) {
    const int bytes = transcript_.plan.number_bytes;
    batch.samples = event.samples;
    std::vector<Numbers> exports;
    for (size_t k = 3; k < event.results.size(); ++k)
      exports.emplace_back(std::vector<double>(event.results[k].size()), bytes);
    for (Numbers& array : exports) batch.exports.push_back(array.data());
    const Totals totals = plan_->run(batch, event.scale, threads_);
    results_.push_back({totals.loss});
    results_.push_back({totals.correct});
    Numbers gradient(std::vector<double>(sizes_.parameters), bytes);
    if (sizes_.parameters > 0) std::memcpy(gradient.data(), plan_->gradient(), sizes_.parameters * bytes);
    results_.push_back(gradient.values(bytes));
    for (const Numbers& array : exports) results_.push_back(array.values(bytes));
  }

  void train(const Event& event, Batch& batch) {
    batch.samples = int64_t(event.order.size());
    batch.order = event.order.data();
    const EpochRequest request = {
        batch,       event.batch_size, event.begin,
        event.rates, event.scales,     {make_update(event.update), int(event.memories), event.trainable},
        threads_};
    std::vector<Totals> totals(event.rates.size());
    totals.resize(plan_->train(request, totals.data()));
    std::vector<double> losses, correct;
    for (const Totals& step : totals) losses.push_back(step.loss), correct.push_back(step.correct);
    std::vector<double> parameters(sizes_.parameters), buffers(sizes_.buffers);
    plan_->get_values(parameters.data(), buffers.data());
    results_.insert(results_.end(), {losses, correct, parameters, buffers});
  }

  const Transcript& transcript_;
  std::unique_ptr<Plan> plan_;
  Sizes sizes_;
  int threads_;
  Results results_;
};

// Another compiler, or processor, may round otherwise.
void compare(const std::vector<double>& got, const std::vector<double>& written, int number_bytes) {
  if (got.size() != written.size()) fail("a result of another size");
  double largest = 0;
  for (double number : written) largest = std::max(largest, std::fabs(number));
  const double allowed = (number_bytes == 4 ? 1e-4 : 1e-10) * largest;
  for (size_t i = 0; i < got.size(); ++i)
    if (!(std::fabs(got[i] - written[i]) <= allowed))
      fail("number " + std::to_string(i) + " is " + std::to_string(got[i]) + " instead of " +
           std::to_string(written[i]));
}

void repeat(const Transcript& transcript) {
  const Repetition alone(transcript, 1);
  size_t index = 0;
  for (const Event& event : transcript.events)
    for (const std::vector<double>& written : event.results)
      compare(alone.results()[index++], written, transcript.plan.number_bytes);
  for (int threads = 2; threads <= 4; ++threads)
    if (Repetition(transcript, threads).results() != alone.results())
      fail("other bits on " + std::to_string(threads) + " threads");
}

}  // namespace
}  // namespace chainrule

int main(int count, char** paths) {
  for (int i = 1; i < count; ++i) {
    chainrule::Words words(paths[i]);
    const int64_t plans = words.whole();
    for (int64_t n = plans; n > 0; --n) chainrule::repeat(chainrule::Transcript(words));
    std::printf("%s: %d plans, the same bits on 1 to 4 threads\n", paths[i], int(plans));
  }
  return count > 1 ? 0 : 1;
}
