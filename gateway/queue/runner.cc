#include "gateway/queue/runner.h"

#include <algorithm>

namespace lotsen::queue {

Runner::Runner(Core& core, Transport& transport, Clock& clock, Hooks hooks)
    : core_(core), transport_(transport), clock_(clock), hooks_(std::move(hooks)) {}

Runner::~Runner() {
  stop();
}

void Runner::start() {
  thread_ = std::thread([this] { loop(); });
}

void Runner::stop(milliseconds grace) {
  if (!thread_.joinable()) return;
  graceMs_ = grace.count();
  stopping_ = true;
  transport_.wake();
  thread_.join();
}

void Runner::loop() {
  Instant next = clock_.now();
  std::optional<Instant> giveUpAt;
  for (;;) {
    const milliseconds wait = std::clamp<milliseconds>(next - clock_.now(), milliseconds(0), Core::kSweepEvery);
    const std::vector<Answer> answers = transport_.take(wait);
    if (stopping_ && !giveUpAt) {
      core_.stopClaiming();
      giveUpAt = clock_.now() + milliseconds(graceMs_);
    }
    const Result<Core::Step> step = core_.step(answers);
    if (!step.ok()) {
      if (hooks_.fatal) hooks_.fatal(step.error());
      return;
    }
    if (step->settled > 0 && hooks_.finished) hooks_.finished();
    next = step->next;
    if (giveUpAt) {
      if (step->inFlight == 0 || clock_.now() >= *giveUpAt) return;
      next = std::min(next, *giveUpAt);
    }
  }
}

}  // namespace lotsen::queue
