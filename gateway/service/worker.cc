#include "gateway/service/worker.h"

namespace lotsen::service {

namespace {

constexpr std::size_t kBatch = 16;
// What is thought is kept for this long, so that it is saved together: the wait for the disk is the price, not the
// write.
constexpr auto kSaveAfter = std::chrono::milliseconds(20);
constexpr auto kLease = std::chrono::seconds(60);
constexpr auto kRetry = std::chrono::seconds(10);
constexpr auto kIdle = std::chrono::milliseconds(500);  // due times in the future are noticed this late at most

}  // namespace

Worker::Worker(store::Store& store, Current& configuration, Clock& clock, Thinker thinker, store::Owner owner,
               WorkerHooks hooks)
    : store_(store),
      configuration_(configuration),
      clock_(clock),
      owner_(std::move(owner)),
      hooks_(std::move(hooks)),
      thinker_(std::move(thinker)) {}

Worker::~Worker() {
  stop();
}

void Worker::start() {
  LOTSEN_CHECK(!thread_.joinable());
  thread_ = std::thread([this] { loop(); });
}

void Worker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wakeUp_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Worker::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wakeUp_.notify_one();
}

Result<std::size_t> Worker::round() {
  const Instant now = clock_.now();
  LOTSEN_TRY(const auto due, store_.claimTransfers(owner_, kBatch, now, now + kLease));
  const auto configuration = configuration_.get();
  std::vector<store::TransferChange> thought;
  Instant since = now;
  for (const auto& work : due) {
    auto change = thinker_.think(*configuration, work);
    if (!change.ok()) {
      hooks_.troubled(change.error());
      LOTSEN_TRY_DO(store_.returnTransfer(work.transfer.id, work.token, now + kRetry));
      continue;
    }
    thought.push_back(std::move(*change));
    if (clock_.now() - since < kSaveAfter) continue;
    LOTSEN_TRY_DO(save(std::exchange(thought, {})));
    since = clock_.now();
  }
  LOTSEN_TRY_DO(save(std::move(thought)));
  return due.size();
}

Status Worker::save(std::vector<store::TransferChange> thought) {
  if (thought.empty()) return done();
  for (const auto& saved : store_.saveTransfers(std::move(thought), clock_.now())) {
    // Conflict: the lease ran out and another pass has the transfer; what we thought is of no use any more.
    if (!saved.ok() && saved.error().code != Code::Conflict) return saved.error();
  }
  hooks_.legsChanged();
  return done();
}

void Worker::loop() {
  for (;;) {
    const auto worked = round();
    if (!worked.ok()) {
      if (worked.error().code != Code::Busy) {
        hooks_.fatal(worked.error());
        return;
      }
      hooks_.troubled(worked.error());
    }
    std::unique_lock lock(mutex_);
    if (!worked.ok() || *worked == 0) wakeUp_.wait_for(lock, kIdle, [this] { return woken_ || stopping_; });
    woken_ = false;
    if (stopping_) return;
  }
}

}  // namespace lotsen::service
