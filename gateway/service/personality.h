// What a partner's specification makes it do differently from others: the answer to a repeat, the headers, how often
// it may be sent to again, what its answers mean. Published habits are data, `mappings/personalities/*.conf`, where
// each value has its source; a partner's own section overrides any of them. Used by: app (fills it), reception.h,
// acknowledgement.h, inbound, `lotsen partner simulate`. Thread rule: values, immutable once loaded. Failure rule:
// none.
//
// Not here, and why: whether a retry gets a new envelope id. The bytes of a delivery never change (decision D8), so it
// keeps the one that it has, and every specification's receiver takes that as a repeat of both ids.
#pragma once

#include "gateway/queue/core.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lotsen::service {

struct Personality {
  std::string name = "fhir";

  // What it sends us.
  bool refusesRepeats = false;        // a repeat is answered with 409 and `duplicate`, not with the stored answer
  bool demandsIds = false;            // X-Request-Id and X-Correlation-Id must be there, or 400
  bool sentTimeInProvenance = false;  // a resend may have another time in the Provenance of its MessageHeader
  std::string focus;                  // the only type that MessageHeader.focus may have; empty: any. Ours to it: the
                                      // referral if that is ServiceRequest, else the Task
  std::size_t sizeLimit = std::size_t{20} << 20;
  std::string errorSystem;            // of the codes with which we refuse; empty: there are none
  std::map<int, std::string> errors;  // by HTTP status

  // What we send it.
  std::vector<std::pair<std::string, std::string>> fields;  // headers beside our own
  std::vector<std::string> neededFields;                    // of which these must be among them
  bool idempotent = false;
  bool acknowledges = true;  // a positive status is not the end: an acknowledgement is to come
  bool echoesIds = false;    // an answer without our ids, or an error without an OperationOutcome, is an intermediary's
  std::optional<std::uint32_t> resends;  // after the first sending that may have arrived
  milliseconds resendWithin{0};          // of that first one; 0: the deadline alone
  milliseconds acknowledgeWithin{std::chrono::hours(24)};
  milliseconds retryFirst{2'000}, retryLongest{900'000};

  // What its answers mean, by HTTP status ("409"), response code ("fatal-error", "AE"), code of an error in an
  // OperationOutcome ("REC_UNAVAILABLE") or that with the code ("REC_CONFLICT/duplicate").
  std::map<std::string, queue::Outcome, std::less<>> answers = {
      {"ok", queue::Outcome::Done}, {"transient-error", queue::Outcome::Retry}, {"fatal-error", queue::Outcome::Park}};

  std::optional<queue::Outcome> meaning(std::string_view code) const {
    const auto found = answers.find(code);
    return found == answers.end() ? std::nullopt : std::optional(found->second);
  }
};

}  // namespace lotsen::service
