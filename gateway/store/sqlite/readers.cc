#include "gateway/store/sqlite/readers.h"

namespace lotsen::store::sqlite {

Readers::Readers(const std::string& path, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    all_.push_back(std::make_unique<Connection>(path, Connection::Mode::Read));
    free_.push_back(all_.back().get());
  }
}

Readers::Loan::Loan(Readers& readers) : owner(readers) {
  std::unique_lock lock(owner.mutex_);
  owner.returned_.wait(lock, [this] { return !owner.free_.empty(); });
  connection = owner.free_.back();
  owner.free_.pop_back();
}

Readers::Loan::~Loan() {
  {
    std::lock_guard lock(owner.mutex_);
    owner.free_.push_back(connection);
  }
  owner.returned_.notify_one();
}

void Readers::Loan::abandon() {
  if (!connection->inTransaction()) return;
  try {
    connection->prepare("ROLLBACK").run();
  } catch (const Fault&) {
    // Nothing was written; the next BEGIN on this connection reports what is wrong.
  }
}

}  // namespace lotsen::store::sqlite
