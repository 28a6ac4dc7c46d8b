#include "gateway/store/sqlite/writer.h"

#include <algorithm>

namespace lotsen::store::sqlite {

Writer::Writer(std::unique_ptr<Connection> connection, crypto::Digest256 chain, Options options)
    : options_(std::move(options)), connection_(std::move(connection)), write_{*connection_, chain} {
  thread_ = std::thread([this] { loop(); });
}

Writer::~Writer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  thread_.join();
}

Status Writer::enqueue(Durable durable, std::size_t bytes, const std::function<Status(Write&)>& work) {
  Job job;
  job.work = &work;
  job.durable = durable;
  job.bytes = bytes;
  std::unique_lock lock(mutex_);
  if (dead_) return fail(Code::Unavailable, dead_->message);
  if (stopping_) return fail(Code::Unavailable, "database: the store is closing");
  if (waiting_.size() >= options_.maxWaiting) {
    return fail(Code::Busy, "database: too many writes are waiting; try again in a moment");
  }
  waiting_.push_back(&job);
  arrived_.notify_one();
  job.wake.wait(lock, [&] { return job.finished; });
  return std::move(job.result);
}

void Writer::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::vector<Job*> group = takeGroup();
    lock.unlock();
    runGroup(group);
    lock.lock();
    // Told under the lock: a job lives on its caller's stack and is gone as soon as the caller may look.
    for (Job* job : group) {
      job->finished = true;
      job->wake.notify_one();
    }
    if (dead_) continue;
    lock.unlock();
    checkpointIfDue();
    lock.lock();
  }
}

std::vector<Writer::Job*> Writer::takeGroup() {
  std::vector<Job*> group;
  std::size_t bytes = 0;
  while (!waiting_.empty() && group.size() < options_.maxGroup) {
    Job* job = waiting_.front();
    if (!group.empty() && bytes + job->bytes > options_.maxGroupBytes) break;
    bytes += job->bytes;
    group.push_back(job);
    waiting_.pop_front();
  }
  return group;
}

void Writer::refuse(const std::vector<Job*>& group, const Error& error) {
  for (Job* job : group) job->result = error;
}

void Writer::setSync(const std::vector<Job*>& group) {
  const bool sync =
      std::any_of(group.begin(), group.end(), [](const Job* job) { return job->durable == Durable::Now; });
  if (sync == syncing_) return;
  connection_->execute(sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
  syncing_ = sync;
}

void Writer::runGroup(const std::vector<Job*>& group) {
  {
    std::lock_guard lock(mutex_);
    if (dead_) return refuse(group, fail(Code::Unavailable, dead_->message));
  }
  const crypto::Digest256 chainBefore = write_.chain;
  bool committing = false;
  try {
    setSync(group);
    Transaction transaction(*connection_);
    for (Job* job : group) runOne(*job);
    committing = true;
    transaction.commit();
  } catch (const Fault& fault) {
    write_.chain = chainBefore;
    const bool unknown = committing && fault.error().code != Code::Busy;
    Error error = fault.error();
    if (unknown) error = fail(Code::Ambiguous, "the commit failed and may or may not be on the disk: " + fault.message);
    refuse(group, error);
    if (unknown || fault.fatal()) die(fault.error());
  }
}

void Writer::runOne(Job& job) {
  const crypto::Digest256 chainBefore = write_.chain;
  connection_->prepare("SAVEPOINT item").run();
  try {
    job.result = (*job.work)(write_);
  } catch (const Fault& fault) {
    // After these libsqlite3 may have rolled back the whole transaction, and no later commit is to be trusted.
    if (fault.fatal() || !connection_->inTransaction()) throw;
    job.result = fault.error();
  }
  if (!job.result.ok()) {
    write_.chain = chainBefore;
    connection_->prepare("ROLLBACK TO item").run();
  }
  connection_->prepare("RELEASE item").run();
}

void Writer::checkpointIfDue() {
  if (connection_->logPages() < options_.checkpointPages) return;
  try {
    // Readers that always overlap would keep the log from starting anew; eight times too long, they are waited for.
    const bool tooLong = connection_->logPages() > 8 * options_.checkpointPages;
    connection_->checkpoint(tooLong ? Connection::Checkpoint::Restart : Connection::Checkpoint::Passive);
  } catch (const Fault& fault) { die(fault.error()); }
}

void Writer::die(const Error& error) {
  {
    std::lock_guard lock(mutex_);
    if (dead_) return;
    dead_ = error;
  }
  if (options_.onFatal) options_.onFatal(error);
}

}  // namespace lotsen::store::sqlite
