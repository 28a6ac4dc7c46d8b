// The running gateway: everything built bottom-up, started, and stopped in reverse. `serve` runs it until a signal;
// benches and tests run it in process. Thread rule: create, start, reload and stop from one thread. Failure rule:
// create() says what could not be had; a store that dies while running calls `fatal` once, and from then on nothing is
// accepted. Stop order: listener (running requests end), workers, delivery, transport, store. Rejected: a service
// container; the order would be hidden in it.
#pragma once

#include "gateway/app/loader.h"

#include <atomic>
#include <functional>
#include <memory>

namespace lotsen::app {

class Gateway {
 public:
  /// Opens the store, takes a new epoch, reads tokens. `fatal` may be called from any thread.
  static Result<std::unique_ptr<Gateway>> create(Loaded loaded, const std::function<void()>& fatal);
  ~Gateway();

  Status start();
  void stop();
  /// Swaps what may change while running: agreements, policies, texts, maps, templates, tokens, certificates. Addresses
  /// and lanes of partners need a restart. Invalid: nothing was swapped.
  Status reload(Loaded loaded);

  /// There may be work: records came in by another way than the listener.
  void wake();

  std::uint16_t port() const;
  store::Store& store();

 private:
  struct Parts;
  explicit Gateway(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace lotsen::app
