// A verb of the command line that asks a running gateway: where it is, by what it knows us, the calls, and what is told
// when it refuses. Used by: reprocess_verb.cc, operator_verbs.cc. Thread rule: one thread. Failure rule: Result; a
// GatewayCall tells on stderr what went wrong.
#pragma once

#include "gateway/app/arguments.h"
#include "gateway/outbound/api_client.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lotsen::app {

/// The verb's own options, with those of a call behind them: --gateway, --token, --ca, --certificate, --key.
std::vector<Option> withGatewayOptions(std::vector<Option> own);

/// Invalid: neither token nor certificate is given, an https gateway without --ca, a file that is wrong.
Result<std::unique_ptr<outbound::ApiClient>> gatewayOf(const Arguments& arguments, milliseconds timeout);

/// The filter of the verbs on deliveries: operator_verbs.cc.
std::vector<Option> selectionOptions();
/// `reprocess` without maps: deliveries made anew. Returns the exit status.
int remakeDeliveries(const Arguments& arguments);
/// `reprocess --records`: parked records understood again. Returns the exit status.
int reopenRecords(const Arguments& arguments);

class GatewayCall {
 public:
  /// nullopt after telling the fault.
  static std::optional<GatewayCall> open(const std::string& verb, const Arguments& arguments);

  /// The body of a 200; waits while the gateway is busy with another's. nullopt after telling the fault; `status` is
  /// then what it answered, 0: nothing.
  std::optional<std::string> post(const std::string& path, const std::string& body);
  int status() const { return status_; }

 private:
  GatewayCall(std::string verb, std::unique_ptr<outbound::ApiClient> client)
      : verb_(std::move(verb)), client_(std::move(client)) {}
  void tellRefusal(const outbound::ApiAnswer& answer) const;
  void tell(const std::string& text) const;

  std::string verb_;
  std::unique_ptr<outbound::ApiClient> client_;
  int status_ = 0;
};

}  // namespace lotsen::app
