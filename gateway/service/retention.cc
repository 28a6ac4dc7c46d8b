#include "gateway/service/retention.h"

namespace lotsen::service {

namespace {

constexpr auto kBetweenSteps = std::chrono::milliseconds(250);
constexpr auto kBetweenWalks = std::chrono::hours(1);
constexpr std::size_t kKeysTogether = 256;

}  // namespace

RetentionRunner::RetentionRunner(store::Store& store, Clock& clock, KeepFor keepFor, Hooks hooks)
    : store_(store), clock_(clock), keepFor_(keepFor), hooks_(std::move(hooks)) {}

RetentionRunner::~RetentionRunner() {
  stop();
}

void RetentionRunner::start() {
  LOTSEN_CHECK(!thread_.joinable());
  thread_ = std::thread([this] { loop(); });
}

void RetentionRunner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<bool> RetentionRunner::step() {
  const Instant now = clock_.now();
  const auto before = [&](const std::optional<milliseconds>& kept) -> std::optional<Instant> {
    if (!kept) return std::nullopt;
    return now - *kept;
  };
  const store::Retention retention{before(keepFor_.records), before(keepFor_.deliveries), before(keepFor_.attempts),
                                   before(keepFor_.audit)};
  if (after_.empty()) {  // a walk begins with the keys, a step for each handful
    LOTSEN_TRY(const std::size_t forgotten, store_.forgetKeys(now - kKeys, kKeysTogether));
    if (forgotten > 0) return true;
  }
  LOTSEN_TRY(const store::Purged purged, store_.purge(retention, after_, now));
  after_ = purged.more ? purged.next : store::Id();
  if (purged.records + purged.deliveries + purged.attempts + purged.audit > 0) hooks_.removed(purged);
  return purged.more || purged.audit > 0;
}

void RetentionRunner::loop() {
  for (;;) {
    const auto more = step();
    if (!more.ok() && more.error().code != Code::Busy) return hooks_.troubled(more.error());
    const bool goOn = !more.ok() || *more;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, goOn ? std::chrono::milliseconds(kBetweenSteps) : std::chrono::milliseconds(kBetweenWalks),
                   [this] { return stopping_; });
    if (stopping_) return;
  }
}

}  // namespace lotsen::service
