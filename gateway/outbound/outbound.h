// How messages and letters leave the gateway: the Transport of production. HTTPS endpoints by libcurl, spool endpoints
// as files; the endpoint's kind decides. Used by: app (makes it), queue (through the Transport door). Thread rule: as
// queue::Transport; one thread for HTTP and one for the spool belong to the object, from create() to its destruction.
// Failure rule: create() checks every endpoint; afterwards all faults are Answers. Destruction ends what is in flight,
// in bounded time: its answers are lost, the leases tell the next start.
#pragma once

#include "gateway/outbound/endpoint.h"
#include "gateway/queue/transport.h"

#include <memory>
#include <vector>

namespace lotsen::outbound {

class Outbound final : public queue::Transport {
 public:
  /// Invalid: an endpoint is wrong or an id stands twice. Unavailable: a spool folder cannot be made.
  static Result<std::unique_ptr<Outbound>> create(std::vector<Endpoint> endpoints);
  ~Outbound() override;
  Outbound(const Outbound&) = delete;
  Outbound& operator=(const Outbound&) = delete;

  /// From now on connections to these endpoints show and trust what is given here; older connections end with what is
  /// on its way. Nothing else of an endpoint changes, and endpoints that are new wait for a restart. Any thread.
  void replaceTls(const std::vector<Endpoint>& endpoints);

  void start(queue::Sending sending) override;
  std::vector<queue::Answer> take(milliseconds wait) override;
  void wake() override;

 private:
  struct Parts;
  explicit Outbound(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace lotsen::outbound
